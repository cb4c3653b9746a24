import { TRUNK_ALL, type VlanSettings } from '../../engine/dpif.ts'
import { OFPP_LOCAL } from '../../protocols/openflow/port.ts'
import type { Network } from '../config/network.ts'
import { OFPORT_LOCAL, type PortRow } from '../control/protocol.ts'

/** What the configuration says about a port: everything in a row of `status` that is not counted. */
export type PortFacts = Pick<PortRow, 'kind' | 'vlan'> &
  Partial<Pick<PortRow, 'device' | 'owner' | 'interface'>>

export function portFacts(network: Network): Map<string, PortFacts> {
  const facts = new Map<string, PortFacts>()
  for (const bridge of network.bridges) {
    if (bridge.internal !== undefined) {
      facts.set(bridge.name, { kind: 'internal', device: bridge.name, vlan: bridge.internal.vlan })
    }
    for (const port of bridge.ports) {
      const kind = port.type === 'dummy' ? 'memory' : port.type
      const device = 'device' in port ? { device: port.device } : {}
      facts.set(port.name, { kind, vlan: port.vlan, ...device })
    }
  }
  for (const [kind, owners] of [
    ['host', network.hosts],
    ['router', network.routers],
  ] as const) {
    for (const owner of owners) {
      for (const iface of owner.interfaces) {
        facts.set(iface.port, { kind, owner: owner.name, interface: iface.name, vlan: iface.vlan })
      }
    }
  }
  return facts
}

/** For a port that the configuration does not know. */
export function unknownPort(type: PortRow['kind']): { kind: PortRow['kind']; vlan: VlanSettings } {
  return { kind: type, vlan: TRUNK_ALL }
}

/** The ports meant by a port's name, "HOST", "HOST:INTERFACE" or the same of a router; empty for none. */
export function portsOf(network: Network, target: string): string[] {
  if (portFacts(network).has(target)) return [target]
  const [name, iface] = target.split(':')
  const owner = [...network.hosts, ...network.routers].find((candidate) => candidate.name === name)
  if (owner === undefined) return []
  return owner.interfaces.filter((i) => iface === undefined || i.name === iface).map((i) => i.port)
}

/** OpenFlow port numbers as they are shown. */
export function shownOfport(ofport: number): number {
  return ofport === OFPP_LOCAL ? OFPORT_LOCAL : ofport
}
