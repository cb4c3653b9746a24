/** A finished translation becomes a megaflow. */
import type { Instant } from '../protocols/time.ts'
import type { MegaflowTable } from './classifier/megaflow-table.ts'
import type { Xlate } from './ofproto/xlate.ts'

/** The new megaflow of the packets that `key` stands for, or -1 where there is none to be or no room for it. */
export function keepTranslation(flows: MegaflowTable, key: Uint32Array, x: Xlate, now: Instant): number {
  if (!x.cacheable) return -1
  const { code, length } = x.program
  const counters = x.counters.slice(0, x.counterCount)
  return flows.insert(key, x.wc, code, length, x.tags, x.stations, x.tagCount, now, x.rewritten, counters)
}
