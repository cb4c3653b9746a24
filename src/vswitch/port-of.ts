import type { VlanSettings } from '../../engine/dpif.ts'
import { MTU } from '../config/defaults.ts'
import { given } from '../config/given.ts'
import { deriveMac } from '../config/mac-derivation.ts'
import type { Port } from '../config/network.ts'
import type { QosSettings } from '../config/qos.ts'
import { type VlanInput, vlanSettings } from '../config/vlan-settings.ts'
import { inRange } from './numbers.ts'
import { ingressPolicingOf, qosOf } from './qos-of.ts'
import type { DatabaseReader, RowReader } from './row-reader.ts'

const MIN_MTU = 68
const MAX_MTU = 65521

/** What a port is whatever leads to it. */
export interface PortSettings extends QosSettings {
  readonly vlan: VlanSettings
}

/** A port of type `host` or `router`, whose other end the Lab database describes. */
export interface Plug {
  readonly bridge: string
  readonly port: string
  readonly kind: 'host' | 'router'
  readonly iface: RowReader
  readonly settings: PortSettings
}

export function portSettings(ovs: DatabaseReader, port: RowReader, iface: RowReader): PortSettings {
  return { vlan: vlanOf(port), ...qosOf(ovs, port), ...ingressPolicingOf(iface) }
}

function vlanOf(port: RowReader): VlanSettings {
  const config = port.words('other_config')
  return vlanSettings({
    tag: port.optionalNumber('tag'),
    trunks: [...port.numbers('trunks')],
    cvlans: [...port.numbers('cvlans')],
    vlanMode: port.optionalText('vlan_mode') as VlanInput['vlanMode'],
    priorityTags: priorityTags(port, config.get('priority-tags')),
    qinqEthertype: port.parsed(
      'other_config:qinq-ethtype',
      config.get('qinq-ethtype'),
      qinqEthertype,
      'TPID',
    ),
  })
}

/** "true" and "false" are how it was written before there was "if-nonzero". */
function priorityTags(port: RowReader, text: string | undefined): VlanInput['priorityTags'] {
  const parse = (word: string): VlanInput['priorityTags'] => {
    if (word === 'true') return 'if-nonzero'
    if (word === 'false') return 'no'
    return word === 'no' || word === 'if-nonzero' || word === 'always' ? word : undefined
  }
  return port.parsed('other_config:priority-tags', text, parse, 'choice of no, if-nonzero and always')
}

function qinqEthertype(word: string): VlanInput['qinqEthertype'] {
  if (word === '802.1q' || word === '0x8100') return '802.1q'
  return word === '802.1ad' || word === '0x88a8' ? '802.1ad' : undefined
}

/** MAC address and MTU of a port's device. */
export function deviceSettings(iface: RowReader, ...names: readonly string[]) {
  return {
    mac: iface.mac('mac') ?? deriveMac(...names),
    mtu: inRange(iface, 'mtu_request', MIN_MTU, MAX_MTU) ?? MTU,
  }
}

/** Undefined, and told, for types that are not served. */
export function portOf(name: string, iface: RowReader, settings: PortSettings): Port | undefined {
  const ofport = iface.optionalNumber('ofport_request')
  const common = { name, ...settings, ...(ofport === undefined ? {} : { ofport }) }
  const device = iface.text('name')
  const options = iface.words('options')
  const type = iface.text('type')
  switch (type) {
    case '':
    case 'system':
      // Open vSwitch gives no MAC address to a device of the machine, either.
      return {
        ...common,
        type: 'system',
        device,
        moveAddress: options.get('move-address') === 'true',
        ...given({ mtu: inRange(iface, 'mtu_request', MIN_MTU, MAX_MTU) }),
      }
    case 'tap':
      return { ...common, type, device, ...deviceSettings(iface, 'port', name) }
    case 'internal':
      return { ...common, type, device, address: undefined, ...deviceSettings(iface, 'port', name) }
    case 'patch': {
      const peer = options.get('peer')
      if (peer !== undefined && peer !== '') return { ...common, type, peer }
      iface.problem("patch port requires valid 'peer' argument")
      return undefined
    }
    case 'dummy':
      return { ...common, type, mac: iface.mac('mac') ?? deriveMac('port', name) }
    default:
      iface.problem(`interfaces of type "${type}" are not served`)
      return undefined
  }
}
