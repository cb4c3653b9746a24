/** What a table does with a packet that no rule of it matches: OFPTC_TABLE_MISS_*, which only 1.1 and 1.2 have. */

import { OF11, OF12, type OfVersion } from './version.ts'

export type TableMiss = 'default' | 'controller' | 'continue' | 'drop'

const MISSES: readonly TableMiss[] = ['controller', 'continue', 'drop', 'controller']

const has = (version: OfVersion): boolean => version === OF11 || version === OF12

export function decodeTableMiss(config: number, version: OfVersion): TableMiss {
  return has(version) ? MISSES[config & 3] : 'default'
}

export function encodeTableMiss(miss: TableMiss, version: OfVersion): number {
  return has(version) ? Math.max(0, MISSES.indexOf(miss)) : 0
}
