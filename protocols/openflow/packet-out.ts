/** Packet-out: a controller has a packet sent. */

import { W_IN_PORT } from '../flow-key.ts'
import { u16, u32 } from '../wire/big-endian.ts'
import type { OfAction } from './action.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { NO_BUFFER } from './flow-mod.ts'
import { decodeActions, encodeActionList } from './instruction.ts'
import type { Match } from './match.ts'
import { emptyMatch, matchInPort, setMatchBits } from './match.ts'
import { setDefaultPacketType } from './match-field.ts'
import { decodeOxmMatch, encodeOxmMatch } from './match-nxm.ts'
import type { Body, BodyCodec, BodyForm } from './message-codec.ts'
import { OFPP_CONTROLLER, OFPP_LOCAL, OFPP_MAX, OFPP_NONE } from './port.ts'
import { port16, port32, putPort16 } from './port-number.ts'
import { OF10, OF15 } from './version.ts'

export interface PacketOut {
  /** Empty when bufferId names a waiting packet. */
  packet: Uint8Array
  /** NO_BUFFER or a packet's. */
  bufferId: number
  /** Where it is to seem to come from (in_port), and from OpenFlow 1.5 on other metadata of it, matched exactly. */
  metadata: Match
  actions: readonly OfAction[]
}

/** A match on an Ethernet packet from `port`. */
export function metadataOfPort(port: number): Match {
  const m = emptyMatch()
  setDefaultPacketType(m)
  setMatchBits(m, W_IN_PORT, port, 0xffff_ffff)
  return m
}

interface Head {
  metadata: Match
  actionsLength: number
  next: number
}

function decodeHead({ b, o, end, version }: Body): Head | OfFault {
  if (version === OF15) {
    const pulled = decodeOxmMatch(b, o + 8, end, { strict: false, pipelineOnly: true })
    if (isFault(pulled)) return pulled
    if (matchInPort(pulled.match) === undefined) return fault('OFPBRC_BAD_PORT')
    return { metadata: pulled.match, actionsLength: u16(b, o + 4), next: pulled.next }
  }
  const port = version === OF10 ? port16(b, o + 4) : port32(b, o + 4)
  if (isFault(port)) return port
  return version === OF10
    ? { metadata: metadataOfPort(port), actionsLength: u16(b, o + 6), next: o + 8 }
    : { metadata: metadataOfPort(port), actionsLength: u16(b, o + 8), next: o + 16 }
}

function isSource(port: number): boolean {
  return port < OFPP_MAX || port === OFPP_LOCAL || port === OFPP_NONE || port === OFPP_CONTROLLER
}

function decode(body: Body): PacketOut | OfFault {
  const { b, o, end, version } = body
  const head = decodeHead(body)
  if (isFault(head)) return head
  const data = head.next + head.actionsLength
  if (data > end) return fault('OFPBRC_BAD_LEN')
  const actions = decodeActions(b, head.next, data, version)
  if (isFault(actions)) return actions
  if (!isSource(head.metadata.value[W_IN_PORT])) return fault('OFPBRC_BAD_PORT')
  const bufferId = u32(b, o)
  const packet = bufferId === NO_BUFFER ? b.slice(data, end) : new Uint8Array(0)
  return { packet, bufferId, metadata: head.metadata, actions }
}

function encode(w: ByteWriter, p: PacketOut, { version }: BodyForm): void {
  const inPort = matchInPort(p.metadata) ?? OFPP_NONE
  w.u32(p.bufferId)
  let lengthAt = w.length
  if (version === OF10) {
    putPort16(w, inPort)
    lengthAt = w.length
    w.u16(0)
  } else if (version < OF15) {
    w.u32(inPort)
    lengthAt = w.length
    w.u16(0).zeros(6)
  } else {
    w.u16(0).u16(0)
    encodeOxmMatch(w, p.metadata, version)
  }
  const start = w.length
  encodeActionList(w, p.actions, version)
  w.patch16(lengthAt, w.length - start)
  if (p.bufferId === NO_BUFFER) w.raw(p.packet)
}

export const PACKET_OUT_CODEC: BodyCodec<PacketOut> = { decode, encode }
