import type { VlanSettings } from '../../engine/dpif.ts'
import { formatMac } from '../../protocols/wire/ethernet.ts'
import { MTU } from '../config/defaults.ts'
import { deriveMac } from '../config/mac-derivation.ts'
import type { HostInterface, Internal, Port, RouterInterface } from '../config/network.ts'
import type { QosSettings } from '../config/qos.ts'
import { unless } from '../config/unless.ts'
import { policingColumns, qosRow } from './qos-rows.ts'
import { optional, type Reference, scalar, setOf, type WantedRows, wordsOf } from './wanted-row.ts'

interface InterfaceColumns {
  readonly name: string
  readonly type: string
  readonly mac?: number | undefined
  readonly mtu?: number
  /** Also where it is the usual one. */
  readonly mtuRequest?: number | undefined
  readonly ofport?: number | undefined
  readonly options?: Readonly<Record<string, string>>
}

/** A port and its interface. */
function pair(
  rows: WantedRows,
  name: string,
  iface: InterfaceColumns,
  settings: QosSettings & { readonly vlan: VlanSettings },
): Reference {
  const { mac, mtu, mtuRequest, ofport, options } = iface
  const carrier = rows.add('Interface', iface.name, {
    name: scalar(iface.name),
    type: scalar(iface.type),
    mac: optional(mac === undefined ? undefined : formatMac(mac)),
    mtu_request: optional(mtuRequest ?? (mtu === undefined ? undefined : unless(MTU, mtu))),
    ofport_request: optional(ofport),
    options: wordsOf(options ?? {}),
    ...policingColumns(settings),
  })
  return rows.add('Port', name, {
    name: scalar(name),
    interfaces: setOf([carrier]),
    qos: optional(qosRow(rows, name, settings)),
    ...vlanColumns(settings.vlan),
  })
}

function vlanColumns({ mode, tag, trunks, cvlans, priorityTags, qinqEthertype }: VlanSettings) {
  const tagged = tag !== 0
  return {
    tag: optional(tagged ? tag : undefined),
    trunks: setOf(trunks),
    cvlans: setOf(cvlans),
    vlan_mode: optional(unless(tagged ? 'access' : 'trunk', mode)),
    other_config: wordsOf({
      'priority-tags': unless('no', priorityTags),
      'qinq-ethtype': unless('802.1ad', qinqEthertype),
    }),
  }
}

function givenMac(mac: number, ...names: readonly string[]): number | undefined {
  return mac === deriveMac(...names) ? undefined : mac
}

export function portRow(rows: WantedRows, port: Port): Reference {
  const { name, ofport } = port
  const common = { name, type: port.type, ofport }
  const settled = (columns: object) => pair(rows, name, { ...common, ...columns }, port)
  switch (port.type) {
    case 'tap':
    case 'internal':
      return settled({ name: port.device, mac: givenMac(port.mac, 'port', name), mtu: port.mtu })
    case 'system':
      return settled({
        name: port.device,
        type: '',
        mtuRequest: port.mtu,
        options: port.moveAddress ? { 'move-address': 'true' } : {},
      })
    case 'patch':
      return settled({ options: { peer: port.peer } })
    case 'dummy':
      return settled({ mac: givenMac(port.mac, 'port', name) })
  }
}

/** The port that has the name of its bridge, and its MAC address. */
export function internalRow(rows: WantedRows, bridge: string, internal: Internal): Reference {
  return pair(rows, bridge, { name: bridge, type: 'internal', mtu: internal.mtu }, internal)
}

/** The port by which an interface of a host or router is plugged in. */
export function attachmentRow(
  rows: WantedRows,
  kind: 'host' | 'router',
  owner: string,
  iface: HostInterface | RouterInterface,
): Reference {
  const mac = givenMac(iface.mac, kind, owner, iface.name)
  return pair(rows, iface.port, { name: iface.port, type: kind, mac, mtu: iface.mtu }, iface)
}
