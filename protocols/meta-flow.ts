/**
 * The table of match fields, ovs-fields(7): what they are called, how wide they are on the wire and in text,
 * where they lie in the words of a flow (flow-key.ts), what must hold for them to be there, and how NXM and
 * OXM number them. Everything that speaks of fields is driven by it: codecs, text, translation.
 *
 * Several fields may share bits (vlan_tci, vlan_vid and dl_vlan; reg0, xreg0 and xxreg0). What Open vSwitch
 * refuses (PBB, ipv6_exthdr) is not here.
 *
 * The words of a flow are read as one string of bits, the most significant bit of word 0 first; `at` counts in
 * it. The value of a field is an unsigned number of `bytes` bytes in network order.
 */

import { FLOW_WORDS, W_IN_PORT } from './flow-key.ts'
import { type FieldName, ROWS } from './meta-flow-rows.ts'
import { portFromOf10, portToOf10 } from './openflow/port.ts'

export type { FieldName } from './meta-flow-rows.ts'

/** Index into FIELDS. Not stable across versions of the program: never on a wire. */
export type FieldId = number

/** What the rest of the match must say before a field may stand in it (ovs-fields(7), "Prerequisites"). */
export type Prerequisite =
  | 'none'
  | 'ethernet'
  | 'arp'
  | 'ipv4'
  | 'ipv6'
  | 'vlan'
  | 'mpls'
  | 'ip'
  | 'nsh'
  | 'ct'
  | 'tcp'
  | 'udp'
  | 'sctp'
  | 'icmpv4'
  | 'icmpv6'
  | 'nd'
  | 'nd_solicit'
  | 'nd_advert'

export type TextForm =
  | 'decimal'
  | 'hexadecimal'
  | 'ethernet'
  | 'ipv4'
  | 'ipv6'
  | 'port10'
  | 'port'
  | 'frag'
  | 'tunnel_flags'
  | 'tcp_flags'
  | 'ct_state'
  | 'packet_type'

/** A number that NXM or OXM gives a field. */
export interface OxmId {
  name: string
  class: number
  field: number
  /** 0 unless class is 0xffff. */
  experimenter: number
  /** 0 for NXM; else the OpenFlow version (its byte in the header) that first has it. */
  since: number
}

export interface MetaFlowField {
  id: FieldId
  name: FieldName
  /** The first is what dump-flows prints where it differs from `name`. */
  aliases: readonly string[]
  /** On the wire. */
  bytes: number
  /** Of them may be non-zero: a subfield's limit. */
  bits: number
  /** Of the flow's bits the first, and how many the field takes there (more than `bits` for ICMP types). */
  at: number
  width: number
  maskable: boolean
  writable: boolean
  prerequisite: Prerequisite
  form: TextForm
  oxm: readonly OxmId[]
  /** tun_metadata: the TLV table says how long it is and where it lies; `bytes` is the most. */
  variable: boolean
  /** Low bits of the value that are always 0 and not stored: 2 for nw_tos, which is a DSCP. */
  low: number
}

export const FIELDS: readonly MetaFlowField[] = ROWS.map((row, id) => ({ id, ...row }))

const byName = new Map<string, MetaFlowField>()
for (const f of FIELDS) for (const n of [f.name, ...f.aliases]) byName.set(n, f)

/** By name or alias, as match fields are called in text. */
export function fieldByName(name: string): MetaFlowField | undefined {
  return byName.get(name)
}

/** FieldId of each field: MFF.reg0, MFF.eth_src … */
export const MFF = Object.fromEntries(FIELDS.map((f) => [f.name, f.id])) as Record<FieldName, FieldId>

/** Class and field number in one, and above them the experimenter. */
const oxmKey = (experimenter: number, oxmClass: number, field: number): number =>
  experimenter === 0 ? (oxmClass << 7) | field : experimenter * 2 ** 23 + ((oxmClass << 7) | field)
const byOxm = new Map<number, MetaFlowField>()
const byOxmName = new Map<string, MetaFlowField>()
for (const f of FIELDS) {
  for (const o of f.oxm) {
    byOxm.set(oxmKey(o.experimenter, o.class, o.field), f)
    byOxmName.set(o.name, f)
  }
}

/** By what stands in a header: `oxmClass` 0xffff with its experimenter, else 0. */
export function fieldByOxm(oxmClass: number, field: number, experimenter = 0): MetaFlowField | undefined {
  return byOxm.get(oxmKey(experimenter, oxmClass, field))
}

/** NXM_NX_REG0, OXM_OF_ETH_TYPE …: as subfields are written. */
export function fieldByOxmName(name: string): MetaFlowField | undefined {
  return byOxmName.get(name)
}

/**
 * The id to write: in OpenFlow `version`, or with 0 the NXM one if there is any. Undefined for fields that have
 * none (skb_priority, tun_tos, dl_vlan …).
 */
export function oxmOf(field: MetaFlowField, version: number): OxmId | undefined {
  const { oxm } = field
  if (version === 0) return oxm.find((o) => o.since === 0) ?? oxm[0]
  let best: OxmId | undefined
  for (const o of oxm) {
    if (o.since !== 0 && o.since <= version && (best === undefined || o.since > best.since)) best = o
  }
  return best ?? oxm.find((o) => o.since === 0) ?? oxm[0]
}

/** Bits of a flow that a field of up to 32 bits takes, as an unsigned number (of nw_tos the DSCP). No allocation. */
export function readNumber(words: Uint32Array, field: MetaFlowField): number {
  const { at, width } = field
  const last = at + width
  const w = last >>> 5
  const low = last & 31
  // The field ends inside word w (low bits of it used) or exactly at its beginning.
  if (low === 0) {
    const v = words[w - 1]
    return width === 32 ? v : v & ((1 << width) - 1)
  }
  const v = words[w] >>> (32 - low)
  if (width <= low) return v & ((1 << width) - 1)
  const high = words[w - 1] & ((1 << (width - low)) - 1)
  return (high * 2 ** low + v) >>> 0
}

/** Sets them. No allocation. */
export function writeNumber(words: Uint32Array, field: MetaFlowField, value: number): void {
  const { at, width } = field
  const last = at + width
  const w = last >>> 5
  const low = last & 31
  if (low === 0) {
    if (width === 32) words[w - 1] = value
    else {
      const mask = (1 << width) - 1
      words[w - 1] = (words[w - 1] & ~mask) | (value & mask)
    }
    return
  }
  const shift = 32 - low
  if (width <= low) {
    const mask = (2 ** width - 1) << shift
    words[w] = (words[w] & ~mask) | ((value << shift) & mask)
    return
  }
  const highMask = (1 << (width - low)) - 1
  words[w] = (words[w] & ((1 << shift) - 1)) | (value << shift)
  words[w - 1] = (words[w - 1] & ~highMask) | (Math.floor(value / 2 ** low) & highMask)
}

/**
 * The value as on the wire, `field.bytes` long: from the flow's words, or bits of a mask. in_port of 16 bits is
 * translated from the 32-bit number; tun_metadata is not to be read this way.
 */
export function readField(words: Uint32Array, field: MetaFlowField): Uint8Array {
  const { bytes, at, width } = field
  const out = new Uint8Array(bytes)
  if (field.name === 'in_port') {
    const port = portToOf10(words[W_IN_PORT]) ?? 0xffff
    out[0] = port >>> 8
    out[1] = port
    return out
  }
  if (width <= 32) {
    let v = readNumber(words, field) << field.low
    for (let i = bytes - 1; i >= 0; i--) {
      out[i] = v
      v >>>= 8
    }
    return out
  }
  // Wider fields begin at a byte.
  for (let i = 0; i < bytes; i++) {
    const bit = at + 8 * i
    out[i] = words[bit >>> 5] >>> (24 - (bit & 31))
  }
  return out
}

/** The opposite: `value` has `field.bytes` bytes. */
export function writeField(words: Uint32Array, field: MetaFlowField, value: Uint8Array): void {
  const { bytes, at, width } = field
  if (field.name === 'in_port') {
    words[W_IN_PORT] = portFromOf10((value[0] << 8) | value[1])
    return
  }
  if (width <= 32) {
    let v = 0
    for (let i = 0; i < bytes; i++) v = ((v << 8) | value[i]) >>> 0
    writeNumber(words, field, v >>> field.low)
    return
  }
  for (let i = 0; i < bytes; i++) {
    const bit = at + 8 * i
    const shift = 24 - (bit & 31)
    const w = bit >>> 5
    words[w] = (words[w] & ~(0xff << shift)) | (value[i] << shift)
  }
}

/** Sets the field's bits of `words` to 1: that a translation looked at it, or that it must match exactly. */
export function fillField(words: Uint32Array, field: MetaFlowField): void {
  let { at, width } = field
  while (width > 0) {
    const offset = at & 31
    const n = Math.min(32 - offset, width)
    words[at >>> 5] |= n === 32 ? 0xffff_ffff : ((1 << n) - 1) << (32 - offset - n)
    at += n
    width -= n
  }
}

/** Whether none of the field's bits is set in `words`. */
export function fieldIsClear(words: Uint32Array, field: MetaFlowField): boolean {
  let { at, width } = field
  while (width > 0) {
    const offset = at & 31
    const n = Math.min(32 - offset, width)
    const mask = n === 32 ? 0xffff_ffff : ((1 << n) - 1) << (32 - offset - n)
    if ((words[at >>> 5] & mask) !== 0) return false
    at += n
    width -= n
  }
  return true
}

/** An empty flow, all words 0. */
export function newFlow(): Uint32Array {
  return new Uint32Array(FLOW_WORDS)
}
