/** Requests for rules, what each of them is and has counted, and aggregates of them. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { OfAction } from './action.ts'
import type { ByteWriter } from './byte-writer.ts'
import { counter, putCounter, putCounterOrZero, u64 } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { decodeFlowFlags, encodeFlowFlags } from './flow-flags.ts'
import { decodeInstructions, encodeInstructions } from './instruction.ts'
import type { Match } from './match.ts'
import { pullMatch, pullNxm, putMatch } from './match-message.ts'
import { encodeNxmMatch } from './match-nxm.ts'
import { decodeOf10Match, encodeOf10Match } from './match-of10.ts'
import {
  type Body,
  type BodyCodec,
  type BodyForm,
  type Entry,
  type ListCodec,
  listCodec,
} from './message-codec.ts'
import { decodeOxs, encodeOxs } from './oxs.ts'
import { OF10, OF13, OF14, OF15 } from './version.ts'

/** Of flow statistics and aggregate statistics. */
export interface FlowStatsRequest {
  match: Match
  /** OFPTT_ALL for all. */
  table: number
  /** OFPP_ANY for any. */
  outPort: number
  /** OFPG_ANY for any. */
  outGroup: number
  cookie: bigint
  cookieMask: bigint
}

export interface FlowStats {
  match: Match
  cookie: bigint
  table: number
  priority: number
  idleTimeout: number
  hardTimeout: number
  importance: number
  /** Since the rule was installed. */
  durationSec: number
  durationNsec: number
  /** Seconds since the last packet, undefined where the version does not tell (all but NXST_FLOW). */
  idleAge: number | undefined
  /** Seconds since the last modification; likewise. */
  hardAge: number | undefined
  /** Undefined: not counted. */
  packetCount: number | undefined
  byteCount: number | undefined
  /** FF_* */
  flags: number
  actions: readonly OfAction[]
}

export interface AggregateStats {
  packetCount: number | undefined
  byteCount: number | undefined
  flowCount: number
}

type Head = Omit<FlowStats, 'actions'> & { next: number }

const LEN10 = 88
const LEN11 = 48
const LEN15 = 24
const LEN_NX = 48

function decode10(b: Uint8Array, o: number): Head {
  return {
    match: decodeOf10Match(b, o + 4),
    cookie: u64(b, o + 64),
    table: b[o + 2],
    priority: u16(b, o + 52),
    idleTimeout: u16(b, o + 54),
    hardTimeout: u16(b, o + 56),
    importance: 0,
    durationSec: u32(b, o + 44),
    durationNsec: u32(b, o + 48),
    idleAge: undefined,
    hardAge: undefined,
    packetCount: counter(b, o + 72),
    byteCount: counter(b, o + 80),
    flags: 0,
    next: o + LEN10,
  }
}

/** Ages stand one too high, so that 0 can mean "not told". */
function age(v: number): number | undefined {
  return v === 0 ? undefined : v - 1
}

function decodeNicira(b: Uint8Array, o: number, end: number): Head | OfFault {
  const pulled = pullNxm(b, o + LEN_NX, u16(b, o + 18), end)
  if (isFault(pulled)) return pulled
  return {
    match: pulled.match,
    cookie: u64(b, o + 24),
    table: b[o + 2],
    priority: u16(b, o + 12),
    idleTimeout: u16(b, o + 14),
    hardTimeout: u16(b, o + 16),
    importance: 0,
    durationSec: u32(b, o + 4),
    durationNsec: u32(b, o + 8),
    idleAge: age(u16(b, o + 20)),
    hardAge: age(u16(b, o + 22)),
    packetCount: counter(b, o + 32),
    byteCount: counter(b, o + 40),
    flags: 0,
    next: pulled.next,
  }
}

function decode11({ b, version }: Body, o: number, end: number): Head | OfFault {
  const pulled = pullMatch(b, o + LEN11, end)
  if (isFault(pulled)) return pulled
  const flags = version < OF13 ? 0 : decodeFlowFlags(u16(b, o + 18), version, false)
  if (isFault(flags)) return flags
  return {
    match: pulled.match,
    cookie: u64(b, o + 24),
    table: b[o + 2],
    priority: u16(b, o + 12),
    idleTimeout: u16(b, o + 14),
    hardTimeout: u16(b, o + 16),
    importance: version < OF14 ? 0 : u16(b, o + 20),
    durationSec: u32(b, o + 4),
    durationNsec: u32(b, o + 8),
    idleAge: undefined,
    hardAge: undefined,
    packetCount: counter(b, o + 32),
    byteCount: counter(b, o + 40),
    flags,
    next: pulled.next,
  }
}

function decode15({ b, version }: Body, o: number, end: number): Head | OfFault {
  const pulled = pullMatch(b, o + LEN15, end)
  if (isFault(pulled)) return pulled
  const flags = decodeFlowFlags(u16(b, o + 12), version, false)
  if (isFault(flags)) return flags
  const oxs = decodeOxs(b, pulled.next, end)
  if (isFault(oxs)) return oxs
  const { stats, next } = oxs
  return {
    match: pulled.match,
    cookie: u64(b, o + 16),
    table: b[o + 4],
    priority: u16(b, o + 6),
    idleTimeout: u16(b, o + 8),
    hardTimeout: u16(b, o + 10),
    importance: u16(b, o + 14),
    durationSec: stats.durationSec ?? 0,
    durationNsec: stats.durationNsec ?? 0,
    idleAge: stats.idleAge,
    hardAge: undefined,
    packetCount: stats.packetCount,
    byteCount: stats.byteCount,
    flags,
    next,
  }
}

function decode(body: Body, o: number): Entry<FlowStats> | OfFault {
  const { b, version, form } = body
  const nicira = form.kind === 'NXST'
  const fixed = nicira ? LEN_NX : version === OF10 ? LEN10 : version < OF15 ? LEN11 : LEN15
  if (body.end - o < fixed) return fault('OFPBRC_BAD_LEN')
  const end = o + u16(b, o)
  if (end < o + fixed || end > body.end) return fault('OFPBRC_BAD_LEN')
  const head = nicira
    ? decodeNicira(b, o, end)
    : version === OF10
      ? decode10(b, o)
      : version < OF15
        ? decode11(body, o, end)
        : decode15(body, o, end)
  if (isFault(head)) return head
  const { next, ...stats } = head
  const actions = decodeInstructions(b, next, end, version)
  return isFault(actions) ? actions : { entry: { ...stats, actions }, next: end }
}

function encode(w: ByteWriter, s: FlowStats, { version, form }: BodyForm): void {
  const start = w.length
  if (version === OF15) encode15(w, s)
  else {
    w.u16(0).u8(s.table).u8(0)
    const ofp10 = version === OF10 && form.kind !== 'NXST'
    if (ofp10) encodeOf10Match(w, s.match)
    w.u32(s.durationSec).u32(s.durationNsec).u16(s.priority).u16(s.idleTimeout).u16(s.hardTimeout)
    if (ofp10) putCounts(w.zeros(6), s, putCounterOrZero)
    else if (form.kind === 'NXST') putNicira(w, s)
    else {
      w.u16(version < OF13 ? 0 : encodeFlowFlags(s.flags, version)).u16(version < OF14 ? 0 : s.importance)
      putCounts(w.u16(0), s, putCounterOrZero)
      putMatch(w, s.match, version)
    }
  }
  encodeInstructions(w, s.actions, version, s.match)
  w.patch16(start, w.length - start)
}

function putCounts(w: ByteWriter, s: FlowStats, put: typeof putCounter): void {
  w.u64(s.cookie)
  put(w, s.packetCount)
  put(w, s.byteCount)
}

function putNicira(w: ByteWriter, s: FlowStats): void {
  const aged = (v: number | undefined): number => (v === undefined ? 0 : Math.min(v + 1, 0xffff))
  const lengthAt = w.length
  w.u16(0).u16(aged(s.idleAge)).u16(aged(s.hardAge))
  putCounts(w, s, putCounter)
  w.patch16(lengthAt, encodeNxmMatch(w, s.match))
}

function encode15(w: ByteWriter, s: FlowStats): void {
  w.u16(0).u16(0).u8(s.table).u8(0).u16(s.priority).u16(s.idleTimeout).u16(s.hardTimeout)
  w.u16(encodeFlowFlags(s.flags, OF15)).u16(s.importance).u64(s.cookie)
  putMatch(w, s.match, OF15)
  const { durationSec, durationNsec, idleAge, packetCount, byteCount } = s
  encodeOxs(w, { durationSec, durationNsec, idleAge, packetCount, byteCount })
}

export const FLOW_STATS_LIST: ListCodec<FlowStats> = listCodec(decode, encode)

export const AGGREGATE_CODEC: BodyCodec<AggregateStats> = {
  decode({ b, o, end, version }) {
    if (version < OF15) {
      return { packetCount: counter(b, o), byteCount: counter(b, o + 8), flowCount: u32(b, o + 16) }
    }
    const oxs = decodeOxs(b, o, end)
    if (isFault(oxs)) return oxs
    const { packetCount, byteCount, flowCount } = oxs.stats
    return { packetCount, byteCount, flowCount: flowCount ?? 0 }
  },
  encode(w, { packetCount, byteCount, flowCount }, { version, form }) {
    if (version === OF15) {
      encodeOxs(w, { packetCount, byteCount, flowCount })
      return
    }
    const put = version === OF10 && form.kind !== 'NXST' ? putCounterOrZero : putCounter
    put(w, packetCount)
    put(w, byteCount)
    w.u32(flowCount).u32(0)
  },
}
