/** Table-mod, table descriptions and table status (vacancy events). */

import type { TableMiss } from './table-features.ts'

export interface TableVacancy {
  /** Percent of the table that is free. */
  down: number
  up: number
  /** Now; 0 in a request. */
  vacancy: number
}

export interface TableMod {
  /** OFPTT_ALL for all. */
  table: number
  /** OpenFlow 1.1 and 1.2. Undefined: no change. */
  miss: TableMiss | undefined
  /** OpenFlow 1.4 and later. Undefined: no change. */
  eviction: boolean | undefined
  /** TMPEF_*; undefined: not given. */
  evictionFlags: number | undefined
  vacancyEvents: boolean | undefined
  vacancy: TableVacancy
}

export const TMPEF_OTHER = 1 << 0
export const TMPEF_IMPORTANCE = 1 << 1
export const TMPEF_LIFETIME = 1 << 2

export interface TableDesc {
  table: number
  eviction: boolean | undefined
  evictionFlags: number
  vacancyEvents: boolean | undefined
  vacancy: TableVacancy
}

export interface TableStatus {
  reason: 'vacancy_down' | 'vacancy_up'
  desc: TableDesc
}
