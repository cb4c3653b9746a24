/**
 * learn() as NXAST_LEARN and NXAST_LEARN2: after the fixed part, specifications of 16 bits (source kind 0x2000,
 * destination kind 0x1800, number of bits 0x7ff), source and destination each.
 */

import { u16, u32 } from '../wire/big-endian.ts'
import type { LearnAction, LearnSpec, Subfield } from './action.ts'
import { beginNicira, endAction, headerOf, putFieldHeader } from './action-header.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { fieldOfNxmHeader, readOxmHeader } from './oxm.ts'
import { bigOf } from './subfield.ts'

const F_SEND_FLOW_REM = 1
const F_DELETE_LEARNED = 2
const F_WRITE_RESULT = 4

const SRC_IMMEDIATE = 1 << 13
const DST_MASK = 3 << 11
const DST_MATCH = 0
const DST_LOAD = 1 << 11
const DST_OUTPUT = 2 << 11
const N_BITS_MASK = 0x3ff

const FIXED = 32
const FIXED2 = 40

export function encodeLearn(w: ByteWriter, a: LearnAction): ByteWriter {
  const v2 = a.limit !== 0 || a.resultDst !== undefined
  const start = beginNicira(w, v2 ? 45 : 16)
  const flags =
    (a.sendFlowRem ? F_SEND_FLOW_REM : 0) |
    (a.deleteLearned ? F_DELETE_LEARNED : 0) |
    (a.resultDst === undefined ? 0 : F_WRITE_RESULT)
  w.u16(a.idleTimeout).u16(a.hardTimeout).u16(a.priority).u64(a.cookie)
  w.u16(flags).u8(a.table).u8(0).u16(a.finIdleTimeout).u16(a.finHardTimeout)
  if (v2)
    w.u32(a.limit)
      .u16(a.resultDst?.ofs ?? 0)
      .u16(0)
  if (a.resultDst !== undefined) putFieldHeader(w, a.resultDst, 0)
  for (const s of a.specs) {
    const to = s.to === 'match' ? DST_MATCH : s.to === 'load' ? DST_LOAD : DST_OUTPUT
    w.u16(s.nBits | to | ('value' in s ? SRC_IMMEDIATE : 0))
    if ('value' in s) {
      const even = 2 * Math.ceil(s.nBits / 16)
      w.zeros(even - s.value.length).raw(s.value)
    } else w.u32(headerOf(s.src)).u16(s.src.ofs)
    if (s.to !== 'output') w.u32(headerOf(s.dst)).u16(s.dst.ofs)
  }
  return endAction(w, start)
}

function subfieldAt(b: Uint8Array, o: number, nBits: number): Subfield | OfFault {
  const field = fieldOfNxmHeader(u32(b, o))
  if (field === undefined) return fault('OFPBAC_BAD_SET_TYPE')
  return { field: field.id, ofs: u16(b, o + 4), nBits }
}

function decodeSpec(
  b: Uint8Array,
  o: number,
  end: number,
  header: number,
): { spec: LearnSpec; next: number } | OfFault {
  const nBits = header & N_BITS_MASK
  const to = header & DST_MASK
  const immediate = (header & SRC_IMMEDIATE) !== 0
  if (to !== DST_MATCH && to !== DST_LOAD && !(to === DST_OUTPUT && !immediate))
    return fault('OFPBAC_BAD_ARGUMENT')
  const srcLen = immediate ? 2 * Math.ceil(nBits / 16) : 6
  const dstLen = to === DST_OUTPUT ? 0 : 6
  if (end - o < srcLen + dstLen) return fault('OFPBAC_BAD_LEN')
  const src = immediate ? undefined : subfieldAt(b, o, nBits)
  if (isFault(src)) return src
  const value = b.slice(o + srcLen - Math.ceil(nBits / 8), o + srcLen)
  const from = src === undefined ? { value } : { src }
  o += srcLen
  if (to === DST_OUTPUT) return { spec: { nBits, ...from, to: 'output' }, next: o }
  const dst = subfieldAt(b, o, nBits)
  if (isFault(dst)) return dst
  const spec: LearnSpec =
    to === DST_MATCH ? { nBits, ...from, to: 'match', dst } : { nBits, ...from, to: 'load', dst }
  return { spec, next: o + 6 }
}

/** Decodes the action at `o` of `length` bytes, which are there, at least FIXED of them (FIXED2 for `v2`). */
export function decodeLearn(b: Uint8Array, o: number, length: number, v2: boolean): LearnAction | OfFault {
  const end = o + length
  if (v2 && u16(b, o + 38) !== 0) return fault('NXBAC_MUST_BE_ZERO')
  const flags = u16(b, o + 24)
  const table = b[o + 26]
  if (b[o + 27] !== 0 || table === 0xff) return fault('OFPBAC_BAD_ARGUMENT')
  const known = F_SEND_FLOW_REM | F_DELETE_LEARNED | (v2 ? F_WRITE_RESULT : 0)
  if ((flags & ~known) !== 0) return fault('OFPBAC_BAD_ARGUMENT')
  let p = o + (v2 ? FIXED2 : FIXED)
  let resultDst: Subfield | undefined
  if ((flags & F_WRITE_RESULT) !== 0) {
    const h = readOxmHeader(b, p, end)
    if (isFault(h)) return h
    if (h.field === undefined) return fault('OFPBMC_BAD_FIELD')
    if (!h.field.writable) return fault('OFPBAC_BAD_SET_ARGUMENT')
    resultDst = { field: h.field.id, ofs: u16(b, o + 36), nBits: 1 }
    p = h.at
  } else if (v2 && u16(b, o + 36) !== 0) return fault('OFPBAC_BAD_ARGUMENT')
  const specs: LearnSpec[] = []
  while (end - p >= 2) {
    const header = u16(b, p)
    p += 2
    if (header === 0) break
    const decoded = decodeSpec(b, p, end, header)
    if (isFault(decoded)) return decoded
    specs.push(decoded.spec)
    p = decoded.next
  }
  for (; p < end; p++) if (b[p] !== 0) return fault('OFPBAC_BAD_ARGUMENT')
  const learn: LearnAction = {
    type: 'learn',
    idleTimeout: u16(b, o + 10),
    hardTimeout: u16(b, o + 12),
    priority: u16(b, o + 14),
    cookie: bigOf(b.subarray(o + 16, o + 24)),
    table,
    finIdleTimeout: u16(b, o + 28),
    finHardTimeout: u16(b, o + 30),
    sendFlowRem: (flags & F_SEND_FLOW_REM) !== 0,
    deleteLearned: (flags & F_DELETE_LEARNED) !== 0,
    limit: v2 ? u32(b, o + 32) : 0,
    specs,
  }
  if (resultDst !== undefined) learn.resultDst = resultDst
  return learn
}
