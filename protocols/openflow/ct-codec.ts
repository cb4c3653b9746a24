/** ct() as NXAST_CT with nested actions, among them NXAST_NAT. */

import { FIELDS, MFF } from '../meta-flow.ts'
import { u16, u32 } from '../wire/big-endian.ts'
import type { CtAction, NatSpec, OfAction, Subfield } from './action.ts'
import { type EncodeContext, encodeActions } from './action-encode.ts'
import { beginNicira, endAction, headerOf, ofsNbits } from './action-header.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { isZero } from './match-field.ts'
import { fieldOfNxmHeader } from './oxm.ts'
import { bigOf, sourceRefusal } from './subfield.ts'

const F_COMMIT = 1
const F_FORCE = 2
const RECIRC_NONE = 0xff

const NAT_SRC = 1 << 0
const NAT_DST = 1 << 1
const NAT_PERSISTENT = 1 << 2
const NAT_HASH = 1 << 3
const NAT_RANDOM = 1 << 4

const RANGE_IPV4_MIN = 1 << 0
const RANGE_IPV4_MAX = 1 << 1
const RANGE_IPV6_MIN = 1 << 2
const RANGE_IPV6_MAX = 1 << 3
const RANGE_PROTO_MIN = 1 << 4
const RANGE_PROTO_MAX = 1 << 5

export const CT_FIXED = 24
export const NAT_FIXED = 16

function encodeNat(w: ByteWriter, nat: NatSpec): ByteWriter {
  const start = beginNicira(w, 36)
  const flags =
    (nat.kind === 'src' ? NAT_SRC : nat.kind === 'dst' ? NAT_DST : 0) |
    (nat.persistent ? NAT_PERSISTENT : 0) |
    (nat.hash ? NAT_HASH : 0) |
    (nat.random ? NAT_RANDOM : 0)
  w.zeros(2).u16(flags).u16(0)
  let present = 0
  const { minAddress, maxAddress } = nat
  if (minAddress !== undefined) {
    const v4 = minAddress.length === 4
    if (!isZero(minAddress)) {
      w.raw(minAddress)
      present |= v4 ? RANGE_IPV4_MIN : RANGE_IPV6_MIN
    }
    if (maxAddress !== undefined && !isZero(maxAddress)) {
      w.raw(maxAddress)
      present |= v4 ? RANGE_IPV4_MAX : RANGE_IPV6_MAX
    }
    if (nat.minPort !== 0) {
      w.u16(nat.minPort)
      present |= RANGE_PROTO_MIN
    }
    if (nat.maxPort !== 0) {
      w.u16(nat.maxPort)
      present |= RANGE_PROTO_MAX
    }
  }
  w.patch16(start + 14, present)
  return endAction(w, start)
}

export function encodeCt(w: ByteWriter, a: CtAction, ctx: EncodeContext): ByteWriter {
  const start = beginNicira(w, 35)
  w.u16((a.commit ? F_COMMIT : 0) | (a.force ? F_FORCE : 0))
  if (typeof a.zone === 'number') w.u32(0).u16(a.zone)
  else w.u32(headerOf(a.zone)).u16(ofsNbits(a.zone))
  w.u8(a.table ?? RECIRC_NONE)
    .zeros(3)
    .u16(a.alg)
  if (a.nat !== undefined) encodeNat(w, a.nat)
  encodeActions(w, a.exec, ctx)
  return endAction(w, start)
}

/** A nat action on its way from the wire into its ct. */
export interface NatMarker {
  type: 'nat'
  nat: NatSpec
}

/** Addresses of one family: their ends, or undefined if the bytes are missing or contradictory. */
function range(b: Uint8Array, o: number, end: number, n: number, hasMax: boolean): number | undefined {
  const need = hasMax ? 2 * n : n
  if (end - o < need || isZero(b.subarray(o, o + n))) return undefined
  if (hasMax && bigOf(b.subarray(o + n, o + 2 * n)) < bigOf(b.subarray(o, o + n))) return undefined
  return o + need
}

/** Decodes the NXAST_NAT at `o` of `length` bytes, at least NAT_FIXED. */
export function decodeNat(b: Uint8Array, o: number, length: number): NatMarker | OfFault {
  const bad = fault('OFPBAC_BAD_ARGUMENT')
  const flags = u16(b, o + 12)
  const present = u16(b, o + 14)
  const both = (x: number): boolean => (flags & x) === x
  if ((flags & ~31) !== 0 || both(NAT_SRC | NAT_DST) || both(NAT_HASH | NAT_RANDOM)) return bad
  const nat: NatSpec = {
    minPort: 0,
    maxPort: 0,
    persistent: both(NAT_PERSISTENT),
    hash: both(NAT_HASH),
    random: both(NAT_RANDOM),
  }
  if (both(NAT_SRC)) nat.kind = 'src'
  else if (both(NAT_DST)) nat.kind = 'dst'
  const end = o + length
  let p = o + NAT_FIXED
  const v4 = (present & RANGE_IPV4_MIN) !== 0
  const v6 = (present & RANGE_IPV6_MIN) !== 0
  if (v4 && (present & (RANGE_IPV6_MIN | RANGE_IPV6_MAX)) !== 0) return bad
  if (!v4 && (present & RANGE_IPV4_MAX) !== 0) return bad
  if (!v4 && !v6 && (present & RANGE_IPV6_MAX) !== 0) return bad
  if (v4 || v6) {
    const n = v4 ? 4 : 16
    const hasMax = (present & (v4 ? RANGE_IPV4_MAX : RANGE_IPV6_MAX)) !== 0
    const next = range(b, p, end, n, hasMax)
    if (next === undefined) return bad
    nat.minAddress = b.slice(p, p + n)
    if (hasMax) nat.maxAddress = b.slice(p + n, p + 2 * n)
    p = next
  }
  if ((present & RANGE_PROTO_MIN) !== 0) {
    if (!(v4 || v6) || end - p < 2) return bad
    nat.minPort = u16(b, p)
    if (nat.minPort === 0) return bad
    p += 2
    if ((present & RANGE_PROTO_MAX) !== 0) {
      if (end - p < 2) return bad
      nat.maxPort = u16(b, p)
      if (nat.maxPort < nat.minPort) return bad
    }
  } else if ((present & RANGE_PROTO_MAX) !== 0) return bad
  return { type: 'nat', nat }
}

function decodeZone(b: Uint8Array, o: number): number | Subfield | OfFault {
  const header = u32(b, o + 12)
  const zone = u16(b, o + 16)
  if (header === 0) return zone
  const field = fieldOfNxmHeader(header)
  if (field === undefined) return fault('OFPBAC_BAD_SET_TYPE')
  const s = { field: field.id, ofs: zone >>> 6, nBits: (zone & 0x3f) + 1 }
  const error = sourceRefusal(s)
  if (error !== undefined) return fault(error)
  return s.nBits === 16 ? s : fault('OFPBAC_BAD_SET_LEN')
}

const CT_FIELDS: ReadonlySet<number> = new Set([MFF.ct_mark, MFF.ct_label])

/** Whether a field may be set only inside ct(exec()). */
export function requiresCt(field: number): boolean {
  return CT_FIELDS.has(field)
}

/** The error of an action that may not stand in ct(exec()), if it is one. */
function execRefusal(a: OfAction): OfFault | undefined {
  const field = a.type === 'set_field' ? a.field : a.type === 'move' ? a.dst.field : undefined
  if (field === undefined || FIELDS[field] === undefined) return fault('OFPBAC_BAD_ARGUMENT')
  return requiresCt(field) ? undefined : fault('OFPBAC_BAD_ARGUMENT')
}

/** What is wrong with the NXAST_CT at `o` apart from its nested actions, which are looked at later. */
export function ctHeaderFault(b: Uint8Array, o: number): OfFault | undefined {
  if ((u16(b, o + 10) & (F_FORCE | F_COMMIT)) === F_FORCE) return fault('OFPBAC_BAD_ARGUMENT')
  const zone = decodeZone(b, o)
  return isFault(zone) ? zone : undefined
}

/** Decodes the NXAST_CT at `o`, its nested actions being `nested`. */
export function decodeCt(
  b: Uint8Array,
  o: number,
  nested: readonly (OfAction | NatMarker)[],
): CtAction | OfFault {
  const flags = u16(b, o + 10)
  const commit = (flags & F_COMMIT) !== 0
  const force = (flags & F_FORCE) !== 0
  if (force && !commit) return fault('OFPBAC_BAD_ARGUMENT')
  const zone = decodeZone(b, o)
  if (typeof zone === 'object' && 'error' in zone) return zone
  const exec: OfAction[] = []
  let nat: NatSpec | undefined
  for (const a of nested) {
    if (a.type === 'nat') {
      nat = a.nat
      continue
    }
    const refused = execRefusal(a)
    if (refused !== undefined) return refused
    exec.push(a)
  }
  const natWantsCommit = nat !== undefined && (nat.kind !== undefined || nat.minAddress !== undefined)
  if (!commit && (exec.length > 0 || natWantsCommit)) return fault('OFPBAC_BAD_ARGUMENT')
  const ct: CtAction = { type: 'ct', commit, force, zone, alg: u16(b, o + 22), exec }
  if (b[o + 18] !== RECIRC_NONE) ct.table = b[o + 18]
  if (nat !== undefined) ct.nat = nat
  return ct
}
