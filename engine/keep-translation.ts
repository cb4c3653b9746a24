/** A finished translation becomes a megaflow. */
import { KEY_WORDS } from '../protocols/flow-key.ts'
import type { Instant } from '../protocols/time.ts'
import type { MegaflowTable } from './classifier/megaflow-table.ts'
import type { Xlate } from './ofproto/xlate.ts'

/** Every bit of a packet's headers. */
const EVERYTHING = new Uint32Array(KEY_WORDS).fill(0xffff_ffff)

/** The new megaflow of the packets that `key` stands for, or -1 where there is none to be or no room for it. */
export function keepTranslation(flows: MegaflowTable, key: Uint32Array, x: Xlate, now: Instant): number {
  if (!x.cacheable) return -1
  const { code, length } = x.program
  return flows.insert(
    key,
    flows.exact ? EVERYTHING : x.wc,
    code,
    length,
    x.notes.tags,
    x.notes.stations,
    x.notes.count,
    now,
    x.rewritten,
    x.counters,
    x.counterCount,
  )
}
