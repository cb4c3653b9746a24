/**
 * What a controller may change of flow tables by a table features request (OpenFlow 1.5.1, 7.3.5.18.1): their names.
 * Of all else it may ask for less than there is, and gets what there is; as in Open vSwitch.
 */
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import type {
  TableActionFeatures,
  TableFeatures,
  TableInstructionFeatures,
} from '../../protocols/openflow/table-features.ts'
import { TABLES } from './table-features.ts'

/** What is asked for, by table, or why it cannot be had. @param present the features of all tables, in order */
export function tableNamesOf(
  request: readonly TableFeatures[],
  present: readonly TableFeatures[],
): readonly { readonly table: number; readonly name: string }[] | OfErrorName {
  const asked = new Map<number, TableFeatures>()
  for (const features of request) {
    if (features.table >= TABLES) return 'OFPTFFC_EPERM'
    if (asked.has(features.table)) return 'NXTFFC_DUP_TABLE'
    asked.set(features.table, features)
  }
  const command = request[0]?.command
  // Tables are neither added nor taken away, by a list that lacks some as little as by name.
  if (command === 'enable' || command === 'disable') return 'OFPTFFC_EPERM'
  if (command === 'replace' && asked.size < TABLES) return 'OFPTFFC_EPERM'
  for (const features of asked.values()) {
    if (!isWithin(features, present[features.table]!)) return 'OFPTFFC_EPERM'
  }
  return [...asked.values()].map(({ table, name }) => ({ table, name }))
}

function isWithin(asked: TableFeatures, present: TableFeatures): boolean {
  return (
    asked.maxEntries === present.maxEntries &&
    (asked.metadataMatch & ~present.metadataMatch) === 0n &&
    (asked.metadataWrite & ~present.metadataWrite) === 0n &&
    (present.supportsEviction === true || asked.supportsEviction !== true) &&
    (present.supportsVacancyEvents === true || asked.supportsVacancyEvents !== true) &&
    (!asked.hasProperties ||
      (areInstructionsWithin(asked.nonmiss, present.nonmiss) &&
        areInstructionsWithin(asked.missRule, present.missRule) &&
        isSubset(asked.match, present.match) &&
        isSubset(asked.mask, present.mask) &&
        isSubset(asked.wildcard, present.wildcard)))
  )
}

function areInstructionsWithin(asked: TableInstructionFeatures, present: TableInstructionFeatures): boolean {
  return (
    isSubset(asked.next, present.next) &&
    isSubset(asked.instructions, present.instructions) &&
    areActionsWithin(asked.write, present.write) &&
    areActionsWithin(asked.apply, present.apply)
  )
}

function areActionsWithin(asked: TableActionFeatures, present: TableActionFeatures): boolean {
  return isSubset(asked.actions, present.actions) && isSubset(asked.setFields, present.setFields)
}

function isSubset<T>(some: readonly T[], all: readonly T[]): boolean {
  const there = new Set(all)
  return some.every((one) => there.has(one))
}
