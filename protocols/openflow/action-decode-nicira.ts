/** Nicira's extension actions from bytes. */

import { FIELDS } from '../meta-flow.ts'
import { u16, u32 } from '../wire/big-endian.ts'
import {
  type BundleAction,
  type ControllerAction,
  type EncapProperty,
  HASH_FIELDS,
  MULTIPATH_ALGORITHMS,
  type OfAction,
  type SampleAction,
  type Subfield,
  TABLE_CURRENT,
} from './action.ts'
import {
  type Decoded,
  decodeList,
  outputPortIsValid,
  readField,
  readMove,
  readSetField,
  zeros,
} from './action-decode.ts'
import { CT_FIXED, ctHeaderFault, decodeCt, decodeNat } from './ct-codec.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { decodeLearn } from './learn-codec.ts'
import { niciraLength } from './nicira-actions.ts'
import { fieldOfNxmHeader } from './oxm.ts'
import { OFPP_CONTROLLER, OFPP_NONE, portFromOf10 } from './port.ts'
import { isMpls } from './prerequisites.ts'
import { bigOf, bytesOf, destinationRefusal, putBits, sourceRefusal } from './subfield.ts'
import type { OfVersion } from './version.ts'

const BAD_ARGUMENT = (): OfFault => fault('OFPBAC_BAD_ARGUMENT')
const MUST_BE_ZERO = (): OfFault => fault('NXBRC_MUST_BE_ZERO')

function subfield(header: number, ofs: number, nBits: number): Subfield | OfFault {
  const field = fieldOfNxmHeader(header)
  return field === undefined ? fault('OFPBAC_BAD_SET_TYPE') : { field: field.id, ofs, nBits }
}

/** A subfield whose place is `ofs << 6 | n_bits - 1`. */
function packed(header: number, place: number): Subfield | OfFault {
  return subfield(header, place >>> 6, (place & 0x3f) + 1)
}

function controller2(b: Uint8Array, o: number, end: number): OfAction | OfFault {
  if (!zeros(b, o + 10, o + 16)) return MUST_BE_ZERO()
  const a: ControllerAction = {
    type: 'controller',
    maxLen: 0xffff,
    controllerId: 0,
    reason: 1,
    userdata: new Uint8Array(0),
    pause: false,
    meterId: 0,
    v2: true,
  }
  for (let p = o + 16; p < end; ) {
    if (end - p < 4) return fault('OFPBPC_BAD_LEN')
    const type = u16(b, p)
    const length = u16(b, p + 2)
    const next = p + ((length + 7) & ~7)
    if (length < 4 || next > end) return fault('OFPBPC_BAD_LEN')
    const payload = length - 4
    const sizes = [2, 2, 1, payload, payload, 4]
    if (type >= sizes.length) return fault('OFPBPC_BAD_TYPE')
    // Numbers may be padded; in userdata anything goes.
    if (payload < sizes[type]) return fault('OFPBPC_BAD_LEN')
    if (type === 0) a.maxLen = u16(b, p + 4)
    else if (type === 1) a.controllerId = u16(b, p + 4)
    else if (type === 2) a.reason = b[p + 4]
    else if (type === 3) a.userdata = b.slice(p + 4, p + length)
    else if (type === 4) a.pause = true
    else a.meterId = u32(b, p + 4)
    p = next
  }
  return a
}

function bundle(b: Uint8Array, o: number, length: number, load: boolean): OfAction | OfFault {
  const fields = HASH_FIELDS[u16(b, o + 12)]
  const algorithm = u16(b, o + 10)
  const n = u16(b, o + 20)
  let bad = fields === undefined || algorithm > 1 || n > 2048 || u32(b, o + 16) !== 0x0000_0002
  bad ||= !zeros(b, o + 28, o + 32)
  let dst: Subfield | undefined
  if (load) {
    const d = packed(u32(b, o + 24), u16(b, o + 22))
    if (isFault(d)) return d
    bad ||= d.nBits < 16
    dst = d
  } else bad ||= u16(b, o + 22) !== 0 || u32(b, o + 24) !== 0
  if (length - 32 < 2 * n) return fault('OFPBAC_BAD_LEN')
  if (bad) return BAD_ARGUMENT()
  const members = Array.from({ length: n }, (_, i) => portFromOf10(u16(b, o + 32 + 2 * i)))
  const refused = dst === undefined ? undefined : destinationRefusal(dst)
  if (refused !== undefined) return fault(refused)
  if (members.some((m) => m === OFPP_CONTROLLER || (m !== OFPP_NONE && !outputPortIsValid(m)))) {
    return fault('OFPBAC_BAD_OUT_PORT')
  }
  const a: BundleAction = {
    type: 'bundle',
    fields,
    basis: u16(b, o + 14),
    algorithm: algorithm === 1 ? 'hrw' : 'active_backup',
    members,
  }
  if (dst !== undefined) a.dst = dst
  return a
}

function multipath(b: Uint8Array, o: number): OfAction | OfFault {
  const dst = packed(u32(b, o + 28), u16(b, o + 26))
  if (isFault(dst)) return dst
  const fields = HASH_FIELDS[u16(b, o + 10)]
  const algorithm = MULTIPATH_ALGORITHMS[u16(b, o + 16)]
  const links = u16(b, o + 18) + 1
  if (fields === undefined || algorithm === undefined || 2 ** dst.nBits < links) return BAD_ARGUMENT()
  const refused = destinationRefusal(dst)
  if (refused !== undefined) return fault(refused)
  return { type: 'multipath', fields, basis: u16(b, o + 12), algorithm, links, arg: u32(b, o + 20), dst }
}

function regLoad(b: Uint8Array, o: number): OfAction | OfFault {
  const dst = packed(u32(b, o + 12), u16(b, o + 10))
  if (isFault(dst)) return dst
  const refused = destinationRefusal(dst)
  if (refused !== undefined) return fault(refused)
  const v = bigOf(b.subarray(o + 16, o + 24))
  if (v >> BigInt(dst.nBits) !== 0n) return BAD_ARGUMENT()
  const { bytes } = FIELDS[dst.field]
  const mask = new Uint8Array(bytes)
  putBits(mask, dst.ofs, dst.nBits, (1n << BigInt(dst.nBits)) - 1n)
  return {
    type: 'set_field',
    field: dst.field,
    value: bytesOf(v << BigInt(dst.ofs), bytes),
    mask,
    as: 'load',
  }
}

function sample(b: Uint8Array, o: number, form: 1 | 2 | 3): OfAction | OfFault {
  const direction = form === 3 ? b[o + 26] : 0
  if (form === 3 && !zeros(b, o + 27, o + 32)) return MUST_BE_ZERO()
  if (u16(b, o + 10) === 0 || direction > 2) return BAD_ARGUMENT()
  const a: SampleAction = {
    type: 'sample',
    probability: u16(b, o + 10),
    collectorSetId: u32(b, o + 12),
    obsDomainId: u32(b, o + 16),
    obsPointId: u32(b, o + 20),
    samplingPort: form === 1 ? OFPP_NONE : portFromOf10(u16(b, o + 24)),
    direction: (['default', 'ingress', 'egress'] as const)[direction],
    form,
  }
  return a
}

const PT_NSH = 0x0001_894f

function encap(b: Uint8Array, o: number, end: number): OfAction | OfFault {
  const packetType = u32(b, o + 12)
  const known =
    packetType === 0 || packetType === PT_NSH || (packetType >>> 16 === 1 && isMpls(packetType & 0xffff))
  if (!known) return fault('NXBAC_BAD_HEADER_TYPE')
  const properties: EncapProperty[] = []
  for (let p = o + 16; p < end; ) {
    const length = end - p < 4 ? 0 : b[p + 3]
    const next = p + ((length + 7) & ~7)
    if (length < 4 || next > end) return fault('OFPBAC_BAD_LEN')
    const type = b[p + 2]
    if (u16(b, p) !== 4 || type < 1 || type > 2) return fault('NXBAC_UNKNOWN_ED_PROP')
    const whole = type === 1 ? length <= 8 : length >= 8 && length === 8 + ((b[p + 7] + 7) & ~7)
    if (!whole) return fault('NXBAC_BAD_ED_PROP')
    // An md_type is one byte, whatever padding was counted.
    properties.push({ class: 4, type, data: b.slice(p + 4, type === 1 ? p + 5 : p + length) })
    p = next
  }
  return { type: 'encap', packetType, properties }
}

function oneSubfield(b: Uint8Array, o: number, end: number, ofs: number, nBits: number): Subfield | OfFault {
  const f = readField(b, o, end)
  if (isFault(f)) return f
  return zeros(b, f.at, end) ? { field: f.field, ofs, nBits } : MUST_BE_ZERO()
}

function stack(b: Uint8Array, o: number, type: 'push' | 'pop'): OfAction | OfFault {
  const f = readField(b, o + 12, o + 24)
  if (isFault(f)) return f
  if (!zeros(b, f.at + 2, o + 24)) return MUST_BE_ZERO()
  const subfield = { field: f.field, ofs: u16(b, o + 10), nBits: u16(b, f.at) }
  const refused = type === 'push' ? sourceRefusal(subfield) : destinationRefusal(subfield)
  return refused === undefined ? { type, subfield } : fault(refused)
}

function decTtl(b: Uint8Array, o: number, length: number): OfAction | OfFault {
  const n = u16(b, o + 10)
  if (!zeros(b, o + 12, o + 16)) return MUST_BE_ZERO()
  if (length - 16 < 2 * n) return fault('OFPBAC_BAD_LEN')
  return {
    type: 'dec_ttl',
    controllerIds: Array.from({ length: n }, (_, i) => u16(b, o + 16 + 2 * i)),
    withIds: true,
  }
}

function outputReg(b: Uint8Array, o: number, v2: boolean): OfAction | OfFault {
  if (!v2 && !zeros(b, o + 18, o + 24)) return BAD_ARGUMENT()
  const place = u16(b, o + 10)
  const src = v2
    ? oneSubfield(b, o + 14, o + 24, place >>> 6, (place & 0x3f) + 1)
    : packed(u32(b, o + 12), place)
  if (isFault(src)) return src
  const refused = sourceRefusal(src)
  if (refused !== undefined) return fault(refused)
  return { type: 'output_reg', src, maxLen: u16(b, o + (v2 ? 12 : 16)) }
}

function resubmit(b: Uint8Array, o: number, withCt: boolean): OfAction | OfFault {
  if (!zeros(b, o + 13, o + 16)) return BAD_ARGUMENT()
  return { type: 'resubmit', inPort: portFromOf10(u16(b, o + 10)), table: b[o + 12], withCt, plain: false }
}

function conjunction(b: Uint8Array, o: number): OfAction | OfFault {
  const clause = b[o + 10]
  const clauses = b[o + 11]
  if (clauses < 2 || clauses > 64 || clause >= clauses) return fault('NXBAC_BAD_CONJUNCTION')
  return { type: 'conjunction', id: u32(b, o + 12), clause, clauses }
}

function checkPktLarger(b: Uint8Array, o: number): OfAction | OfFault {
  const dst = oneSubfield(b, o + 14, o + 24, u16(b, o + 12), 1)
  if (isFault(dst)) return dst
  const refused = destinationRefusal(dst)
  return refused === undefined ? { type: 'check_pkt_larger', length: u16(b, o + 10), dst } : fault(refused)
}

function load2(b: Uint8Array, o: number, end: number): OfAction | OfFault {
  const a = readSetField(b, o + 10, end, 'load2', true)
  if (isFault(a)) return a
  return FIELDS[a.field].writable ? a : fault('OFPBAC_BAD_SET_ARGUMENT')
}

/** Decodes the action at `o`, of `length` bytes (a multiple of 8, at least 16), which are there. */
export function decodeNicira(
  b: Uint8Array,
  o: number,
  length: number,
  version: OfVersion,
  depth: number,
): Decoded | OfFault {
  const subtype = u16(b, o + 8)
  const size = niciraLength(subtype, version)
  if (size === 0) return fault('OFPBAC_BAD_VENDOR_TYPE')
  if (size < 0 ? length < -size : length !== size) return fault('OFPBAC_BAD_LEN')
  const end = o + length
  const w = u16(b, o + 10)
  const d = u32(b, o + 12)
  switch (subtype) {
    case 1:
      return { type: 'resubmit', inPort: portFromOf10(w), table: TABLE_CURRENT, withCt: false, plain: true }
    case 2:
      return { type: 'set_tunnel', id: BigInt(d), wide: false }
    case 4:
      return { type: 'set_queue', queue: d }
    case 5:
      return { type: 'pop_queue' }
    case 6:
      return readMove(b, o + 16, end, [w, u16(b, o + 12), u16(b, o + 14)])
    case 7:
      return regLoad(b, o)
    case 8:
      return { type: 'note', data: b.slice(o + 10, end) }
    case 9:
      return { type: 'set_tunnel', id: bigOf(b.subarray(o + 16, o + 24)), wide: true }
    case 10:
      return multipath(b, o)
    case 12:
    case 13:
      return bundle(b, o, length, subtype === 13)
    case 14:
    case 44:
      return resubmit(b, o, subtype === 44)
    case 15:
    case 32:
      return outputReg(b, o, subtype === 32)
    case 16:
    case 45:
      return decodeLearn(b, o, length, subtype === 45)
    case 17:
      return { type: 'exit' }
    case 18:
      return { type: 'dec_ttl', controllerIds: [0], withIds: false }
    case 19:
      return { type: 'fin_timeout', idleTimeout: w, hardTimeout: u16(b, o + 12) }
    case 20:
      return {
        type: 'controller',
        maxLen: w,
        controllerId: u16(b, o + 12),
        reason: b[o + 14],
        userdata: new Uint8Array(0),
        pause: false,
        meterId: 0,
        v2: false,
      }
    case 21:
      return decTtl(b, o, length)
    case 22:
      if (!zeros(b, o + 10, o + 16)) return MUST_BE_ZERO()
      return {
        type: 'write_metadata',
        metadata: bigOf(b.subarray(o + 16, o + 24)),
        mask: bigOf(b.subarray(o + 24, o + 32)),
      }
    case 23:
      return isMpls(w) ? { type: 'push_mpls', ethertype: w } : BAD_ARGUMENT()
    case 24:
      return { type: 'pop_mpls', ethertype: w }
    case 25:
      return { type: 'set_mpls_ttl', ttl: b[o + 10] }
    case 26:
      return { type: 'dec_mpls_ttl' }
    case 27:
      return stack(b, o, 'push')
    case 28:
      return stack(b, o, 'pop')
    case 29:
      return sample(b, o, 1)
    case 30:
      return d <= 0xf_ffff ? { type: 'set_mpls_label', label: d } : BAD_ARGUMENT()
    case 31:
      return b[o + 10] <= 7 ? { type: 'set_mpls_tc', tc: b[o + 10] } : BAD_ARGUMENT()
    case 33:
      return load2(b, o, end)
    case 34:
      return conjunction(b, o)
    case 35: {
      const refused = ctHeaderFault(b, o)
      if (refused !== undefined) return refused
      const nested = decodeList(b, o + CT_FIXED, end, version, depth + 1)
      return isFault(nested) ? nested : decodeCt(b, o, nested)
    }
    case 36:
      return decodeNat(b, o, length)
    case 37:
      return controller2(b, o, end)
    case 38:
      return sample(b, o, 2)
    case 39:
      return d >= 14 ? { type: 'output_trunc', port: portFromOf10(w), maxLen: d } : BAD_ARGUMENT()
    case 40:
      return { type: 'group', group: d }
    case 41:
      return sample(b, o, 3)
    case 42: {
      const nested = decodeList(b, o + 16, end, version, depth + 1)
      return isFault(nested) ? nested : { type: 'clone', actions: nested as OfAction[] }
    }
    case 43:
      return { type: 'ct_clear' }
    case 46:
      return encap(b, o, end)
    case 47:
      return length > 16 ? fault('NXBAC_UNKNOWN_ED_PROP') : { type: 'decap', packetType: d }
    case 48:
      return { type: 'dec_nsh_ttl' }
    case 49:
      return checkPktLarger(b, o)
    default: {
      const f = readField(b, o + 10, end)
      return isFault(f) ? f : { type: 'delete_field', field: f.field }
    }
  }
}
