/**
 * Devices in memory in place of others (`--enable-dummy`), so that whole switches are tested without privileges: those
 * of bridges whose datapath is of type `dummy`, or all of them.
 */
import type { Bridge, Internal, Network, Port } from '../config/network.ts'

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
  const ports = bridge.ports.map((port) => (replaced.includes(port.type) ? dummyOf(port, port, mac) : port))
  if (internal === undefined) return { ...bridge, ports }
  return {
    ...bridge,
    internal: undefined,
    ports: [dummyOf(internal, { ...internal, name, mac }, mac), ...ports],
  }
}

type Dummy = Extract<Port, { type: 'dummy' }>

/** In place of what has not changed there are the same as before. */
const known = new WeakMap<Port | Internal, Dummy>()

/** @param bridgeMac for a port without an address of its own */
function dummyOf(replaced: Port | Internal, port: Port | Omit<Dummy, 'type'>, bridgeMac: number): Dummy {
  const mac = 'mac' in port ? port.mac : bridgeMac
  const before = known.get(replaced)
  if (before?.mac === mac) return before
  const { name, vlan, ofport, qos, ingressPolicing } = port
  const dummy: Dummy = {
    type: 'dummy',
    name,
    mac,
    vlan,
    ...(ofport === undefined ? {} : { ofport }),
    ...(qos === undefined ? {} : { qos }),
    ...(ingressPolicing === undefined ? {} : { ingressPolicing }),
  }
  known.set(replaced, dummy)
  return dummy
}
