/** OXS, statistics as type-length-value entries (OpenFlow 1.5 §7.2.4.1), padded to 8 bytes as a whole. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { counter, putCounter } from './counters.ts'
import { fault, type OfFault } from './error.ts'

/** What is undefined is not there. */
export interface OxsStats {
  durationSec: number | undefined
  durationNsec: number | undefined
  idleAge: number | undefined
  flowCount: number | undefined
  packetCount: number | undefined
  byteCount: number | undefined
}

const CLASS_BASIC = 0x8002
const CLASS_EXPERIMENTER = 0xffff
const DURATION = 0
const IDLE_TIME = 1
const FLOW_COUNT = 3
const PACKET_COUNT = 4
const BYTE_COUNT = 5

export function decodeOxs(
  b: Uint8Array,
  o: number,
  end: number,
): { stats: OxsStats; next: number } | OfFault {
  if (end - o < 4) return fault('OFPBMC_BAD_LEN')
  const length = u16(b, o + 2)
  const next = o + ((length + 7) & ~7)
  if (length < 4 || next > end) return fault('OFPBMC_BAD_LEN')
  const stats: OxsStats = {
    durationSec: undefined,
    durationNsec: undefined,
    idleAge: undefined,
    flowCount: undefined,
    packetCount: undefined,
    byteCount: undefined,
  }
  const last = o + length
  for (let at = o + 4; at < last; ) {
    if (last - at < 4) return fault('OFPBMC_BAD_LEN')
    const oxsClass = u16(b, at)
    const size = b[at + 3]
    if (oxsClass === CLASS_EXPERIMENTER && size < 4) return fault('OFPBMC_BAD_LEN')
    const value = at + 4
    if (value + size > last) return fault('OFPBMC_BAD_LEN')
    // Entries that are not known, and known ones of another size, are passed over.
    if (oxsClass === CLASS_BASIC) readEntry(b, value, b[at + 2] >>> 1, size, stats)
    at = value + size
  }
  return { stats, next }
}

function readEntry(b: Uint8Array, o: number, field: number, size: number, stats: OxsStats): void {
  if (field === FLOW_COUNT && size === 4) stats.flowCount = u32(b, o)
  if (size !== 8) return
  if (field === DURATION) {
    stats.durationSec = u32(b, o)
    stats.durationNsec = u32(b, o + 4)
  } else if (field === IDLE_TIME) stats.idleAge = u32(b, o)
  else if (field === PACKET_COUNT) stats.packetCount = counter(b, o)
  else if (field === BYTE_COUNT) stats.byteCount = counter(b, o)
}

export function encodeOxs(w: ByteWriter, s: Partial<OxsStats>): void {
  const start = w.length
  const header = (field: number, size: number): ByteWriter =>
    w
      .u16(CLASS_BASIC)
      .u8(field << 1)
      .u8(size)
  w.u16(0).u16(0)
  if (s.durationSec !== undefined)
    header(DURATION, 8)
      .u32(s.durationSec)
      .u32(s.durationNsec ?? 0)
  if (s.idleAge !== undefined) header(IDLE_TIME, 8).u32(s.idleAge).u32(0)
  if (s.packetCount !== undefined) putCounter(header(PACKET_COUNT, 8), s.packetCount)
  if (s.byteCount !== undefined) putCounter(header(BYTE_COUNT, 8), s.byteCount)
  if (s.flowCount !== undefined) header(FLOW_COUNT, 4).u32(s.flowCount)
  w.patch16(start + 2, w.length - start)
  w.pad8(start)
}
