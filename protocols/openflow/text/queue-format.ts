/** Queues as ovs-ofctl prints them: how they are set, and what they have counted. */
import type { QueueConfig, QueueStats } from '../queue.ts'
import { formatDuration } from './flow-format.ts'
import { formatPort, type NameMaps } from './names.ts'

export function formatQueueStats(s: QueueStats, names?: NameMaps): string {
  const duration = s.durationSec === undefined ? '?' : formatDuration(s.durationSec, s.durationNsec ?? 0)
  const counts = `bytes=${s.txBytes ?? '?'}, pkts=${s.txPackets ?? '?'}, errors=${s.txErrors ?? '?'}`
  return `  port ${formatPort(s.port, names)} queue ${s.queue}: ${counts}, duration=${duration}`
}

/** Rates are tenths of a percent of the port's; more than all of it says that the queue is off. */
function formatRate(name: string, rate: number | undefined): string {
  if (rate === undefined) return ''
  return rate <= 1000 ? ` ${name}:${Math.floor(rate / 10)}.${rate % 10}%` : ` ${name}:(disabled)`
}

/** Port by port. */
export function formatQueueConfigs(configs: readonly QueueConfig[], names?: NameMaps): string {
  const sorted = [...configs].sort((a, b) => a.port - b.port || a.queue - b.queue)
  return sorted
    .flatMap((q, i) => {
      const title = sorted[i - 1]?.port === q.port ? [] : [`port=${formatPort(q.port, names)}`]
      return [
        ...title,
        `queue ${q.queue}:${formatRate('min_rate', q.minRate)}${formatRate('max_rate', q.maxRate)}`,
      ]
    })
    .join('\n')
}
