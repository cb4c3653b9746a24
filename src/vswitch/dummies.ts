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
  const ports = bridge.ports.map((port): Port => {
    if (!replaced.includes(port.type)) return port
    const { name: portName, vlan, ofport, qos, ingressPolicing } = port
    return {
      type: 'dummy',
      name: portName,
      mac: 'mac' in port ? port.mac : mac,
      vlan,
      ...(ofport === undefined ? {} : { ofport }),
      ...(qos === undefined ? {} : { qos }),
      ...(ingressPolicing === undefined ? {} : { ingressPolicing }),
    }
  })
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
