/** Flows as ovs-ofctl dump-flows prints them. */

import {
  FF_CHECK_OVERLAP,
  FF_NO_BYT_COUNTS,
  FF_NO_PKT_COUNTS,
  FF_RESET_COUNTS,
  FF_SEND_FLOW_REM,
} from '../flow-mod.ts'
import type { FlowStats } from '../flow-stats.ts'
import { formatActions } from './action-format.ts'
import { formatMatch } from './match-format.ts'
import { formatTable, type NameMaps } from './names.ts'

/** `1s`, `1.500s`: three decimals if these say it exactly, else as many of nine as it takes. */
export function formatDuration(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return `${seconds}s`
  if (nanoseconds % 1_000_000 === 0) return `${seconds}.${String(nanoseconds / 1_000_000).padStart(3, '0')}s`
  return `${seconds}.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}s`
}

const FLAGS: readonly (readonly [flag: number, name: string])[] = [
  [FF_SEND_FLOW_REM, 'send_flow_rem'],
  [FF_CHECK_OVERLAP, 'check_overlap'],
  [FF_RESET_COUNTS, 'reset_counts'],
  [FF_NO_PKT_COUNTS, 'no_packet_counts'],
  [FF_NO_BYT_COUNTS, 'no_byte_counts'],
]

/** Flags, each with a blank behind it. */
export function formatFlowFlags(flags: number): string {
  return FLAGS.filter(([f]) => (flags & f) !== 0)
    .map(([, name]) => `${name} `)
    .join('')
}

export interface FlowFormatOptions {
  names?: NameMaps
  /** Cookie, duration, counters and ages (default true; ovs-ofctl --no-stats leaves them out). */
  stats?: boolean
}

/** One line, without the blank that dump-flows begins it with. */
export function formatFlow(f: FlowStats, { names, stats = true }: FlowFormatOptions = {}): string {
  let s = ''
  const add = (on: boolean, text: string): void => {
    if (on) s += `${text}, `
  }
  add(stats || f.cookie !== 0n, `cookie=0x${f.cookie.toString(16)}`)
  add(stats, `duration=${formatDuration(f.durationSec, f.durationNsec)}`)
  const named = names?.tables?.nameOf(f.table) !== undefined
  add(stats || f.table !== 0 || named, `table=${formatTable(f.table, names)}`)
  add(stats && f.packetCount !== undefined, `n_packets=${f.packetCount}`)
  add(stats && f.byteCount !== undefined, `n_bytes=${f.byteCount}`)
  add(f.idleTimeout !== 0, `idle_timeout=${f.idleTimeout}`)
  add(f.hardTimeout !== 0, `hard_timeout=${f.hardTimeout}`)
  s += formatFlowFlags(f.flags)
  add(f.importance !== 0, `importance=${f.importance}`)
  add(stats && f.idleAge !== undefined, `idle_age=${f.idleAge}`)
  add(stats && f.hardAge !== undefined && f.hardAge !== f.durationSec, `hard_age=${f.hardAge}`)
  const match = formatMatch(f.match, names, f.priority)
  if (match !== '') s += `${match} `
  return `${s}actions=${formatActions(f.actions, names)}`
}
