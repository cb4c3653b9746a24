import { createHash } from 'node:crypto'
import type { BridgeSpec, PortSpec, RouterSpec } from '../../engine/dpif.ts'
import type {
  Bridge,
  HostInterface,
  Internal,
  Network,
  Port,
  Router,
  RouterInterface,
} from '../config/network.ts'
import type { QosSettings } from '../config/qos.ts'
import { hasControllers } from '../openflow/controllers.ts'
import type { OpenflowSpec } from './element.ts'

/** What the configuration's things are to the dataplane. */

export function bridgeSpec(bridge: Bridge): BridgeSpec {
  return {
    name: bridge.name,
    agingTime: bridge.agingTime,
    macTableSize: bridge.macTableSize,
    forwardBpdu: bridge.forwardBpdu,
    // A bridge that is to be programmed begins without flows.
    failMode: hasControllers(bridge.openflow) ? 'secure' : bridge.openflow.failMode,
  }
}

export function openflowSpec(bridge: Bridge, network: Network): OpenflowSpec {
  const { name, datapathId, openflow } = bridge
  const tls = openflow.controllers.some(({ target }) => /^p?ssl:/.test(target))
  return {
    ...openflow,
    bridge: name,
    datapathId,
    // Other keys are no change of a bridge that does not use them.
    ...(tls && network.ssl !== undefined ? { ssl: network.ssl } : {}),
  }
}

/** Only what the dataplane is to know: a DHCP pool that changes is no change of the router. */
export function routerSpec(router: Router): RouterSpec {
  return {
    name: router.name,
    interfaces: router.interfaces.map((i) => ({
      name: i.name,
      mac: i.mac,
      mtu: i.mtu,
      addresses: i.addresses,
      services: i.services,
    })),
    routes: router.routes,
    nat: router.nat,
    redirects: router.redirects,
    icmpErrorRate: router.icmpErrorRate,
    maxConnections: router.maxConnections,
    helpers: router.helpers,
    timeouts: router.timeouts,
  }
}

export function portSpec(bridge: string, port: Port): PortSpec {
  const common = {
    name: port.name,
    bridge,
    vlan: port.vlan,
    ...qosOf(port),
    ...(port.ofport === undefined ? {} : { ofport: port.ofport }),
  }
  switch (port.type) {
    case 'tap':
    case 'internal':
      return { ...common, kind: { type: 'tap', device: port.device, mtu: port.mtu, mac: port.mac } }
    case 'system':
      return { ...common, kind: { type: 'system', device: port.device } }
    case 'patch':
      return { ...common, kind: { type: 'patch', peer: port.peer } }
    case 'dummy':
      return { ...common, kind: { type: 'memory', key: port.name } }
  }
}

function qosOf({ qos, ingressPolicing }: QosSettings): QosSettings {
  return {
    ...(qos === undefined ? {} : { qos }),
    ...(ingressPolicing === undefined ? {} : { ingressPolicing }),
  }
}

/** The port that has the bridge's own name, by which the machine takes part in the network. */
export function internalPortSpec(bridge: Bridge, internal: Internal): PortSpec {
  return {
    name: bridge.name,
    bridge: bridge.name,
    vlan: internal.vlan,
    ...qosOf(internal),
    kind: { type: 'tap', device: bridge.name, mtu: internal.mtu, mac: bridge.mac },
  }
}

export function hostPortSpec(iface: HostInterface): PortSpec {
  return {
    name: iface.port,
    bridge: iface.bridge,
    vlan: iface.vlan,
    ...qosOf(iface),
    kind: { type: 'tap', device: transitName(iface.port), mtu: iface.mtu, mac: iface.mac },
  }
}

export function routerPortSpec(router: Router, iface: RouterInterface): PortSpec {
  return {
    name: iface.port,
    bridge: iface.bridge,
    vlan: iface.vlan,
    kind: { type: 'router', router: router.name, interface: iface.name },
  }
}

/**
 * The name a host's TAP has in our namespace for the moment between its making and its moving: follows from
 * the port's name, fits IFNAMSIZ, and is nobody's but ours by its length.
 */
export function transitName(port: string): string {
  return `vs${createHash('sha256').update(port).digest('hex').slice(0, 13)}`
}
