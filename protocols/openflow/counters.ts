/** 64-bit numbers of OpenFlow messages. */

import { u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'

export function u64(b: Uint8Array, o: number): bigint {
  const high = u32(b, o)
  const low = u32(b, o + 4)
  // Most are small, and making one of two parts takes as long as all the rest of a flow-mod.
  return high === 0 ? (low === 0 ? 0n : BigInt(low)) : (BigInt(high) << 32n) | BigInt(low)
}

/** A counter, undefined when it is not kept (all ones); beyond 2 to the 53rd it is no longer exact. */
export function counter(b: Uint8Array, o: number): number | undefined {
  const high = u32(b, o)
  const low = u32(b, o + 4)
  return high === 0xffff_ffff && low === 0xffff_ffff ? undefined : high * 2 ** 32 + low
}

export function putCounter(w: ByteWriter, value: number | undefined): void {
  if (value === undefined) w.u32(0xffff_ffff).u32(0xffff_ffff)
  else w.u32(Math.floor(value / 2 ** 32)).u32(value >>> 0)
}

/** Where a version has no way to say "not counted", it says 0. */
export function putCounterOrZero(w: ByteWriter, value: number | undefined): void {
  putCounter(w, value ?? 0)
}

/** 32-bit parts of a duration that may be unknown. */
export function duration(b: Uint8Array, o: number): number | undefined {
  const v = u32(b, o)
  return v === 0xffff_ffff ? undefined : v
}

export function putDuration(w: ByteWriter, value: number | undefined): void {
  w.u32(value ?? 0xffff_ffff)
}
