/** Codec of the requests for flow and aggregate statistics. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { u64 } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { OFPG_ANY } from './flow-mod.ts'
import type { FlowStatsRequest } from './flow-stats.ts'
import { pullMatch, pullNxm, putMatch } from './match-message.ts'
import { encodeNxmMatch } from './match-nxm.ts'
import { decodeOf10Match, encodeOf10Match } from './match-of10.ts'
import type { Body, BodyCodec, BodyForm } from './message-codec.ts'
import { port16, port32, putPort16 } from './port-number.ts'
import { OF10 } from './version.ts'

function decode({ b, o, end, version, form }: Body): FlowStatsRequest | OfFault {
  if (form.kind === 'NXST') {
    const pulled = pullNxm(b, o + 8, u16(b, o + 2), end, { allowCookie: true })
    if (isFault(pulled)) return pulled
    if (pulled.next !== end) return fault('OFPBRC_BAD_LEN')
    return {
      match: pulled.match,
      table: b[o + 4],
      outPort: port16(b, o),
      outGroup: OFPG_ANY,
      cookie: pulled.cookie?.cookie ?? 0n,
      cookieMask: pulled.cookie?.mask ?? 0n,
    }
  }
  if (version === OF10) {
    return {
      match: decodeOf10Match(b, o),
      table: b[o + 40],
      outPort: port16(b, o + 42),
      outGroup: OFPG_ANY,
      cookie: 0n,
      cookieMask: 0n,
    }
  }
  const outPort = port32(b, o + 4)
  if (isFault(outPort)) return outPort
  const pulled = pullMatch(b, o + 32, end)
  if (isFault(pulled)) return pulled
  return {
    match: pulled.match,
    table: b[o],
    outPort,
    outGroup: u32(b, o + 8),
    cookie: u64(b, o + 16),
    cookieMask: u64(b, o + 24),
  }
}

function encode(w: ByteWriter, r: FlowStatsRequest, { version, form }: BodyForm): void {
  if (form.kind === 'NXST') {
    const start = w.length
    putPort16(w, r.outPort)
    w.u16(0).u8(r.table).zeros(3)
    w.patch16(start + 2, encodeNxmMatch(w, r.match, { cookie: r.cookie, mask: r.cookieMask }))
  } else if (version === OF10) {
    encodeOf10Match(w, r.match)
    w.u8(r.table).u8(0)
    putPort16(w, r.outPort)
  } else {
    w.u8(r.table).zeros(3).u32(r.outPort).u32(r.outGroup).u32(0).u64(r.cookie).u64(r.cookieMask)
    putMatch(w, r.match, version)
  }
}

export const FLOW_STATS_REQUEST_CODEC: BodyCodec<FlowStatsRequest> = { decode, encode }
