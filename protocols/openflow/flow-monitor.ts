/** Codecs of flow monitor requests: Nicira's (1.0 to 1.2), ONF's (1.3) and OpenFlow's own (1.4 and later). */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { OFPG_ANY } from './flow-mod.ts'
import { emptyMatch } from './match.ts'
import { pullMatch, pullNxm, putMatch } from './match-message.ts'
import { encodeNxmMatch } from './match-nxm.ts'
import {
  type Body,
  type BodyCodec,
  type BodyForm,
  type Entry,
  type ListCodec,
  listCodec,
} from './message-codec.ts'
import {
  type FlowMonitorCancel,
  type FlowMonitorRequest,
  FMF_ADD,
  FMF_INITIAL,
  FMF_INSTRUCTIONS,
  FMF_MODIFY,
  FMF_NO_ABBREV,
  FMF_ONLY_OWN,
  FMF_REMOVED,
} from './monitor.ts'
import { port16, port32, putPort16 } from './port-number.ts'
import { OF13, OF14, type OfVersion } from './version.ts'

const COMMANDS = ['add', 'modify', 'delete'] as const
const LEN = 16
const WHEN = FMF_ADD | FMF_REMOVED | FMF_MODIFY
const KNOWN = FMF_INITIAL | WHEN | FMF_INSTRUCTIONS | FMF_NO_ABBREV | FMF_ONLY_OWN
/** Nicira's "own" stands in the place of "no abbreviations". */
const NX_KNOWN = FMF_INITIAL | WHEN | FMF_INSTRUCTIONS | FMF_NO_ABBREV

function flagsOf(bits: number, version: OfVersion): number | OfFault {
  const known = version < OF14 ? NX_KNOWN : KNOWN
  if ((bits & WHEN) === 0 || (bits & ~known) !== 0) return fault('OFPMOFC_BAD_FLAGS')
  if (version >= OF14 || (bits & FMF_NO_ABBREV) === 0) return bits
  return (bits & ~FMF_NO_ABBREV) | FMF_ONLY_OWN
}

function flagsTo(flags: number, version: OfVersion): number {
  if (version >= OF14) return flags
  const own = (flags & (FMF_ONLY_OWN | FMF_NO_ABBREV)) !== 0
  return (flags & NX_KNOWN & ~FMF_NO_ABBREV) | (own ? FMF_NO_ABBREV : 0)
}

function allZero(b: Uint8Array, o: number, n: number): boolean {
  for (let i = 0; i < n; i++) if (b[o + i] !== 0) return false
  return true
}

function decodeOld({ b, end, version }: Body, o: number): Entry<FlowMonitorRequest> | OfFault {
  const flags = flagsOf(u16(b, o + 4), version)
  if (isFault(flags)) return flags
  const onf = version === OF13
  const zeros = onf ? allZero(b, o + 13, 3) : allZero(b, o + 11, 5)
  if (!zeros) return fault('NXBRC_MUST_BE_ZERO')
  const outPort = onf ? port32(b, o + 8) : port16(b, o + 6)
  if (isFault(outPort)) return outPort
  const pulled = onf ? pullMatch(b, o + LEN, end) : pullNxm(b, o + LEN, u16(b, o + 8), end)
  if (isFault(pulled)) return pulled
  const { match, next } = pulled
  const table = onf ? b[o + 12] : b[o + 10]
  return { entry: { id: u32(b, o), command: 'add', flags, outPort, outGroup: OFPG_ANY, table, match }, next }
}

function decode14({ b, end, version }: Body, o: number): Entry<FlowMonitorRequest> | OfFault {
  const command = COMMANDS[b[o + 15]]
  if (command === undefined) return fault('OFPMOFC_BAD_COMMAND')
  const bits = u16(b, o + 12)
  const flags = command === 'delete' ? bits & KNOWN : flagsOf(bits, version)
  if (isFault(flags)) return flags
  const id = u32(b, o)
  const common = { id, command, flags, outGroup: u32(b, o + 8), table: b[o + 14] }
  const outPort = port32(b, o + 4)
  if (isFault(outPort)) return outPort
  // ovs-ofctl deletes without a match.
  if (command === 'delete' && end - o === LEN) {
    return { entry: { ...common, outPort, match: emptyMatch() }, next: end }
  }
  const pulled = pullMatch(b, o + LEN, end)
  if (isFault(pulled)) return pulled
  return { entry: { ...common, outPort, match: pulled.match }, next: pulled.next }
}

function decode(body: Body, o: number): Entry<FlowMonitorRequest> | OfFault {
  if (body.end - o < LEN) return fault('OFPBRC_BAD_LEN')
  return body.version < OF14 ? decodeOld(body, o) : decode14(body, o)
}

function encode(w: ByteWriter, r: FlowMonitorRequest, { version }: BodyForm): void {
  const flags = flagsTo(r.flags, version)
  if (version >= OF14) {
    w.u32(r.id).u32(r.outPort).u32(r.outGroup).u16(flags).u8(r.table).u8(COMMANDS.indexOf(r.command))
    putMatch(w, r.match, version)
  } else if (version === OF13) {
    w.u32(r.id).u16(flags)
    const lengthAt = w.length
    w.u16(0).u32(r.outPort).u8(r.table).zeros(3)
    const start = w.length
    putMatch(w, r.match, version)
    w.patch16(lengthAt, w.length - start)
  } else {
    w.u32(r.id).u16(flags)
    putPort16(w, r.outPort)
    const lengthAt = w.length
    w.u16(0).u8(r.table).zeros(5)
    w.patch16(lengthAt, encodeNxmMatch(w, r.match))
  }
}

export const FLOW_MONITOR_REQUEST_LIST: ListCodec<FlowMonitorRequest> = listCodec(decode, encode)

export const FLOW_MONITOR_CANCEL_CODEC: BodyCodec<FlowMonitorCancel> = {
  decode: ({ b, o }) => ({ id: u32(b, o) }),
  encode: (w, { id }) => {
    w.u32(id)
  },
}
