/** Table features, OpenFlow 1.3 and later (1.0 to 1.2 carry a part of them in the table statistics). */

import type { FieldId } from '../meta-flow.ts'
import type { OfActionType } from './action.ts'

/** What happens to a packet that no rule of a table matches. */
export type TableMiss = 'default' | 'controller' | 'continue' | 'drop'

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

export interface TableFeatures {
  table: number
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
  nonmiss: TableInstructionFeatures
  missRule: TableInstructionFeatures
  /** Fields that may be matched on, those of them that may be masked, and those that may be left out. */
  match: readonly FieldId[]
  mask: readonly FieldId[]
  wildcard: readonly FieldId[]
}
