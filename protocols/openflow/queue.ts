/** Queues: configuration and statistics. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { counter, duration, putCounter, putDuration } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import {
  type Body,
  type BodyCodec,
  type BodyForm,
  type Entry,
  type ListCodec,
  listCodec,
} from './message-codec.ts'
import { OFPP_ALL, OFPP_ANY } from './port.ts'
import { port16, port32, putPort16 } from './port-number.ts'
import type { Counter } from './port-stats.ts'
import { OF10, OF13, OF14 } from './version.ts'

/** OFPQ_ALL. */
export const QUEUE_ALL = 0xffff_ffff

export interface QueueConfigRequest {
  /** OFPP_ANY for all (1.1 and later). */
  port: number
  /** QUEUE_ALL for all; only from OpenFlow 1.4 on one can be asked for. */
  queue: number
}

export interface QueueConfig {
  port: number
  queue: number
  /** Tenths of a percent; undefined: not given. */
  minRate: number | undefined
  maxRate: number | undefined
}

export interface QueueStatsRequest {
  /** OFPP_ANY for all. */
  port: number
  /** QUEUE_ALL for all. */
  queue: number
}

export interface QueueStats {
  port: number
  queue: number
  txBytes: Counter
  txPackets: Counter
  txErrors: Counter
  /** Undefined where the version does not tell (before 1.3). */
  durationSec: Counter
  durationNsec: Counter
}

/** OpenFlow 1.0 says ALL for "any port" here. */
export const QUEUE_STATS_REQUEST_CODEC: BodyCodec<QueueStatsRequest> = {
  decode({ b, o, version }) {
    const port = version === OF10 ? port16(b, o) : port32(b, o)
    if (isFault(port)) return port
    return { port: version === OF10 && port === OFPP_ALL ? OFPP_ANY : port, queue: u32(b, o + 4) }
  },
  encode(w, { port, queue }, { version }) {
    if (version === OF10) {
      putPort16(w, port === OFPP_ANY ? OFPP_ALL : port)
      w.u16(0)
    } else w.u32(port)
    w.u32(queue)
  },
}

const LEN14 = 48

function decodeStats({ b, end, version, form }: Body, o: number): Entry<QueueStats> | OfFault {
  let at = o
  let next = o + form.multiple
  if (version >= OF14) {
    const length = u16(b, o)
    if (length < LEN14 || o + length > end) return fault('OFPBRC_BAD_LEN')
    at = o + 8
    next = o + length
  }
  const port = version === OF10 ? port16(b, at) : port32(b, at)
  if (isFault(port)) return port
  const durationSec = version < OF13 ? undefined : duration(b, at + 32)
  const entry: QueueStats = {
    port,
    queue: u32(b, at + 4),
    txBytes: counter(b, at + 8),
    txPackets: counter(b, at + 16),
    txErrors: counter(b, at + 24),
    durationSec,
    durationNsec: durationSec === undefined ? undefined : u32(b, at + 36),
  }
  return { entry, next }
}

function encodeStats(w: ByteWriter, s: QueueStats, { version }: BodyForm): void {
  if (version >= OF14) w.u16(LEN14).zeros(6)
  if (version === OF10) {
    putPort16(w, s.port)
    w.u16(0)
  } else w.u32(s.port)
  w.u32(s.queue)
  putCounter(w, s.txBytes)
  putCounter(w, s.txPackets)
  putCounter(w, s.txErrors)
  if (version < OF13) return
  putDuration(w, s.durationSec)
  putDuration(w, s.durationNsec)
}

export const QUEUE_STATS_LIST: ListCodec<QueueStats> = listCodec(decodeStats, encodeStats)
