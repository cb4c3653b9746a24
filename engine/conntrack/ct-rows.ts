/** The connections of ct() as the door shows them. */
import { type Instant, SECOND } from '../../protocols/time.ts'
import type { Page } from '../dpif.ts'
import type { CtRow, CtTupleRow } from '../dpif-conntrack.ts'
import type { ZoneTracker } from './zone-tracker.ts'

/** Rows in one page of a dump. */
const PAGE = 1000

export function ctRows(zones: ZoneTracker, from: number, now: Instant): Page<CtRow> {
  const { conntrack } = zones
  const rows: CtRow[] = []
  for (let c = from; c < conntrack.end; c++) {
    const zone = conntrack.exists(c) ? zones.zoneOf(conntrack.zoneOf(c)) : -1
    if (zone < 0) continue
    if (rows.length === PAGE) return { rows, next: c }
    const marks = zones.marks(c)
    const tuple = (entry: number): CtTupleRow => ({
      addresses: zones.addresses(entry),
      tp: conntrack.tp(entry),
    })
    rows.push({
      zone,
      ipv6: zones.isIpv6(c),
      proto: conntrack.proto(c),
      original: tuple(c << 1),
      reply: tuple((c << 1) | 1),
      mark: marks[0],
      label: marks.slice(1),
      state: conntrack.stateName(c),
      expires: Math.max(0, Math.round((conntrack.expiresAt(c) - now) / SECOND)),
      helped: conntrack.helped(c),
    })
  }
  return { rows, next: undefined }
}
