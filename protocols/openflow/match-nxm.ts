/**
 * Matches as NXM (in OpenFlow 1.0's Nicira messages) and OXM (OpenFlow 1.2 and later, §7.2.3): a list of
 * entries. Written in Open vSwitch's order, so that the bytes are the same as ovs-ofctl's.
 */

import { ETH_IPV4, W_CT_NW_PROTO, W_NW, W_PACKET_TYPE, W_TP, W_VLAN } from '../flow-key.ts'
import { FIELDS, type FieldName, type MetaFlowField, MFF } from '../meta-flow.ts'
import { u16 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfErrorName, type OfFault } from './error.ts'
import type { Match } from './match.ts'
import { emptyMatch } from './match.ts'
import {
  getMatchField,
  hasDefaultPacketType,
  isWild,
  maskIsValid,
  ones,
  setDefaultPacketType,
  setMatchField,
  valueIsValid,
} from './match-field.ts'
import { isPlain, isPlainWild, setPlain } from './match-plain.ts'
import { putOxmEntry, readOxmHeader } from './oxm.ts'
import { ETH_NSH, flowEthType, isArp, isIp, isMpls, prerequisitesHold } from './prerequisites.ts'
import { OF15 } from './version.ts'

/** A cookie and mask that may stand among the entries of a Nicira message. */
export interface CookieMatch {
  cookie: bigint
  mask: bigint
}

const NXM_COOKIE_CLASS = 1
const NXM_COOKIE_FIELD = 30
const FULL_MASK = 0xffff_ffff_ffff_ffffn

export interface DecodedMatch {
  match: Match
  cookie: CookieMatch | undefined
}

export interface OxmDecodeOptions {
  /** Refuse unknown fields and unmet prerequisites; false for what only reports (default true). */
  strict?: boolean
  /** NXM_NX_COOKIE may stand in it. */
  allowCookie?: boolean
  /** Only fields that no packet carries, as in OpenFlow 1.5 packet-out. */
  pipelineOnly?: boolean
  /** An empty match to fill in place of a new one. */
  match?: Match | undefined
}

const PIPELINE =
  /^(tun_|metadata$|in_port|skb_priority$|pkt_mark$|ct_|reg|xreg|xxreg|packet_type$|dp_hash$|recirc_id$|conj_id$|actset)/

function beBytes(b: Uint8Array, o: number, n: number): bigint {
  let v = 0n
  for (let i = 0; i < n; i++) v = (v << 8n) | BigInt(b[o + i])
  return v
}

function consistent(b: Uint8Array, at: number, n: number): boolean {
  for (let i = 0; i < n; i++) if ((b[at + i] & ~b[at + n + i]) !== 0) return false
  return true
}

/** Why `value` and `mask` of `field` cannot be added to `match`. */
function refusal(
  match: Match,
  field: MetaFlowField,
  value: Uint8Array,
  mask: Uint8Array,
  { strict = true, pipelineOnly = false }: OxmDecodeOptions,
): OfErrorName | undefined {
  if (!maskIsValid(field, mask)) return 'OFPBMC_BAD_MASK'
  if (!valueIsValid(field, value)) return 'OFPBMC_BAD_VALUE'
  if (strict && !prerequisitesHold(field, match.value, match.mask)) return 'OFPBMC_BAD_PREREQ'
  if (!isWild(match, field)) return 'OFPBMC_DUP_FIELD'
  if (pipelineOnly && !PIPELINE.test(field.name)) return 'OFPBRC_PIPELINE_FIELDS_ONLY'
  return undefined
}

/** Decodes the entries from `o` to `end`, without padding. */
export function decodeOxmFields(
  b: Uint8Array,
  o: number,
  end: number,
  options: OxmDecodeOptions = {},
): DecodedMatch | OfFault {
  const { strict = true, allowCookie = false, pipelineOnly = false, match = emptyMatch() } = options
  let cookie: CookieMatch | undefined
  while (o < end) {
    const h = readOxmHeader(b, o, end)
    if (isFault(h)) return h
    const isCookie =
      allowCookie &&
      h.oxmClass === NXM_COOKIE_CLASS &&
      h.fieldNumber === NXM_COOKIE_FIELD &&
      h.payload === (h.masked ? 16 : 8)
    if (h.payload > end - h.at) return fault('OFPBMC_BAD_LEN')
    const width = h.masked ? h.payload >>> 1 : h.payload
    if (h.masked && !consistent(b, h.at, width)) return fault('OFPBMC_BAD_WILDCARDS')
    o = h.at + h.payload
    if (isCookie) {
      if (cookie !== undefined) return fault('OFPBMC_DUP_FIELD')
      cookie = { cookie: beBytes(b, h.at, 8), mask: h.masked ? beBytes(b, h.at + 8, 8) : FULL_MASK }
      continue
    }
    if (h.field === undefined) {
      if (strict) return fault('OFPBMC_BAD_FIELD')
      continue
    }
    if (isPlain(h.field) && (h.field.maskable || !h.masked) && !pipelineOnly) {
      if (strict && !prerequisitesHold(h.field, match.value, match.mask)) return fault('OFPBMC_BAD_PREREQ')
      if (!isPlainWild(match, h.field)) return fault('OFPBMC_DUP_FIELD')
      setPlain(match, h.field, b, h.at, h.masked ? h.at + width : undefined)
      if (h.field.prerequisite !== 'none') setDefaultPacketType(match)
      continue
    }
    const value = b.slice(h.at, h.at + width)
    const mask = h.masked ? b.slice(h.at + width, h.at + 2 * width) : ones(width)
    const error = refusal(match, h.field, value, mask, options)
    if (error !== undefined) return fault(error)
    setMatchField(match, h.field, value, mask)
    if (h.field.prerequisite !== 'none') setDefaultPacketType(match)
  }
  return { match, cookie }
}

/** OFPMT_OXM. */
const OXM_TYPE = 1

/** Decodes an ofp_match of OpenFlow 1.2 and later at `o`. `next` is where the message goes on, padding skipped. */
export function decodeOxmMatch(
  b: Uint8Array,
  o: number,
  end: number,
  options: OxmDecodeOptions = {},
): (DecodedMatch & { next: number }) | OfFault {
  if (end - o < 4) return fault('OFPBMC_BAD_LEN')
  const length = u16(b, o + 2)
  if (length < 4) return fault('OFPBMC_BAD_LEN')
  if (u16(b, o) !== OXM_TYPE) return fault('OFPBMC_BAD_TYPE')
  const next = o + ((length + 7) & ~7)
  if (next > end) return fault('OFPBMC_BAD_LEN')
  const decoded = decodeOxmFields(b, o + 4, o + length, options)
  return isFault(decoded) ? decoded : { match: decoded.match, cookie: decoded.cookie, next }
}

class EntryWriter {
  private readonly w: ByteWriter
  private readonly match: Match
  private readonly version: number
  /** A field was written that only an Ethernet packet has. */
  impliedEthernet = false

  constructor(w: ByteWriter, match: Match, version: number) {
    this.w = w
    this.match = match
    this.version = version
  }

  /** Writes those of some fields in which the match has an opinion. */
  put(fields: readonly MetaFlowField[]): void {
    for (let i = 0; i < fields.length; i++) this.field(fields[i])
  }

  private field(field: MetaFlowField): void {
    if (isWild(this.match, field)) return
    const { value, mask } = getMatchField(this.match, field)
    this.entry(field, value, field.maskable && !fullyMasked(field, mask) ? mask : undefined)
  }

  entry(field: MetaFlowField, value: Uint8Array, mask?: Uint8Array): void {
    putOxmEntry(this.w, field, this.version, value, mask)
    if (field.prerequisite !== 'none') this.impliedEthernet = true
  }
}

/** nw_frag's mask has two bits in the match, but is written as a whole byte. */
function fullyMasked(field: MetaFlowField, mask: Uint8Array): boolean {
  return field.name === 'ip_frag' && mask[0] === 3
}

const fieldsOf = (...names: FieldName[]): MetaFlowField[] => names.map((name) => FIELDS[MFF[name]])

// In the order in which they are written.
const PACKET_TYPE = fieldsOf('packet_type')
const PIPELINE_NXM = fieldsOf('dp_hash', 'recirc_id', 'conj_id', 'in_port', 'actset_output')
const PIPELINE_OXM = fieldsOf('dp_hash', 'recirc_id', 'conj_id', 'in_port_oxm', 'actset_output')
const ETHERNET = fieldsOf('eth_src', 'eth_dst', 'eth_type')
const TCI = fieldsOf('vlan_tci')
const MPLS = fieldsOf('mpls_tc', 'mpls_bos', 'mpls_ttl', 'mpls_label')
const IPV4 = fieldsOf('ip_src', 'ip_dst')
const IPV6 = fieldsOf('ipv6_src', 'ipv6_dst')
const IP_NXM = fieldsOf('ip_frag', 'nw_tos', 'nw_ecn', 'nw_ttl')
const IP_OXM = fieldsOf('ip_frag', 'ip_dscp', 'nw_ecn', 'nw_ttl')
const IPV6_LABEL = fieldsOf('ipv6_label')
const PROTOCOL = fieldsOf('nw_proto')
const TCP = fieldsOf('tcp_src', 'tcp_dst', 'tcp_flags')
const UDP = fieldsOf('udp_src', 'udp_dst')
const SCTP = fieldsOf('sctp_src', 'sctp_dst')
const ICMP = fieldsOf('icmp_type', 'icmp_code')
const ICMPV6 = fieldsOf('icmpv6_type', 'icmpv6_code')
const SOLICITATION = fieldsOf('nd_reserved', 'nd_target', 'nd_options_type', 'nd_sll')
const ADVERTISEMENT = fieldsOf('nd_reserved', 'nd_target', 'nd_options_type', 'nd_tll')
const ARP = fieldsOf('arp_op', 'arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha')
const TUNNEL = fieldsOf(
  ...(['tun_id', 'tun_flags', 'tun_src', 'tun_dst', 'tun_ipv6_src', 'tun_ipv6_dst'] as const),
  ...(['tun_gbp_id', 'tun_gbp_flags'] as const),
)
const TUNNEL_KINDS = fieldsOf(
  ...(['tun_erspan_idx', 'tun_erspan_ver', 'tun_erspan_dir', 'tun_erspan_hwid'] as const),
  ...(['tun_gtpu_flags', 'tun_gtpu_msgtype'] as const),
)
const NSH = fieldsOf(
  ...(['nsh_flags', 'nsh_ttl', 'nsh_mdtype', 'nsh_np', 'nsh_spi', 'nsh_si'] as const),
  ...(['nsh_c1', 'nsh_c2', 'nsh_c3', 'nsh_c4'] as const),
)
const REGS = fieldsOf(...Array.from({ length: 16 }, (_, i) => `reg${i}` as FieldName))
const XREGS = fieldsOf(...Array.from({ length: 8 }, (_, i) => `xreg${i}` as FieldName))
const CONNECTION = fieldsOf(
  ...(['pkt_mark', 'ct_state', 'ct_zone', 'ct_mark', 'ct_label'] as const),
  ...(['ct_nw_src', 'ct_ipv6_src', 'ct_nw_dst', 'ct_ipv6_dst'] as const),
)
const CONNECTION_PORTS = fieldsOf('ct_nw_proto', 'ct_tp_src', 'ct_tp_dst')
const METADATA = fieldsOf('metadata')

function putVlan(e: EntryWriter, match: Match, version: number): void {
  if (version === 0) {
    e.put(TCI)
    return
  }
  const tci = match.value[W_VLAN] >>> 16
  const mask = match.mask[W_VLAN] >>> 16
  const vidMask = mask & 0x1fff
  const vid = tci & 0x1fff
  const two = (v: number): Uint8Array => Uint8Array.of(v >>> 8, v)
  if (vidMask !== 0) e.entry(FIELDS[MFF.vlan_vid], two(vid), vidMask === 0x1fff ? undefined : two(vidMask))
  if (vid !== 0 && mask >>> 13 !== 0) e.entry(FIELDS[MFF.vlan_pcp], Uint8Array.of(tci >>> 13))
}

function putIp(e: EntryWriter, match: Match, version: number, ethType: number): void {
  e.put(ethType === ETH_IPV4 ? IPV4 : IPV6)
  e.put(version === 0 ? IP_NXM : IP_OXM)
  if (ethType !== ETH_IPV4) e.put(IPV6_LABEL)
  if (match.mask[W_NW] >>> 24 === 0) return
  e.put(PROTOCOL)
  const protocol = match.value[W_NW] >>> 24
  if (protocol === 6) e.put(TCP)
  else if (protocol === 17) e.put(UDP)
  else if (protocol === 132) e.put(SCTP)
  else if (protocol === 1 && ethType === ETH_IPV4) e.put(ICMP)
  else if (protocol === 58 && ethType !== ETH_IPV4) {
    e.put(ICMPV6)
    const tp = match.value[W_TP]
    const type = tp >>> 16
    if ((type !== 135 && type !== 136) || (tp & 0xffff) !== 0) return
    e.put(type === 135 ? SOLICITATION : ADVERTISEMENT)
  }
}

function putTunnel(e: EntryWriter, match: Match): void {
  e.put(TUNNEL)
  for (const { index, value, mask } of match.tunMetadata ?? []) {
    e.entry(FIELDS[MFF.tun_metadata0 + index], value, mask)
  }
  e.put(TUNNEL_KINDS)
}

/** Writes the entries of a match, unpadded. `version` 0: NXM; else the OpenFlow version. Returns their length. */
export function encodeOxmFields(w: ByteWriter, match: Match, version: number, cookie?: CookieMatch): number {
  const start = w.length
  const e = new EntryWriter(w, match, version)
  const ethType = flowEthType(match.value)
  const ethernet = hasDefaultPacketType(match)
  if (match.mask[W_PACKET_TYPE] !== 0 && !ethernet) e.put(PACKET_TYPE)
  e.put(version === 0 ? PIPELINE_NXM : PIPELINE_OXM)
  e.put(ETHERNET)
  putVlan(e, match, version)
  if (isMpls(ethType)) e.put(MPLS)
  if (isIp(ethType)) putIp(e, match, version, ethType)
  else if (isArp(ethType)) e.put(ARP)
  putTunnel(e, match)
  if (ethType === ETH_NSH) e.put(NSH)
  e.put(version < OF15 ? REGS : XREGS)
  e.put(CONNECTION)
  if (match.value[W_CT_NW_PROTO] !== 0) e.put(CONNECTION_PORTS)
  e.put(METADATA)
  if (cookie !== undefined && cookie.mask !== 0n) {
    const masked = cookie.mask !== FULL_MASK
    w.u16(NXM_COOKIE_CLASS)
      .u8((NXM_COOKIE_FIELD << 1) | (masked ? 1 : 0))
      .u8(masked ? 16 : 8)
    w.u64(cookie.cookie & cookie.mask)
    if (masked) w.u64(cookie.mask)
  }
  // An Ethernet packet is meant, but nothing in the match implies it.
  if (ethernet && !e.impliedEthernet) {
    w.insert(start, Uint8Array.of(0x80, 0x00, 44 << 1, 4, 0, 0, 0, 0))
  }
  return w.length - start
}

/** Writes entries padded to 8 bytes, as in Nicira messages; returns their unpadded length (match_len). */
export function encodeNxmMatch(w: ByteWriter, match: Match, cookie?: CookieMatch): number {
  const start = w.length
  const length = encodeOxmFields(w, match, 0, cookie)
  w.pad8(start)
  return length
}

/** Writes a whole padded ofp_match of OpenFlow 1.2 and later. */
export function encodeOxmMatch(w: ByteWriter, match: Match, version: number): void {
  const start = w.length
  w.u16(OXM_TYPE).u16(0)
  const length = encodeOxmFields(w, match, version)
  w.patch16(start + 2, length + 4)
  w.pad8(start)
}
