/** Packet-in: a packet, or its beginning, on its way to a controller, and the continuation of a paused one. */

import { W_IN_PORT } from '../flow-key.ts'
import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { Continuation } from './continuation.ts'
import { u64 } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import type { Match } from './match.ts'
import { emptyMatch, setMatchBits } from './match.ts'
import { pullMatch, pullNxm, putMatch } from './match-message.ts'
import { encodeNxmMatch } from './match-nxm.ts'
import type { Body, BodyCodec, BodyForm } from './message-codec.ts'
import { decodePacketIn2, encodePacketIn2 } from './packet-in2.ts'
import { OFPP_NONE } from './port.ts'
import { port16, port32, putPort16 } from './port-number.ts'
import { OF10, OF11, OF13, OF14, type OfVersion } from './version.ts'

/** OFPR_* in the order of their numbers. */
export const PACKET_IN_REASONS = [
  'no_match',
  'action',
  'invalid_ttl',
  'action_set',
  'group',
  'packet_out',
  'explicit_miss',
  'implicit_miss',
] as const
export type PacketInReason = (typeof PACKET_IN_REASONS)[number]

/** The form in which a connection wants its packet-ins (NXT_SET_PACKET_IN_FORMAT). */
export type PacketInFormat = 'standard' | 'nxt_packet_in' | 'nxt_packet_in2'

export interface PacketIn {
  packet: Uint8Array
  /** Of the whole packet, of which `packet` may be the beginning. */
  totalLength: number
  /** NO_BUFFER or the number by which a packet-out or flow-mod can refer to it. */
  bufferId: number
  reason: PacketInReason
  table: number
  /** Of the rule that sent it; all ones where none did. */
  cookie: bigint
  /** The metadata that came with the packet: in_port, registers, tunnel, metadata …, matched exactly. */
  metadata: Match
  /** NXT_PACKET_IN2 only: what the controller action said. Empty otherwise. */
  userdata: Uint8Array
  /** NXT_PACKET_IN2 of a pausing controller action: what NXT_RESUME must bring back. */
  continuation?: Continuation | undefined
}

/** The cookie of packet-ins that no rule sent. */
export const NO_COOKIE = 0xffff_ffff_ffff_ffffn

/** What a version calls a reason: before 1.4 there are three, and a table-miss rule's has no name before 1.3. */
export function reasonNumber(reason: PacketInReason, version: OfVersion): number {
  switch (reason) {
    case 'action_set':
    case 'group':
    case 'packet_out':
      return version < OF14 ? 1 : PACKET_IN_REASONS.indexOf(reason)
    case 'explicit_miss':
      return version < OF13 ? 1 : 0
    case 'implicit_miss':
      return 0
    default:
      return PACKET_IN_REASONS.indexOf(reason)
  }
}

export function reasonOfNumber(number: number): PacketInReason | OfFault {
  return number < 6 ? PACKET_IN_REASONS[number] : fault('NXBRC_BAD_REASON')
}

type Head = Omit<PacketIn, 'packet' | 'userdata' | 'reason'> & { reasonNumber: number; next: number }

function fromPort(port: number): Match {
  const m = emptyMatch()
  setMatchBits(m, W_IN_PORT, port, 0xffff_ffff)
  return m
}

function decodeHead({ b, o, end, version, form }: Body): Head | OfFault {
  const head = {
    totalLength: u16(b, o + 4),
    bufferId: u32(b, o),
    reasonNumber: b[o + 6],
    table: b[o + 7],
    cookie: NO_COOKIE,
  }
  if (form.kind === 'NXT') {
    const pulled = pullNxm(b, o + 24, u16(b, o + 16), end, { strict: false })
    if (isFault(pulled)) return pulled
    return { ...head, cookie: u64(b, o + 8), metadata: pulled.match, next: pulled.next + 2 }
  }
  if (version === OF10) {
    return { ...head, reasonNumber: b[o + 8], table: 0, metadata: fromPort(port16(b, o + 6)), next: o + 10 }
  }
  if (version === OF11) {
    const port = port32(b, o + 4)
    if (isFault(port)) return port
    return {
      ...head,
      totalLength: u16(b, o + 12),
      reasonNumber: b[o + 14],
      table: b[o + 15],
      metadata: fromPort(port),
      next: o + 16,
    }
  }
  const match = version < OF13 ? o + 8 : o + 16
  const pulled = pullMatch(b, match, end, { strict: false })
  if (isFault(pulled)) return pulled
  const cookie = version < OF13 ? NO_COOKIE : u64(b, o + 8)
  return { ...head, cookie, metadata: pulled.match, next: pulled.next + 2 }
}

function decode(body: Body): PacketIn | OfFault {
  if (body.form.name === 'NXT_PACKET_IN2') return decodePacketIn2(body, false)
  const head = decodeHead(body)
  if (isFault(head)) return head
  const { next, reasonNumber: number, ...rest } = head
  if (next > body.end) return fault('OFPBRC_BAD_LEN')
  const reason = reasonOfNumber(number)
  if (isFault(reason)) return reason
  return { ...rest, reason, packet: body.b.slice(next, body.end), userdata: new Uint8Array(0) }
}

function encode(w: ByteWriter, p: PacketIn, to: BodyForm): void {
  const { version, form } = to
  if (form.name === 'NXT_PACKET_IN2') {
    encodePacketIn2(w, p, to)
    return
  }
  const reason = reasonNumber(p.reason, version)
  const total = Math.min(p.totalLength, 0xffff)
  const inPort = p.metadata.mask[W_IN_PORT] === 0 ? OFPP_NONE : p.metadata.value[W_IN_PORT]
  w.u32(p.bufferId)
  if (form.kind === 'NXT') {
    w.u16(total).u8(reason).u8(p.table).u64(p.cookie)
    const lengthAt = w.length
    w.u16(0).zeros(6)
    w.patch16(lengthAt, encodeNxmMatch(w, p.metadata))
    w.u16(0)
  } else if (version === OF10) {
    w.u16(total)
    putPort16(w, inPort)
    w.u8(reason).u8(0)
  } else if (version === OF11) {
    w.u32(inPort).u32(inPort).u16(total).u8(reason).u8(p.table)
  } else {
    w.u16(total).u8(reason).u8(p.table)
    if (version >= OF13) w.u64(p.cookie)
    putMatch(w, p.metadata, version)
    w.u16(0)
  }
  w.raw(p.packet)
}

export const PACKET_IN_CODEC: BodyCodec<PacketIn> = { decode, encode }
