import type { Bridge, Network, Port } from '../config/network.ts'
import { differingPart } from './differing-part.ts'

/**
 * Two networks without what is the same object in both, so that the plan from one to the other costs what differs and
 * not what there is. Values are never changed: what is the same object needs no comparison. A plan from the one rest to
 * the other is that of the whole: everything that an element needs is left out with it, or stays.
 * @param pending names of bridges, ports and devices that are not as they were wanted; these stay
 */
export function difference(
  before: Network,
  after: Network,
  pending: ReadonlySet<string>,
): readonly [before: Network, after: Network] {
  const sameKeys = before.ssl === after.ssl
  const known = new Map(before.bridges.map((bridge) => [bridge.name, bridge]))
  const same = new Map<string, Bridge>()
  const rests = new Map<string, readonly [Bridge, Bridge]>()
  for (const bridge of after.bridges) {
    const { name } = bridge
    const old = known.get(name)
    if (old === undefined) continue
    const ports = differingPorts(old, bridge, pending)
    const settled =
      old === bridge && sameKeys && !pending.has(name) && ports[0].length + ports[1].length === 0
    if (settled) same.set(name, bridge)
    else
      rests.set(name, [
        { ...old, ports: ports[0] },
        { ...bridge, ports: ports[1] },
      ])
  }
  const rest = (side: 0 | 1) => (bridge: Bridge) =>
    same.has(bridge.name) ? [] : (rests.get(bridge.name)?.[side] ?? bridge)
  return [
    { ...before, bridges: before.bridges.flatMap(rest(0)) },
    { ...after, bridges: after.bridges.flatMap(rest(1)) },
  ]
}

function differingPorts(
  before: Bridge,
  after: Bridge,
  pending: ReadonlySet<string>,
): readonly [Port[], Port[]] {
  // Addresses that are moved from a device belong to the port and to the bridge.
  const claims = before.internal?.address !== undefined || after.internal?.address !== undefined
  const stays = (port: Port) =>
    (port.type === 'system' && (port.moveAddress || claims)) ||
    (pending.size > 0 && (pending.has(port.name) || ('device' in port && pending.has(port.device))))
  const { start, endA, endB } = differingPart(before.ports, after.ports)
  const [old, now] = [before.ports.slice(start, endA), after.ports.slice(start, endB)]
  const known = new Set(old)
  const both = new Set(now.filter((port) => known.has(port)))
  const differs = (port: Port) => !both.has(port) || stays(port)
  const [first, last] = [after.ports.slice(0, start).filter(stays), after.ports.slice(endB).filter(stays)]
  return [
    [...first, ...old.filter(differs), ...last],
    [...first, ...now.filter(differs), ...last],
  ]
}
