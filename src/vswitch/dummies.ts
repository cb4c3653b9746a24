/**
 * Devices in memory in place of others (`--enable-dummy`), so that whole switches are tested without privileges: those
 * of bridges whose datapath is of type `dummy`, or all of them.
 */
import type { Bridge, Network, Port } from '../config/network.ts'

/** `own`: internal ports of dummy datapaths; `system`: system devices, too; `override`: everything. */
export type Dummies = 'none' | 'own' | 'system' | 'override'

export function withDummies(
  network: Network,
  dummies: Dummies,
  datapathType: (bridge: string) => string,
): Network {
  if (dummies === 'none') return network
  const bridges = network.bridges.map((bridge) =>
    dummies === 'override' || datapathType(bridge.name) === 'dummy' ? inMemory(bridge, dummies) : bridge,
  )
  return { ...network, bridges }
}

function inMemory(bridge: Bridge, dummies: Dummies): Bridge {
  const { name, mac, internal } = bridge
  const replaced: readonly Port['type'][] = dummies === 'own' ? ['internal'] : ['internal', 'system', 'tap']
  const ports = bridge.ports.map((port) => (replaced.includes(port.type) ? dummyOf(port, mac) : port))
  if (internal === undefined) return { ...bridge, ports }
  const { vlan, qos, ingressPolicing } = internal
  const own: Port = {
    type: 'dummy',
    name,
    mac,
    vlan,
    ...(qos === undefined ? {} : { qos }),
    ...(ingressPolicing === undefined ? {} : { ingressPolicing }),
  }
  return { ...bridge, internal: undefined, ports: [own, ...ports] }
}

/** In place of ports that have not changed there are the same as before. */
const known = new WeakMap<Port, Port & { type: 'dummy' }>()

/** @param bridgeMac for a port without an address of its own */
function dummyOf(port: Port, bridgeMac: number): Port {
  const mac = 'mac' in port ? port.mac : bridgeMac
  const before = known.get(port)
  if (before?.mac === mac) return before
  const { name, vlan, ofport, qos, ingressPolicing } = port
  const dummy = {
    type: 'dummy' as const,
    name,
    mac,
    vlan,
    ...(ofport === undefined ? {} : { ofport }),
    ...(qos === undefined ? {} : { qos }),
    ...(ingressPolicing === undefined ? {} : { ingressPolicing }),
  }
  known.set(port, dummy)
  return dummy
}
