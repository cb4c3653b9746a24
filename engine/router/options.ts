/**
 * IPv4 options on their way through: RFC 791 §3.1, RFC 1812 §5.2.4. Source routes are refused (RFC 7126 §4.3);
 * record route and timestamp are filled in; others pass.
 */
import { put32, u32 } from '../../protocols/wire/big-endian.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'

const DAY = 86_400_000

const TIMESTAMP_ONLY = 0
const TIMESTAMP_AND_ADDRESS = 1
const TIMESTAMP_PRESPECIFIED = 3

/** What `inspectOptions` finds. */
export const OPTIONS_FINE = 0
export const OPTIONS_SOURCE_ROUTE = -1

/** @returns OPTIONS_FINE, OPTIONS_SOURCE_ROUTE, or the offset of an octet that makes no sense */
export function inspectOptions(b: Uint8Array, ip: number): number {
  const problem = ipv4.optionsProblem(b, ip)
  if (problem !== 0) return problem
  if (
    ipv4.findOption(b, ip, ipv4.OPTION_LOOSE_SOURCE_ROUTE) !== 0 ||
    ipv4.findOption(b, ip, ipv4.OPTION_STRICT_SOURCE_ROUTE) !== 0
  ) {
    return OPTIONS_SOURCE_ROUTE
  }
  const route = ipv4.findOption(b, ip, ipv4.OPTION_RECORD_ROUTE)
  if (route !== 0 && (b[route + 1] < 3 || b[route + 2] < 4)) return route + 2 - ip
  const stamp = ipv4.findOption(b, ip, ipv4.OPTION_TIMESTAMP)
  if (stamp !== 0 && (b[stamp + 1] < 4 || b[stamp + 2] < 5)) return stamp + 2 - ip
  return OPTIONS_FINE
}

/**
 * Enters an address of ours, and the time, where the options ask for it, and brings the header's checksum up
 * to date. The options have passed `inspectOptions`.
 * @param now milliseconds since the epoch, UT
 */
export function recordOptions(b: Uint8Array, ip: number, address: number, now: number): void {
  if (ipv4.headerLength(b, ip) === ipv4.HEADER_LEN) return
  const route = ipv4.findOption(b, ip, ipv4.OPTION_RECORD_ROUTE)
  if (route !== 0) {
    const pointer = b[route + 2]
    if (pointer + 3 <= b[route + 1]) {
      put32(b, route + pointer - 1, address)
      b[route + 2] = pointer + 4
    }
  }
  const stamp = ipv4.findOption(b, ip, ipv4.OPTION_TIMESTAMP)
  if (stamp !== 0) recordTime(b, stamp, address, Math.floor(now) % DAY)
  ipv4.fillChecksum(b, ip)
}

function recordTime(b: Uint8Array, o: number, address: number, time: number): void {
  const pointer = b[o + 2]
  const flag = b[o + 3] & 15
  const needed = flag === TIMESTAMP_ONLY ? 4 : 8
  if (flag !== TIMESTAMP_ONLY && flag !== TIMESTAMP_AND_ADDRESS && flag !== TIMESTAMP_PRESPECIFIED) return
  const at = o + pointer - 1
  if (pointer + needed - 1 > b[o + 1]) {
    // Full: the overflow count goes up, unless it is full too.
    if (b[o + 3] >>> 4 < 15) b[o + 3] += 16
    return
  }
  if (flag === TIMESTAMP_PRESPECIFIED && u32(b, at) !== address) return
  if (flag === TIMESTAMP_AND_ADDRESS) put32(b, at, address)
  put32(b, at + needed - 4, time)
  b[o + 2] = pointer + needed
}
