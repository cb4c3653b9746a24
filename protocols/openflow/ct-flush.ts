/** Flushing connections: NXT_CT_FLUSH_ZONE and NXT_CT_FLUSH. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import type { BodyCodec } from './message-codec.ts'
import {
  endProperty,
  nestedAt,
  type Property,
  putBytesProperty,
  putU8Property,
  readProperty,
  startNestedProperty,
  unknownProperty,
} from './properties.ts'

/** One direction of the connections to flush. What is undefined is not compared. */
export interface CtTuple {
  /** 4 or 16 bytes. */
  src?: Uint8Array | undefined
  dst?: Uint8Array | undefined
  /** Ports, or of ICMP below. */
  srcPort?: number | undefined
  dstPort?: number | undefined
  icmpId?: number | undefined
  icmpType?: number | undefined
  icmpCode?: number | undefined
}

export interface CtFlush {
  /** 0: any. */
  ipProto: number
  /** AF_INET 2, AF_INET6 10, 0 for any. */
  family: number
  zone: number | undefined
  original: CtTuple
  reply: CtTuple
}

const PROP_ORIGINAL = 0
const PROP_REPLY = 1
const PROP_ZONE = 2

const TUPLE_SRC = 0
const TUPLE_DST = 1
const TUPLE_NUMBERS = ['srcPort', 'dstPort', 'icmpId', 'icmpType', 'icmpCode'] as const
const FIRST_NUMBER = 2
const FIRST_BYTE = 5

const AF_INET = 2
const AF_INET6 = 10

/** IPv4 addresses stand as ::ffff:a.b.c.d. */
function isMapped(b: Uint8Array, o: number): boolean {
  return u32(b, o) === 0 && u32(b, o + 4) === 0 && u32(b, o + 8) === 0xffff
}

function readAddress(b: Uint8Array, p: Property): Uint8Array | OfFault {
  if (p.end - p.at !== 16) return fault('OFPBPC_BAD_LEN')
  return isMapped(b, p.at) ? b.slice(p.at + 12, p.end) : b.slice(p.at, p.end)
}

function decodeTuple(b: Uint8Array, outer: Property): CtTuple | OfFault {
  const tuple: CtTuple = {}
  let o = nestedAt(outer)
  if (o === undefined) return fault('OFPBPC_BAD_LEN')
  while (o < outer.end) {
    const p = readProperty(b, o, outer.end)
    if (isFault(p)) return p
    o = p.next
    if (p.experimenter === 0 && (p.type === TUPLE_SRC || p.type === TUPLE_DST)) {
      const address = readAddress(b, p)
      if (isFault(address)) return address
      if (p.type === TUPLE_SRC) tuple.src = address
      else tuple.dst = address
      continue
    }
    const name = p.experimenter === 0 ? TUPLE_NUMBERS[p.type - FIRST_NUMBER] : undefined
    if (name === undefined) return unknownProperty(p)
    const bytes = p.type < FIRST_BYTE ? 2 : 1
    if (p.end - p.at < bytes) return fault('OFPBPC_BAD_LEN')
    tuple[name] = bytes === 2 ? u16(b, p.at) : b[p.at]
  }
  return tuple
}

function family(...addresses: (Uint8Array | undefined)[]): number {
  const a = addresses.find((x) => x !== undefined)
  return a === undefined ? 0 : a.length === 4 ? AF_INET : AF_INET6
}

/** A match on connections. Those of newer versions (mark, labels) are not in Open vSwitch 3.1 either. */
export const CT_FLUSH_CODEC: BodyCodec<CtFlush> = {
  decode({ b, o, end }) {
    for (let i = 1; i < 8; i++) if (b[o + i] !== 0) return fault('NXBRC_MUST_BE_ZERO')
    const flush: CtFlush = { ipProto: b[o], family: 0, zone: undefined, original: {}, reply: {} }
    for (let at = o + 8; at < end; ) {
      const p = readProperty(b, at, end)
      if (isFault(p)) return p
      at = p.next
      if (p.experimenter === 0 && (p.type === PROP_ORIGINAL || p.type === PROP_REPLY)) {
        const tuple = decodeTuple(b, p)
        if (isFault(tuple)) return tuple
        if (p.type === PROP_ORIGINAL) flush.original = tuple
        else flush.reply = tuple
      } else if (p.experimenter === 0 && p.type === PROP_ZONE) {
        if (p.end - p.at < 2) return fault('OFPBPC_BAD_LEN')
        flush.zone = u16(b, p.at)
      } else return unknownProperty(p)
    }
    const { original, reply } = flush
    flush.family = family(original.src, original.dst, reply.src, reply.dst)
    return flush
  },
  encode(w, { ipProto, zone, original, reply }) {
    w.u8(ipProto).zeros(7)
    putTuple(w, PROP_ORIGINAL, original)
    putTuple(w, PROP_REPLY, reply)
    if (zone !== undefined) putBytesProperty(w, PROP_ZONE, Uint8Array.of(zone >>> 8, zone, 0, 0))
  },
}

function putAddress(w: ByteWriter, type: number, address: Uint8Array | undefined): void {
  if (address === undefined) return
  const bytes = new Uint8Array(16)
  if (address.length === 4) bytes.fill(0xff, 10, 12)
  bytes.set(address, 16 - address.length)
  putBytesProperty(w, type, bytes)
}

function putTuple(w: ByteWriter, type: number, tuple: CtTuple): void {
  if (Object.values(tuple).every((v) => v === undefined)) return
  const start = startNestedProperty(w, type)
  putAddress(w, TUPLE_SRC, tuple.src)
  putAddress(w, TUPLE_DST, tuple.dst)
  for (const [i, name] of TUPLE_NUMBERS.entries()) {
    const value = tuple[name]
    const number = FIRST_NUMBER + i
    if (value === undefined) continue
    if (number < FIRST_BYTE) putBytesProperty(w, number, Uint8Array.of(value >>> 8, value, 0, 0))
    else putU8Property(w, number, value)
  }
  endProperty(w, start)
}

/** Six bytes that must be 0, then a 16-bit number: zones and controller ids. */
export const NUMBER16_CODEC: BodyCodec<number> = {
  decode({ b, o }) {
    for (let i = 0; i < 6; i++) if (b[o + i] !== 0) return fault('NXBRC_MUST_BE_ZERO')
    return u16(b, o + 6)
  },
  encode: (w, number) => {
    w.zeros(6).u16(number)
  },
}
