/** ARP for IPv4 over Ethernet: RFC 826. Other hardware or protocol types are not ARP to us. */

import { put16, put32, put48, u16, u32, u48 } from './big-endian.ts'

export const HARDWARE_TYPE = 0
export const PROTOCOL_TYPE = 2
export const HARDWARE_LEN = 4
export const PROTOCOL_LEN = 5
export const OPERATION = 6
export const SHA = 8
export const SPA = 14
export const THA = 18
export const TPA = 24
export const LEN = 28

export const REQUEST = 1
export const REPLY = 2

const HARDWARE_ETHERNET = 1
const PROTOCOL_IPV4 = 0x0800

/** Whether a whole packet fits and is one about IPv4 over Ethernet. Padding may follow. */
export function check(b: Uint8Array, o: number, end: number): boolean {
  return (
    end - o >= LEN &&
    u16(b, o + HARDWARE_TYPE) === HARDWARE_ETHERNET &&
    u16(b, o + PROTOCOL_TYPE) === PROTOCOL_IPV4 &&
    b[o + HARDWARE_LEN] === 6 &&
    b[o + PROTOCOL_LEN] === 4
  )
}

export function operation(b: Uint8Array, o: number): number {
  return u16(b, o + OPERATION)
}

/** Sender hardware address. */
export function sha(b: Uint8Array, o: number): number {
  return u48(b, o + SHA)
}

/** Sender protocol address; zero in a probe (RFC 5227 §1.1). */
export function spa(b: Uint8Array, o: number): number {
  return u32(b, o + SPA)
}

/** Target hardware address; without meaning in a request. */
export function tha(b: Uint8Array, o: number): number {
  return u48(b, o + THA)
}

/** Target protocol address. */
export function tpa(b: Uint8Array, o: number): number {
  return u32(b, o + TPA)
}

export interface Repr {
  /** REQUEST, REPLY, or any other 16-bit value. */
  operation: number
  sha: number
  spa: number
  tha: number
  tpa: number
}

export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end)) return undefined
  return { operation: operation(b, o), sha: sha(b, o), spa: spa(b, o), tha: tha(b, o), tpa: tpa(b, o) }
}

/** Writes the packet and returns its length. */
export function emit(r: Repr, b: Uint8Array, o: number): number {
  put16(b, o + HARDWARE_TYPE, HARDWARE_ETHERNET)
  put16(b, o + PROTOCOL_TYPE, PROTOCOL_IPV4)
  b[o + HARDWARE_LEN] = 6
  b[o + PROTOCOL_LEN] = 4
  put16(b, o + OPERATION, r.operation)
  put48(b, o + SHA, r.sha)
  put32(b, o + SPA, r.spa)
  put48(b, o + THA, r.tha)
  put32(b, o + TPA, r.tpa)
  return LEN
}
