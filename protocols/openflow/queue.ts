/** Queues: configuration and statistics. */

import type { Counter } from './port-stats.ts'

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
