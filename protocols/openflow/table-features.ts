/** Table features, OpenFlow 1.3 and later (1.0 to 1.2 carry a part of them in the table statistics): the record. */

import type { FieldId } from '../meta-flow.ts'
import type { OfActionType } from './action.ts'
import type { TableMiss } from './table-miss.ts'

export type Instruction =
  | 'goto_table'
  | 'write_metadata'
  | 'write_actions'
  | 'apply_actions'
  | 'clear_actions'
  | 'meter'

/** What write-actions or apply-actions may do. */
export interface TableActionFeatures {
  actions: readonly OfActionType[]
  /** Fields that set_field may write. */
  setFields: readonly FieldId[]
}

/** Once for the table's rules, once for its table-miss rule. */
export interface TableInstructionFeatures {
  /** Tables that goto_table may name. */
  next: readonly number[]
  instructions: readonly Instruction[]
  write: TableActionFeatures
  apply: TableActionFeatures
}

/** OpenFlow 1.5; before, a request always replaces. */
export type TableFeaturesCommand = 'replace' | 'modify' | 'enable' | 'disable'

export interface TableFeatures {
  table: number
  command: TableFeaturesCommand
  /** At most 31 bytes on the wire. */
  name: string
  metadataMatch: bigint
  metadataWrite: bigint
  /** What the table does with packets that match none of its rules (OpenFlow 1.1 and 1.2). */
  miss: TableMiss
  /** Undefined: the version does not tell. */
  supportsEviction: boolean | undefined
  supportsVacancyEvents: boolean | undefined
  maxEntries: number
  /** False: only what stands above is told (OpenFlow 1.5), the rest is empty. */
  hasProperties: boolean
  nonmiss: TableInstructionFeatures
  missRule: TableInstructionFeatures
  /** Fields that may be matched on, those of them that may be masked, and those that may be left out. */
  match: readonly FieldId[]
  mask: readonly FieldId[]
  wildcard: readonly FieldId[]
}

export function emptyActionFeatures(): TableActionFeatures {
  return { actions: [], setFields: [] }
}

export function emptyInstructionFeatures(): TableInstructionFeatures {
  return { next: [], instructions: [], write: emptyActionFeatures(), apply: emptyActionFeatures() }
}

/** Features of which nothing but the table is known. */
export function emptyTableFeatures(table: number): TableFeatures {
  return {
    table,
    command: 'replace',
    name: '',
    metadataMatch: 0n,
    metadataWrite: 0n,
    miss: 'default',
    supportsEviction: undefined,
    supportsVacancyEvents: undefined,
    maxEntries: 0,
    hasProperties: false,
    nonmiss: emptyInstructionFeatures(),
    missRule: emptyInstructionFeatures(),
    match: [],
    mask: [],
    wildcard: [],
  }
}
