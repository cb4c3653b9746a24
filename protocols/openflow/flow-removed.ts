/** Flow-removed: a rule with FF_SEND_FLOW_REM is gone. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { counter, putCounter, putCounterOrZero, u64 } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import type { Match } from './match.ts'
import { pullMatch, pullNxm, putMatch } from './match-message.ts'
import { encodeNxmMatch } from './match-nxm.ts'
import { decodeOf10Match, encodeOf10Match } from './match-of10.ts'
import type { Body, BodyCodec, BodyForm } from './message-codec.ts'
import { decodeOxs, encodeOxs } from './oxs.ts'
import { OF10, OF14, OF15, type OfVersion } from './version.ts'

/** OFPRR_* in the order of their numbers; `eviction` in versions before 1.4 is a Nicira number. */
export const FLOW_REMOVED_REASONS = [
  'idle_timeout',
  'hard_timeout',
  'delete',
  'group_delete',
  'meter_delete',
  'eviction',
] as const
export type FlowRemovedReason = (typeof FLOW_REMOVED_REASONS)[number]

export interface FlowRemoved {
  match: Match
  cookie: bigint
  priority: number
  reason: FlowRemovedReason
  /** 0 where the version does not tell (1.0 without Nicira's form). */
  table: number
  durationSec: number
  durationNsec: number
  idleTimeout: number
  hardTimeout: number
  packetCount: number | undefined
  byteCount: number | undefined
}

function reasonOf(number: number): FlowRemovedReason | OfFault {
  return FLOW_REMOVED_REASONS[number] ?? fault('NXBRC_BAD_REASON')
}

/** Versions before 1.4 have no word for a meter's deletion. */
function reasonTo(reason: FlowRemovedReason, version: OfVersion): number {
  return FLOW_REMOVED_REASONS.indexOf(reason === 'meter_delete' && version < OF14 ? 'delete' : reason)
}

function decode15({ b, o, end }: Body): FlowRemoved | OfFault {
  const reason = reasonOf(b[o + 1])
  if (isFault(reason)) return reason
  const pulled = pullMatch(b, o + 16, end)
  if (isFault(pulled)) return pulled
  const oxs = decodeOxs(b, pulled.next, end)
  if (isFault(oxs)) return oxs
  return {
    match: pulled.match,
    cookie: u64(b, o + 8),
    priority: u16(b, o + 2),
    reason,
    table: b[o],
    durationSec: oxs.stats.durationSec ?? 0,
    durationNsec: oxs.stats.durationNsec ?? 0,
    idleTimeout: u16(b, o + 4),
    hardTimeout: u16(b, o + 6),
    packetCount: oxs.stats.packetCount,
    byteCount: oxs.stats.byteCount,
  }
}

function matchOf({ b, o, end, version, form }: Body): Match | OfFault {
  if (form.kind === 'NXT') {
    const pulled = pullNxm(b, o + 40, u16(b, o + 22), end)
    if (isFault(pulled)) return pulled
    return pulled.next === end ? pulled.match : fault('OFPBRC_BAD_LEN')
  }
  if (version === OF10) return decodeOf10Match(b, o)
  const pulled = pullMatch(b, o + 40, end)
  return isFault(pulled) ? pulled : pulled.match
}

function decode(body: Body): FlowRemoved | OfFault {
  const { b, version, form } = body
  const nicira = form.kind === 'NXT'
  if (version === OF15 && !nicira) return decode15(body)
  const match = matchOf(body)
  if (isFault(match)) return match
  const ofp10 = version === OF10 && !nicira
  // 1.0 has its match in front, the others behind; what stands between is laid out alike.
  const o = ofp10 ? body.o + 40 : body.o
  const reason = reasonOf(b[o + 10])
  if (isFault(reason)) return reason
  const table = b[o + 11]
  return {
    match,
    cookie: u64(b, o),
    priority: u16(b, o + 8),
    reason,
    // Nicira's is one too high; 0 says nothing.
    table: ofp10 ? 0 : nicira ? Math.max(0, table - 1) : table,
    durationSec: u32(b, o + 12),
    durationNsec: u32(b, o + 16),
    idleTimeout: u16(b, o + 20),
    hardTimeout: ofp10 || nicira ? 0 : u16(b, o + 22),
    packetCount: counter(b, o + 24),
    byteCount: counter(b, o + 32),
  }
}

function encode(w: ByteWriter, r: FlowRemoved, { version, form }: BodyForm): void {
  const nicira = form.kind === 'NXT'
  const reason = reasonTo(r.reason, version)
  const { durationSec, durationNsec, packetCount, byteCount } = r
  if (version === OF15 && !nicira) {
    w.u8(r.table).u8(reason).u16(r.priority).u16(r.idleTimeout).u16(r.hardTimeout).u64(r.cookie)
    putMatch(w, r.match, version)
    encodeOxs(w, { durationSec, durationNsec, packetCount, byteCount })
    return
  }
  const ofp10 = version === OF10 && !nicira
  if (ofp10) encodeOf10Match(w, r.match)
  w.u64(r.cookie).u16(r.priority).u8(reason)
  w.u8(ofp10 ? 0 : nicira ? r.table + 1 : r.table)
  w.u32(durationSec).u32(durationNsec).u16(r.idleTimeout)
  const lengthAt = w.length
  w.u16(ofp10 || nicira ? 0 : r.hardTimeout)
  const put = ofp10 ? putCounterOrZero : putCounter
  put(w, packetCount)
  put(w, byteCount)
  if (nicira) w.patch16(lengthAt, encodeNxmMatch(w, r.match))
  else if (!ofp10) putMatch(w, r.match, version)
}

export const FLOW_REMOVED_CODEC: BodyCodec<FlowRemoved> = { decode, encode }
