/** Actions as ovs-ofctl dump-flows prints them, byte for byte. */

import { FIELDS } from '../../meta-flow.ts'
import {
  type ControllerAction,
  CT_ALG_FTP,
  CT_ALG_TFTP,
  type CtAction,
  type EncapAction,
  type LearnAction,
  type LearnSpec,
  type NatSpec,
  type OfAction,
  type SetFieldAction,
  TABLE_CURRENT,
} from '../action.ts'
import { DEFAULT_PRIORITY } from '../match.ts'
import { isZero } from '../match-field.ts'
import { OFPP_CONTROLLER, OFPP_IN_PORT, OFPP_MAX, OFPP_NONE } from '../port.ts'
import { bytesOf, getBits, segments } from '../subfield.ts'
import { formatEthernet, formatIpv4, formatIpv6 } from './address.ts'
import { formatFieldValue } from './field-value.ts'
import { formatPort, formatTable, type NameMaps } from './names.ts'
import { formatHash, formatHex, formatHexBytes } from './scan.ts'
import { formatSubfield } from './subfield-text.ts'

export const REASONS = ['no_match', 'action', 'invalid_ttl', 'action_set', 'group', 'packet_out'] as const

const hex4 = (v: number): string => `0x${v.toString(16).padStart(4, '0')}`
const list = (parts: readonly (string | false)[]): string => parts.filter((p) => p !== false).join(',')

function output(port: number, maxLen: number, names?: NameMaps): string {
  const text = formatPort(port, names)
  if (port < OFPP_MAX) return `output:${text}`
  return port === OFPP_CONTROLLER ? `${text}:${maxLen}` : text
}

function controller(a: ControllerAction): string {
  if (a.reason === 1 && a.controllerId === 0 && a.userdata.length === 0 && !a.pause && a.meterId === 0) {
    return `CONTROLLER:${a.maxLen}`
  }
  const arguments_ = list([
    a.reason !== 1 && `reason=${REASONS[a.reason] ?? a.reason}`,
    a.maxLen !== 0xffff && `max_len=${a.maxLen}`,
    a.controllerId !== 0 && `id=${a.controllerId}`,
    a.userdata.length > 0 && `userdata=${formatHexBytes(a.userdata)}`,
    a.pause && 'pause',
    a.meterId !== 0 && `meter_id=${a.meterId}`,
  ])
  return `controller(${arguments_})`
}

function setField(a: SetFieldAction, names?: NameMaps): string {
  const field = FIELDS[a.field]
  if (a.as !== 'load') return `set_field:${formatFieldValue(field, a.value, a.mask, names)}->${field.name}`
  const parts: string[] = []
  for (const { ofs, nBits } of segments(a.mask, field.bits)) {
    parts.push(
      `load:${formatHash(getBits(a.value, ofs, nBits))}->${formatSubfield({ field: a.field, ofs, nBits })}`,
    )
  }
  return parts.join(',')
}

function learnSpec(s: LearnSpec, names?: NameMaps): string {
  if (s.to === 'output') return 'src' in s ? `output:${formatSubfield(s.src)}` : ''
  const dst = formatSubfield(s.dst)
  if (s.to === 'load') return `load:${'src' in s ? formatSubfield(s.src) : formatHex(s.value)}->${dst}`
  if ('src' in s) {
    const same = s.src.field === s.dst.field && s.src.ofs === s.dst.ofs
    return same ? dst : `${dst}=${formatSubfield(s.src)}`
  }
  const field = FIELDS[s.dst.field]
  if (s.dst.ofs !== 0 || s.nBits !== field.bits) return `${dst}=${formatHex(s.value)}`
  const value = new Uint8Array(field.bytes)
  value.set(s.value, field.bytes - s.value.length)
  return `${field.name}=${formatFieldValue(field, value, undefined, names)}`
}

function learn(a: LearnAction, names?: NameMaps): string {
  const head = list([
    `table=${formatTable(a.table, names)}`,
    a.idleTimeout !== 0 && `idle_timeout=${a.idleTimeout}`,
    a.hardTimeout !== 0 && `hard_timeout=${a.hardTimeout}`,
    a.finIdleTimeout !== 0 && `fin_idle_timeout=${a.finIdleTimeout}`,
    a.finHardTimeout !== 0 && `fin_hard_timeout=${a.finHardTimeout}`,
    a.priority !== DEFAULT_PRIORITY && `priority=${a.priority}`,
    a.sendFlowRem && 'send_flow_rem',
    a.deleteLearned && 'delete_learned',
    a.cookie !== 0n && `cookie=${formatHash(a.cookie)}`,
    a.limit !== 0 && `limit=${a.limit}`,
    a.resultDst !== undefined && `result_dst=${formatSubfield(a.resultDst)}`,
  ])
  return `learn(${[head, ...a.specs.map((s) => learnSpec(s, names))].join(',')})`
}

const zero = (b: Uint8Array | undefined): boolean => b === undefined || isZero(b)
const same = (a: Uint8Array, b: Uint8Array): boolean => a.every((x, i) => x === b[i])

function nat(n: NatSpec): string {
  if (n.kind === undefined) return 'nat'
  let range = ''
  const { minAddress, maxAddress } = n
  if (minAddress !== undefined) {
    const one = (b: Uint8Array): string =>
      b.length === 4 ? formatIpv4(b) : n.minPort !== 0 ? `[${formatIpv6(b)}]` : formatIpv6(b)
    range = `=${one(minAddress)}`
    if (maxAddress !== undefined && !zero(maxAddress) && !same(minAddress, maxAddress))
      range += `-${one(maxAddress)}`
    if (n.minPort !== 0) range += `:${n.minPort}`
    if (n.minPort !== 0 && n.maxPort !== 0 && n.maxPort !== n.minPort) range += `-${n.maxPort}`
  }
  // Open vSwitch prints them only behind a range.
  const options =
    minAddress === undefined ? [] : [n.persistent && 'persistent', n.hash && 'hash', n.random && 'random']
  return `nat(${list([n.kind + range, ...options])})`
}

function ct(a: CtAction, names?: NameMaps): string {
  const zone =
    typeof a.zone === 'number' ? a.zone !== 0 && `zone=${a.zone}` : `zone=${formatSubfield(a.zone)}`
  const alg = a.alg === CT_ALG_FTP ? 'ftp' : a.alg === CT_ALG_TFTP ? 'tftp' : a.alg
  const parts = list([
    a.commit && 'commit',
    a.force && 'force',
    a.table !== undefined && `table=${formatTable(a.table, names)}`,
    zone,
    a.nat !== undefined && nat(a.nat),
    a.exec.length > 0 && `exec(${formatActions(a.exec, names)})`,
    alg !== 0 && `alg=${alg}`,
  ])
  return `ct(${parts})`
}

const ENCAPS: Record<number, string> = { 0: 'ethernet', 100687: 'nsh', 100423: 'mpls', 100424: 'mpls_mc' }
export const ENCAP_MD_TYPE = 1
export const ENCAP_TLV = 2

function encap(a: EncapAction): string {
  const properties = a.properties.map(({ type, data }) => {
    if (type === ENCAP_MD_TYPE) return `md_type=${data[0]}`
    return `tlv(${hex4((data[0] << 8) | data[1])},${data[2]},${formatHex(data.subarray(4, 4 + data[3]))})`
  })
  return `encap(${ENCAPS[a.packetType] ?? 'UNKNOWN'}${properties.length === 0 ? '' : `(${properties.join(',')})`})`
}

function resubmit(a: OfAction & { type: 'resubmit' }, names?: NameMaps): string {
  const port = a.inPort === OFPP_IN_PORT ? '' : formatPort(a.inPort, names)
  if (port !== '' && a.table === TABLE_CURRENT) return `resubmit:${port}`
  const table = a.table === TABLE_CURRENT ? '' : formatTable(a.table, names)
  return `resubmit(${port},${table}${a.withCt ? ',ct' : ''})`
}

function sample(a: OfAction & { type: 'sample' }, names?: NameMaps): string {
  const parts = list([
    `probability=${a.probability}`,
    `collector_set_id=${a.collectorSetId}`,
    `obs_domain_id=${a.obsDomainId}`,
    `obs_point_id=${a.obsPointId}`,
    a.samplingPort !== OFPP_NONE && `sampling_port=${formatPort(a.samplingPort, names)}`,
    a.direction !== 'default' && a.direction,
  ])
  return `sample(${parts})`
}

function bundle(a: OfAction & { type: 'bundle' }, names?: NameMaps): string {
  const dst = a.dst === undefined ? '' : `${formatSubfield(a.dst)},`
  const members = a.members.map((m) => formatPort(m, names)).join(',')
  const name = a.dst === undefined ? 'bundle' : 'bundle_load'
  return `${name}(${a.fields},${a.basis},${a.algorithm},ofport,${dst}members:${members})`
}

export function formatAction(a: OfAction, names?: NameMaps): string {
  switch (a.type) {
    case 'output':
      return output(a.port, a.maxLen, names)
    case 'output_reg':
      return `output:${formatSubfield(a.src)}`
    case 'output_trunc':
      return `output(port=${formatPort(a.port, names)},max_len=${a.maxLen})`
    case 'controller':
      return controller(a)
    case 'enqueue':
      return `enqueue:${formatPort(a.port, names)}:${a.queue}`
    case 'set_queue':
      return `set_queue:${a.queue}`
    case 'group':
      return `group:${a.group}`
    case 'set_vlan_vid':
      return `${a.pushIfNeeded ? 'mod' : 'set'}_vlan_vid:${a.vid}`
    case 'set_vlan_pcp':
      return `${a.pushIfNeeded ? 'mod' : 'set'}_vlan_pcp:${a.pcp}`
    case 'strip_vlan':
      return a.pop ? 'pop_vlan' : 'strip_vlan'
    case 'push_vlan':
      return `push_vlan:${formatHash(a.ethertype)}`
    case 'push_mpls':
    case 'pop_mpls':
      return `${a.type}:${hex4(a.ethertype)}`
    case 'set_eth_src':
      return `mod_dl_src:${formatEthernet(a.mac)}`
    case 'set_eth_dst':
      return `mod_dl_dst:${formatEthernet(a.mac)}`
    case 'set_ipv4_src':
    case 'set_ipv4_dst':
      return `mod_nw_${a.type.slice(-3)}:${formatIpv4(bytesOf(BigInt(a.address), 4))}`
    case 'set_ip_dscp':
      return `mod_nw_tos:${a.value}`
    case 'set_ip_ecn':
      return `mod_nw_ecn:${a.value}`
    case 'set_ip_ttl':
      return `mod_nw_ttl:${a.value}`
    case 'set_l4_src_port':
      return `mod_tp_src:${a.value}`
    case 'set_l4_dst_port':
      return `mod_tp_dst:${a.value}`
    case 'set_mpls_label':
      return `set_mpls_label(${a.label})`
    case 'set_mpls_tc':
      return `set_mpls_tc(${a.tc})`
    case 'set_mpls_ttl':
      return `set_mpls_ttl(${a.ttl})`
    case 'set_field':
      return setField(a, names)
    case 'move':
      return `move:${formatSubfield(a.src)}->${formatSubfield(a.dst)}`
    case 'push':
    case 'pop':
      return `${a.type}:${formatSubfield(a.subfield)}`
    case 'dec_ttl':
      return a.withIds ? `dec_ttl(${a.controllerIds.join(',')})` : 'dec_ttl'
    case 'set_tunnel':
      return `set_tunnel${a.wide || a.id > 0xffff_ffffn ? '64' : ''}:${formatHash(a.id)}`
    case 'resubmit':
      return resubmit(a, names)
    case 'learn':
      return learn(a, names)
    case 'multipath':
      return `multipath(${a.fields},${a.basis},${a.algorithm},${a.links},${a.arg},${formatSubfield(a.dst)})`
    case 'bundle':
      return bundle(a, names)
    case 'conjunction':
      return `conjunction(${a.id},${a.clause + 1}/${a.clauses})`
    case 'fin_timeout': {
      const { idleTimeout: i, hardTimeout: h } = a
      return `fin_timeout(${list([i !== 0 && `idle_timeout=${i}`, h !== 0 && `hard_timeout=${h}`])})`
    }
    case 'note':
      return `note:${formatHexBytes(a.data)}`
    case 'sample':
      return sample(a, names)
    case 'clone':
      return `clone(${formatActions(a.actions, names)})`
    case 'ct':
      return ct(a, names)
    case 'check_pkt_larger':
      return `check_pkt_larger(${a.length})->${formatSubfield(a.dst)}`
    case 'encap':
      return encap(a)
    case 'decap': {
      const ns = a.packetType >>> 16
      const type = formatHash(a.packetType & 0xffff)
      return a.packetType === 0xfffe ? 'decap()' : `decap(packet_type(ns=${ns},type=${type}))`
    }
    case 'delete_field':
      return `delete_field:${FIELDS[a.field].name}`
    case 'write_actions':
      return `write_actions(${formatActions(a.actions, names)})`
    case 'write_metadata': {
      const mask = a.mask === 0xffff_ffff_ffff_ffffn ? '' : `/${formatHash(a.mask)}`
      return `write_metadata:${formatHash(a.metadata)}${mask}`
    }
    case 'goto_table':
      return `goto_table:${formatTable(a.table, names)}`
    case 'meter':
      return `meter:${a.meter}`
    default:
      return a.type
  }
}

/** What stands behind `actions=`; nothing at all is `drop`. */
export function formatActions(actions: readonly OfAction[], names?: NameMaps): string {
  return actions.length === 0 ? 'drop' : actions.map((a) => formatAction(a, names)).join(',')
}
