/** Table statistics. */

import type { TableFeatures } from './table-features.ts'

export interface TableStats {
  table: number
  activeCount: number
  lookupCount: number
  matchedCount: number
  /** What OpenFlow 1.0 to 1.2 carry in the statistics of a table. */
  features: TableFeatures
}
