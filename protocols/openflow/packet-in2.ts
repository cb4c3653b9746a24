/** NXT_PACKET_IN2 and NXT_RESUME: packet-ins as properties (NXPINT_*). */

import { u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { decodeContinuation, encodeContinuation } from './continuation.ts'
import { u64 } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { NO_BUFFER } from './flow-mod.ts'
import { emptyMatch } from './match.ts'
import { decodeOxmFields, encodeOxmFields } from './match-nxm.ts'
import type { Body, BodyCodec, BodyForm } from './message-codec.ts'
import { NO_COOKIE, type PacketIn, reasonNumber, reasonOfNumber } from './packet-in.ts'
import {
  endProperty,
  nestedAt,
  type Property,
  putBytesProperty,
  putU8Property,
  putU32Property,
  putU64Property,
  readProperty,
  startNestedProperty,
  startProperty,
  unknownProperty,
} from './properties.ts'

const PACKET = 0
const FULL_LEN = 1
const BUFFER_ID = 2
const TABLE_ID = 3
const COOKIE = 4
const REASON = 5
const METADATA = 6
const USERDATA = 7
const CONTINUATION = 8

/** `strict`: unknown properties and fields are faults, as in NXT_RESUME. */
export function decodePacketIn2(body: Body, strict: boolean): PacketIn | OfFault {
  const { b, end } = body
  const pin: PacketIn = {
    packet: new Uint8Array(0),
    totalLength: 0,
    bufferId: NO_BUFFER,
    reason: 'no_match',
    table: 0,
    cookie: NO_COOKIE,
    metadata: emptyMatch(),
    userdata: new Uint8Array(0),
  }
  for (let { o } = body; o < end; ) {
    const p = readProperty(b, o, end)
    if (isFault(p)) return p
    const bad = readInto(pin, p, body, strict)
    if (bad !== undefined) return bad
    o = p.next
  }
  if (pin.packet.length === 0) return fault('OFPBRC_BAD_LEN')
  if (pin.totalLength === 0) pin.totalLength = pin.packet.length
  return pin.totalLength < pin.packet.length ? fault('OFPBRC_BAD_LEN') : pin
}

function readInto(pin: PacketIn, p: Property, { b, version }: Body, strict: boolean): OfFault | undefined {
  const size = p.end - p.at
  const badLength = fault('OFPBPC_BAD_LEN')
  if (p.experimenter !== 0) return strict ? unknownProperty(p) : undefined
  switch (p.type) {
    case PACKET:
      pin.packet = b.slice(p.at, p.end)
      return undefined
    case FULL_LEN:
      if (size !== 4) return badLength
      pin.totalLength = u32(b, p.at)
      return undefined
    case BUFFER_ID:
      if (size !== 4) return badLength
      pin.bufferId = u32(b, p.at)
      return undefined
    case TABLE_ID:
      if (size < 1) return badLength
      pin.table = b[p.at]
      return undefined
    case COOKIE:
      if (p.end - p.start !== 16) return badLength
      pin.cookie = u64(b, p.start + 8)
      return undefined
    case REASON: {
      if (size < 1) return badLength
      const reason = reasonOfNumber(b[p.at])
      if (isFault(reason)) return reason
      pin.reason = reason
      return undefined
    }
    case METADATA: {
      const decoded = decodeOxmFields(b, p.at, p.end, { strict })
      if (isFault(decoded)) return decoded
      pin.metadata = decoded.match
      return undefined
    }
    case USERDATA:
      pin.userdata = b.slice(p.at, p.end)
      return undefined
    case CONTINUATION: {
      const at = nestedAt(p)
      if (at === undefined) return badLength
      const continuation = decodeContinuation(b, at, p.end, version)
      if (isFault(continuation)) return continuation
      pin.continuation = continuation
      return undefined
    }
    default:
      return strict ? unknownProperty(p) : undefined
  }
}

export function encodePacketIn2(w: ByteWriter, p: PacketIn, { version, form }: BodyForm): void {
  putBytesProperty(w, PACKET, p.packet)
  if (p.totalLength !== p.packet.length) putU32Property(w, FULL_LEN, p.totalLength)
  if (p.bufferId !== NO_BUFFER) putU32Property(w, BUFFER_ID, p.bufferId)
  putU8Property(w, TABLE_ID, p.table)
  if (p.cookie !== NO_COOKIE) putU64Property(w, COOKIE, p.cookie)
  putU8Property(w, REASON, reasonNumber(p.reason, version))
  const metadata = startProperty(w, METADATA)
  encodeOxmFields(w, p.metadata, version)
  endProperty(w, metadata)
  if (p.continuation !== undefined) {
    const start = startNestedProperty(w, CONTINUATION)
    encodeContinuation(w, p.continuation, version)
    endProperty(w, start)
  }
  if (p.userdata.length > 0 && form.name === 'NXT_PACKET_IN2') putBytesProperty(w, USERDATA, p.userdata)
}

/** A controller hands a paused packet back. */
export const RESUME_CODEC: BodyCodec<PacketIn> = {
  decode: (body) => decodePacketIn2(body, true),
  encode: encodePacketIn2,
}
