/**
 * Actions from bytes. Never throws; the first fault ends the list and is what the switch answers. The codes are
 * Open vSwitch's, as is what it refuses although the specification has it (PBB, copy_ttl).
 */

import { FIELDS, MFF } from '../meta-flow.ts'
import { u16, u32 } from '../wire/big-endian.ts'
import type { OfAction, SetFieldAction, Subfield } from './action.ts'
import { decodeNicira } from './action-decode-nicira.ts'
import { OFPAT_EXPERIMENTER } from './action-header.ts'
import type { NatMarker } from './ct-codec.ts'
import { fault, isFault, NX_VENDOR, type OfFault, ONF_VENDOR } from './error.ts'
import { ones, valueIsValid } from './match-field.ts'
import { niciraLength } from './nicira-actions.ts'
import { readOxmHeader } from './oxm.ts'
import { OFPP_IN_PORT, OFPP_LOCAL, OFPP_MAX, portFromOf10, portFromOf11 } from './port.ts'
import { isMpls } from './prerequisites.ts'
import { destinationRefusal, sourceRefusal } from './subfield.ts'
import { OF10, OF12, OF13, OF14, OF15, type OfVersion } from './version.ts'

/** What the list that is being decoded may hold besides actions. */
export type Decoded = OfAction | NatMarker

/** How deep clone() and ct() may be nested in what comes from the wire. */
const MAX_NESTING = 64

export const zeros = (b: Uint8Array, o: number, end: number): boolean => {
  for (; o < end; o++) if (b[o] !== 0) return false
  return true
}

/** Whether a packet may be output there: an ordinary port or one of OpenFlow's, but not ANY. */
export function outputPortIsValid(port: number): boolean {
  return port < OFPP_MAX || (port >= OFPP_IN_PORT && port !== 0xffff_ffff)
}

function output(port: number | undefined, maxLen: number): OfAction | OfFault {
  if (port === undefined || !outputPortIsValid(port)) return fault('OFPBAC_BAD_OUT_PORT')
  return { type: 'output', port, maxLen }
}

/** A variable field's value with zeros before it; unmasked, these count too. */
function widened(
  bytes: number,
  value: Uint8Array,
  mask: Uint8Array,
  masked: boolean,
): Pick<SetFieldAction, 'value' | 'mask'> {
  const wide = { value: new Uint8Array(bytes), mask: masked ? new Uint8Array(bytes) : ones(bytes) }
  wide.value.set(value, bytes - value.length)
  wide.mask.set(mask, bytes - mask.length)
  return wide
}

/** An entry (header, value, mask) in the action that ends at `end`, with nothing but zeros behind it. */
export function readSetField(
  b: Uint8Array,
  o: number,
  end: number,
  as: SetFieldAction['as'],
  mayMask: boolean,
): SetFieldAction | OfFault {
  const h = readOxmHeader(b, o, end)
  if (isFault(h)) return h
  if (h.field === undefined) return fault(h.badLength ? 'OFPBAC_BAD_SET_LEN' : 'OFPBAC_BAD_SET_TYPE')
  if (h.payload > end - h.at) return fault('OFPBMC_BAD_LEN')
  const width = h.masked ? h.payload >>> 1 : h.payload
  const value = b.slice(h.at, h.at + width)
  const mask = h.masked ? b.slice(h.at + width, h.at + 2 * width) : ones(width)
  if (value.some((x, i) => (x & ~mask[i]) !== 0)) return fault('OFPBMC_BAD_WILDCARDS')
  if (h.masked && !mayMask) return fault('OFPBAC_BAD_SET_MASK')
  if (!zeros(b, h.at + h.payload, end)) return fault('OFPBAC_BAD_SET_ARGUMENT')
  if (h.field.variable)
    return { type: 'set_field', field: h.field.id, ...widened(h.field.bytes, value, mask, h.masked), as }
  return { type: 'set_field', field: h.field.id, value, mask, as }
}

/** OFPAT_SET_FIELD of 1.2 (whole fields) and 1.5 (with masks). */
function setField(b: Uint8Array, o: number, end: number, version: number): SetFieldAction | OfFault {
  const a = readSetField(b, o + 4, end, 'set_field', version >= OF15)
  if (isFault(a)) return a
  const field = FIELDS[a.field]
  const bad = fault('OFPBAC_BAD_SET_ARGUMENT')
  if (a.field === MFF.in_port_oxm || !field.writable || !valueIsValid(field, a.value)) return bad
  // OFPVID_PRESENT must be set, and be set by the mask.
  if (a.field === MFF.vlan_vid && (a.value[0] & a.mask[0] & 0x10) === 0) return bad
  return a
}

export function readField(b: Uint8Array, o: number, end: number): { field: number; at: number } | OfFault {
  const h = readOxmHeader(b, o, end)
  if (isFault(h)) return h
  if (h.field === undefined) return fault('OFPBMC_BAD_FIELD')
  if (h.masked) return fault('OFPBMC_BAD_MASK')
  return { field: h.field.id, at: h.at }
}

/** Two headers and zeros to the end, with numbers of bits and offsets from elsewhere. */
export function readMove(
  b: Uint8Array,
  o: number,
  end: number,
  [nBits, srcOfs, dstOfs]: readonly [number, number, number],
): OfAction | OfFault {
  const s = readField(b, o, end)
  if (isFault(s)) return s
  const d = readField(b, s.at, end)
  if (isFault(d)) return d
  if (!zeros(b, d.at, end)) return fault('NXBRC_MUST_BE_ZERO')
  const src: Subfield = { field: s.field, ofs: srcOfs, nBits }
  const dst: Subfield = { field: d.field, ofs: dstOfs, nBits }
  const error = sourceRefusal(src) ?? destinationRefusal(dst)
  return error === undefined ? { type: 'move', src, dst } : fault(error)
}

const threes = (b: Uint8Array, o: number): [number, number, number] => [
  u16(b, o),
  u16(b, o + 2),
  u16(b, o + 4),
]

function mac(b: Uint8Array, o: number, type: 'set_eth_src' | 'set_eth_dst'): OfAction {
  return { type, mac: b.slice(o + 4, o + 10) }
}

const bounded = (ok: boolean, a: OfAction): OfAction | OfFault => (ok ? a : fault('OFPBAC_BAD_ARGUMENT'))

/** What 1.0 and 1.1 number differently but mean alike. `n` is 1.1's number. */
function common(b: Uint8Array, o: number, n: number, of10: boolean): OfAction | OfFault {
  const w = u16(b, o + 4)
  const byte = b[o + 4]
  switch (n) {
    case 1:
      return bounded(w <= 0xfff, { type: 'set_vlan_vid', vid: w, pushIfNeeded: of10 })
    case 2:
      return bounded(byte <= 7, { type: 'set_vlan_pcp', pcp: byte, pushIfNeeded: of10 })
    case 3:
      return mac(b, o, 'set_eth_src')
    case 4:
      return mac(b, o, 'set_eth_dst')
    case 5:
      return { type: 'set_ipv4_src', address: u32(b, o + 4) }
    case 6:
      return { type: 'set_ipv4_dst', address: u32(b, o + 4) }
    case 7:
      return bounded((byte & 3) === 0, { type: 'set_ip_dscp', value: byte })
    case 8:
      return bounded(byte <= 3, { type: 'set_ip_ecn', value: byte })
    case 9:
      return { type: 'set_l4_src_port', value: w }
    case 10:
      return { type: 'set_l4_dst_port', value: w }
    default:
      return fault('OFPBAC_BAD_TYPE')
  }
}

/** OpenFlow 1.0's numbers in 1.1's: the strip_vlan at 3 pushes the rest up, and there is no set_nw_ecn. */
const OF10_COMMON: readonly number[] = [0, 1, 2, 0, 3, 4, 5, 6, 7, 9, 10]

function decodeOf10(b: Uint8Array, o: number, type: number): OfAction | OfFault {
  if (type === 0) return output(portFromOf10(u16(b, o + 4)), u16(b, o + 6))
  if (type === 3) return { type: 'strip_vlan', pop: false }
  if (type !== 11) return common(b, o, OF10_COMMON[type], true)
  const port = portFromOf10(u16(b, o + 4))
  if (port >= OFPP_MAX && port !== OFPP_IN_PORT && port !== OFPP_LOCAL) return fault('OFPBAC_BAD_OUT_PORT')
  return { type: 'enqueue', port, queue: u32(b, o + 12) }
}

function decodeOf11(
  b: Uint8Array,
  o: number,
  end: number,
  type: number,
  version: OfVersion,
): OfAction | OfFault {
  const w = u16(b, o + 4)
  switch (type) {
    case 0:
      return output(portFromOf11(u32(b, o + 4)), u16(b, o + 8))
    case 13:
      return bounded(u32(b, o + 4) <= 0xf_ffff, { type: 'set_mpls_label', label: u32(b, o + 4) })
    case 14:
      return bounded(b[o + 4] <= 7, { type: 'set_mpls_tc', tc: b[o + 4] })
    case 15:
      return { type: 'set_mpls_ttl', ttl: b[o + 4] }
    case 16:
      return { type: 'dec_mpls_ttl' }
    case 17:
      return bounded(w === 0x8100 || w === 0x88a8, { type: 'push_vlan', ethertype: w })
    case 18:
      return { type: 'strip_vlan', pop: true }
    case 19:
      return bounded(isMpls(w), { type: 'push_mpls', ethertype: w })
    case 20:
      return { type: 'pop_mpls', ethertype: w }
    case 21:
      return { type: 'set_queue', queue: u32(b, o + 4) }
    case 22:
      return { type: 'group', group: u32(b, o + 4) }
    case 23:
      return { type: 'set_ip_ttl', value: b[o + 4] }
    case 24:
      return { type: 'dec_ttl', controllerIds: [0], withIds: false }
    case 25:
      return setField(b, o, end, version)
    case 28:
      return readMove(b, o + 12, end, threes(b, o + 4))
    case 29:
      return { type: 'meter', meter: u32(b, o + 4) }
    default:
      return common(b, o, type, false)
  }
}

/** Length of each standard action of a version, 0 where there is none, negative for "at least". */
function standardLength(type: number, version: OfVersion): number {
  if (version === OF10) return type > 11 ? 0 : type === 4 || type === 5 || type === 11 ? 16 : 8
  if (type === 25) return version >= OF12 ? -8 : 0
  if (type === 28) return version >= OF15 ? -16 : 0
  if (type === 29) return version >= OF15 ? 8 : 0
  if (type === 11 || type === 12 || type > 24) return 0
  return type === 0 || type === 3 || type === 4 ? 16 : 8
}

function onfCopyField(b: Uint8Array, o: number, end: number, version: number): OfAction | OfFault {
  if (u16(b, o + 8) !== 3200 || (version !== OF13 && version !== OF14)) return fault('OFPBAC_BAD_VENDOR_TYPE')
  if (end - o < 24) return fault('OFPBAC_BAD_LEN')
  return readMove(b, o + 20, end, threes(b, o + 12))
}

function decodeOne(
  b: Uint8Array,
  o: number,
  end: number,
  version: OfVersion,
  depth: number,
): Decoded | OfFault {
  const type = u16(b, o)
  if (type === OFPAT_EXPERIMENTER) {
    const vendor = u32(b, o + 4)
    if (vendor !== NX_VENDOR && vendor !== ONF_VENDOR) return fault('OFPBAC_BAD_VENDOR')
    if (end - o < 16) return fault('OFPBAC_BAD_LEN')
    if (vendor === NX_VENDOR && niciraLength(u16(b, o + 8), version) === 0)
      return fault('OFPBAC_BAD_VENDOR_TYPE')
  } else if (standardLength(type, version) === 0) return fault('OFPBAC_BAD_TYPE')
  const length = u16(b, o + 2)
  if (length > end - o || length < 8 || length % 8 !== 0) return fault('OFPBAC_BAD_LEN')
  if (type === OFPAT_EXPERIMENTER) {
    if (length < 16) return fault('OFPBAC_BAD_LEN')
    return u32(b, o + 4) === ONF_VENDOR
      ? onfCopyField(b, o, o + length, version)
      : decodeNicira(b, o, length, version, depth)
  }
  const expected = standardLength(type, version)
  if (expected < 0 ? length < -expected : length !== expected) return fault('OFPBAC_BAD_LEN')
  return version === OF10 ? decodeOf10(b, o, type) : decodeOf11(b, o, o + length, type, version)
}

/** Decodes the bytes from `o` to `end` as a list in which `nat` may stand (ct's). */
export function decodeList(
  b: Uint8Array,
  o: number,
  end: number,
  version: OfVersion,
  depth: number,
): Decoded[] | OfFault {
  if ((end - o) % 8 !== 0) return fault('OFPBRC_BAD_LEN')
  if (depth > MAX_NESTING) return fault('OFPBAC_TOO_MANY')
  const list: Decoded[] = []
  while (o < end) {
    const a = decodeOne(b, o, end, version, depth)
    if (isFault(a)) return a
    list.push(a)
    o += u16(b, o + 2)
  }
  return list
}
