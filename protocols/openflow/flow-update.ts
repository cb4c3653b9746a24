/** Codec of what a flow monitor reports. */

import { u16, u32 } from '../wire/big-endian.ts'
import { ByteWriter } from './byte-writer.ts'
import { u64 } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { decodeActions, decodeInstructions, encodeActionList, encodeInstructions } from './instruction.ts'
import { pullMatch, pullNxm, putMatch } from './match-message.ts'
import { encodeNxmMatch } from './match-nxm.ts'
import { type Body, type BodyForm, type Entry, type ListCodec, listCodec } from './message-codec.ts'
import type { FlowUpdate, FullFlowUpdate } from './monitor.ts'
import { OF13, OF14, type OfVersion } from './version.ts'

/** Events by number, before 1.4 and from then on. */
const OLD_EVENTS: readonly FlowUpdate['event'][] = ['added', 'deleted', 'modified', 'abbrev']
const EVENTS: readonly FlowUpdate['event'][] = [
  'initial',
  'added',
  'deleted',
  'modified',
  'abbrev',
  'paused',
  'resumed',
]
const LEN = 24

type Head = Omit<FullFlowUpdate, 'match' | 'actions' | 'event' | 'reason'> & { reason: number }

function headOld(b: Uint8Array, o: number): Head {
  return {
    reason: u16(b, o + 4),
    priority: u16(b, o + 6),
    idleTimeout: u16(b, o + 8),
    hardTimeout: u16(b, o + 10),
    table: b[o + 14],
    cookie: u64(b, o + 16),
  }
}

function head14(b: Uint8Array, o: number): Head {
  return {
    table: b[o + 4],
    reason: b[o + 5],
    idleTimeout: u16(b, o + 6),
    hardTimeout: u16(b, o + 8),
    priority: u16(b, o + 10),
    cookie: u64(b, o + 16),
  }
}

function decodeFull(
  { b, version }: Body,
  o: number,
  end: number,
  event: FullFlowUpdate['event'],
): FullFlowUpdate | OfFault {
  const { reason, ...head } = version < OF14 ? headOld(b, o) : head14(b, o)
  const nicira = version < OF13
  const pulled = nicira ? pullNxm(b, o + LEN, u16(b, o + 12), end) : pullMatch(b, o + LEN, end)
  if (isFault(pulled)) return pulled
  const actions = nicira
    ? decodeActions(b, pulled.next, end, version, { instructions: true })
    : decodeInstructions(b, pulled.next, end, version)
  if (isFault(actions)) return actions
  return {
    event,
    reason: event === 'deleted' ? reason : undefined,
    ...head,
    match: pulled.match,
    actions,
  }
}

function decode(body: Body, o: number): Entry<FlowUpdate> | OfFault {
  const { b, version } = body
  if (body.end - o < 8) return fault('OFPBRC_BAD_LEN')
  const length = u16(b, o)
  const end = o + length
  if (length < 8 || length % 8 !== 0 || end > body.end) return fault('OFPBRC_BAD_LEN')
  const event = (version < OF14 ? OLD_EVENTS : EVENTS)[u16(b, o + 2)]
  if (event === undefined) return fault('NXBRC_FM_BAD_EVENT')
  if (event === 'abbrev' || event === 'paused' || event === 'resumed') {
    if (length !== 8) return fault('OFPBRC_BAD_LEN')
    return { entry: event === 'abbrev' ? { event, xid: u32(b, o + 4) } : { event }, next: end }
  }
  if (length < LEN) return fault('OFPBRC_BAD_LEN')
  const entry = decodeFull(body, o, end, event)
  return isFault(entry) ? entry : { entry, next: end }
}

function encodeFull(w: ByteWriter, u: FullFlowUpdate, version: OfVersion): void {
  const old = version < OF14
  const reason = u.reason ?? 0
  if (old) w.u16(reason).u16(u.priority).u16(u.idleTimeout).u16(u.hardTimeout)
  else w.u8(u.table).u8(reason).u16(u.idleTimeout).u16(u.hardTimeout).u16(u.priority).u16(0)
  const lengthAt = w.length
  w.u16(0)
  if (old) w.u8(u.table).u8(0)
  w.u64(u.cookie)
  if (version < OF13) {
    w.patch16(lengthAt, encodeNxmMatch(w, u.match))
    encodeActionList(w, u.actions, version, u.match)
    return
  }
  const match = new ByteWriter()
  putMatch(match, u.match, version)
  const bytes = match.finish()
  w.raw(bytes)
  // ONF's form says how long the match is without its padding.
  if (old) w.patch16(lengthAt, u16(bytes, 2))
  encodeInstructions(w, u.actions, version, u.match)
}

/** Paused and resumed are messages of their own before 1.4, and initial flows are reported as added. */
function encode(w: ByteWriter, u: FlowUpdate, { version }: BodyForm): void {
  const start = w.length
  const events = version < OF14 ? OLD_EVENTS : EVENTS
  w.u16(0).u16(Math.max(0, events.indexOf(u.event)))
  if ('match' in u) encodeFull(w, u, version)
  else w.u32('xid' in u ? u.xid : 0)
  w.patch16(start, w.length - start)
}

export const FLOW_UPDATE_LIST: ListCodec<FlowUpdate> = listCodec(decode, encode)
