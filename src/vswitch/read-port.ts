import { MTU } from '../config/defaults.ts'
import type { Internal, Port } from '../config/network.ts'
import { type PortSettings, portOf, portSettings } from './port-of.ts'
import type { DatabaseReader, RowReader } from './row-reader.ts'

/** What a row of the table Port and those that belong to it say. */
export interface ReadPort {
  readonly uuid: string
  readonly name: string
  readonly is:
    | { readonly what: 'port'; readonly port: Port }
    | { readonly what: 'own'; readonly own: OwnPort }
    | { readonly what: 'plug'; readonly plug: ReadPlug }
    /** Nothing that is served. */
    | undefined
}

/** The port that has the name of its bridge. */
export interface OwnPort {
  readonly internal: Internal
  /** That is asked for. */
  readonly mac: number | undefined
}

/** A port of type `host` or `router`. */
export interface ReadPlug {
  readonly bridge: string
  readonly port: string
  readonly kind: 'host' | 'router'
  /** Its row in the table Interface. */
  readonly iface: string
  readonly settings: PortSettings
}

export function readPort(ovs: DatabaseReader, uuid: string, bridge: string): ReadPort | undefined {
  const row = ovs.get('Port', uuid)
  if (row === undefined) return undefined
  const name = row.text('name')
  const iface = onlyInterface(ovs, row)
  return { uuid, name, is: iface && meaning(ovs, bridge, row, iface) }
}

function meaning(ovs: DatabaseReader, bridge: string, row: RowReader, iface: RowReader): ReadPort['is'] {
  const name = row.text('name')
  const settings = portSettings(ovs, row, iface)
  const kind = iface.text('type')
  if (name === bridge) {
    const mtu = iface.optionalNumber('mtu_request') ?? MTU
    return { what: 'own', own: { internal: { address: undefined, mtu, ...settings }, mac: iface.mac('mac') } }
  }
  if (kind === 'host' || kind === 'router') {
    return { what: 'plug', plug: { bridge, port: name, kind, iface: iface.uuid, settings } }
  }
  const port = portOf(name, iface, settings)
  return port && { what: 'port', port }
}

/** Bonds are not served: of several interfaces the first carries the port. */
function onlyInterface(ovs: DatabaseReader, port: RowReader): RowReader | undefined {
  const interfaces = ovs.follow(port, 'interfaces', 'Interface')
  if (interfaces.length > 1) {
    port.problem(`bonds are not served yet: only ${interfaces[0]!.text('name')} carries the port`)
  }
  return interfaces[0]
}
