/**
 * Carries flow-mods out, with the meanings that OpenFlow 1.0 to 1.5 give them (1.5.1 §6.4, §6.5) where these
 * agree with Open vSwitch. Where versions differ, the decoded record says what is meant.
 */
import { checkActions } from '../../protocols/openflow/action-check.ts'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import {
  COOKIE_UNCHANGED,
  FF_CHECK_OVERLAP,
  FF_RESET_COUNTS,
  type FlowMod,
  OFPG_ANY,
  OFPTT_ALL,
} from '../../protocols/openflow/flow-mod.ts'
import { OFPP_ANY } from '../../protocols/openflow/port.ts'
import type { Instant } from '../../protocols/time.ts'
import { targetRefusal } from './action-targets.ts'
import { Bundle } from './bundle.ts'
import { type FlowFilter, selectRules } from './flow-dump.ts'
import type { FlowTables } from './flow-tables.ts'
import { conjunctionsOf, Rule } from './rule.ts'
import { TABLE_INTERNAL } from './table-numbers.ts'
import { optionsRefusal } from './tlv-use.ts'

/** A flow-mod that was refused, by its place in the list. */
export interface FlowModFailure {
  readonly index: number
  readonly error: OfErrorName
}

/**
 * Carries out a list of flow-mods. Of an `atomic` list the first failure undoes all, and is the only one;
 * otherwise each stands or falls by itself.
 * @param origin who asked for them, by the number that flow monitors know them by; 0 for nobody
 */
export function applyFlowMods(
  tables: FlowTables,
  mods: readonly FlowMod[],
  atomic: boolean,
  now: Instant,
  origin = 0,
): FlowModFailure[] {
  const failures: FlowModFailure[] = []
  const run = new FlowModRun(tables, atomic, now, origin)
  for (let index = 0; index < mods.length; index++) {
    const error = run.next(mods[index])
    if (error === undefined) continue
    failures.push({ index, error })
    if (atomic) break
  }
  run.end()
  return failures
}

/** Flow-mods that are carried out one by one and told of together. Packets see nothing in between. */
export class FlowModRun {
  readonly tables: FlowTables
  readonly #bundle: Bundle
  readonly #atomic: boolean
  readonly #now: Instant

  /** Parameters as those of `applyFlowMods`. */
  constructor(tables: FlowTables, atomic: boolean, now: Instant, origin = 0) {
    this.tables = tables
    this.#bundle = new Bundle(tables, origin)
    this.#bundle.mod = -1
    this.#atomic = atomic
    this.#now = now
  }

  /** Why it was refused, if it was; an atomic run is undone then, and must go no further. */
  next(fm: FlowMod): OfErrorName | undefined {
    const bundle = this.#bundle
    bundle.mod++
    const mark = bundle.length
    const error = applyFlowMod(this.tables, bundle, fm, this.#now)
    if (error !== undefined) bundle.rollback(this.#atomic ? 0 : mark)
    return error
  }

  /** One that could not be read takes its place, too. */
  unreadable(): void {
    this.#bundle.mod++
    if (this.#atomic) this.#bundle.rollback(0)
  }

  /** What was done stands. */
  end(): void {
    this.#bundle.commit()
  }
}

/** Carries out one flow-mod as part of a bundle; what it has changed before it fails is for the caller to undo. */
export function applyFlowMod(
  tables: FlowTables,
  bundle: Bundle,
  fm: FlowMod,
  now: Instant,
): OfErrorName | undefined {
  if (fm.table !== OFPTT_ALL && fm.table > TABLE_INTERNAL) return 'OFPBRC_BAD_TABLE_ID'
  const match = tables.tlv.inWords(fm.match)
  if (typeof match === 'string') return match
  if (match !== fm.match) fm = { ...fm, match }
  const refusal = optionsRefusal(tables.tlv, fm.actions)
  if (refusal !== undefined) return refusal
  const unfit = checkActions(fm.actions, fm.match, { table: fm.table })
  if (unfit !== undefined) return unfit.error
  const astray = targetRefusal(fm.actions, tables.targets)
  if (astray !== undefined) return astray
  switch (fm.command) {
    case 'add':
      return add(tables, bundle, fm, now)
    case 'modify':
    case 'modify_strict':
      return modify(tables, bundle, fm, now)
    default:
      return remove(tables, bundle, fm)
  }
}

function add(tables: FlowTables, bundle: Bundle, fm: FlowMod, now: Instant): OfErrorName | undefined {
  const tableId = fm.table === OFPTT_ALL ? 0 : fm.table
  if (tableId === TABLE_INTERNAL) return 'OFPBRC_EPERM'
  const table = tables.table(tableId)
  const old = table.classifier.find(fm.match, fm.priority)
  if (old === undefined) {
    const checked = (fm.flags & FF_CHECK_OVERLAP) !== 0
    if (checked && table.classifier.overlaps(fm.match, fm.priority)) return 'OFPFMFC_OVERLAP'
    if (table.full) {
      const victim = table.evicts ? tables.victim(table) : undefined
      if (victim === undefined) return 'OFPFMFC_TABLE_FULL'
      bundle.remove(victim, 'eviction')
    }
  }
  const rule = new Rule(
    {
      tableId,
      priority: fm.priority,
      actions: fm.actions,
      cookie: fm.newCookie,
      idleTimeout: fm.idleTimeout,
      hardTimeout: fm.hardTimeout,
      // Those that were for the one message are told of the rule all the same, as by Open vSwitch.
      flags: fm.flags,
      importance: fm.importance,
    },
    now,
  )
  if (old === undefined) bundle.add(fm.match, rule)
  else bundle.replace(old, rule, (fm.flags & FF_RESET_COUNTS) === 0)
  return undefined
}

function modify(tables: FlowTables, bundle: Bundle, fm: FlowMod, now: Instant): OfErrorName | undefined {
  const rules = selectRules(tables, filterOf(fm))
  if (rules.length === 0) {
    // As OpenFlow 1.0 and 1.1 have it: what is not there to be modified is added, unless picked by cookie.
    return fm.newCookie !== COOKIE_UNCHANGED && fm.cookieMask === 0n
      ? add(tables, bundle, fm, now)
      : undefined
  }
  if (rules.some((rule) => rule.tableId === TABLE_INTERNAL)) return 'OFPBRC_EPERM'
  const conjunctions = conjunctionsOf(fm.actions)
  const reset = (fm.flags & FF_RESET_COUNTS) !== 0
  for (const rule of rules) {
    bundle.modify(rule, ({ cookie, packets, bytes, used }) => ({
      actions: fm.actions,
      conjunctions,
      cookie: fm.modifyCookie && fm.newCookie !== COOKIE_UNCHANGED ? fm.newCookie : cookie,
      modified: now,
      packets: reset ? 0 : packets,
      bytes: reset ? 0 : bytes,
      used,
    }))
  }
  return undefined
}

function remove(tables: FlowTables, bundle: Bundle, fm: FlowMod): OfErrorName | undefined {
  const rules = selectRules(tables, filterOf(fm))
  if (rules.some((rule) => rule.tableId === TABLE_INTERNAL)) return 'OFPBRC_EPERM'
  for (const rule of rules) bundle.remove(rule, 'delete')
  return undefined
}

/** Which rules a modification or deletion is about; outputs are asked about by deletions only. */
function filterOf(fm: FlowMod): FlowFilter {
  const { command, table, match, priority, cookie, cookieMask } = fm
  const deletes = command === 'delete' || command === 'delete_strict'
  const outPort = deletes ? fm.outPort : OFPP_ANY
  const outGroup = deletes ? fm.outGroup : OFPG_ANY
  const filter = { table, match, cookie, cookieMask, outPort, outGroup }
  const strict = command === 'modify_strict' || command === 'delete_strict'
  return strict ? { ...filter, strictPriority: priority } : filter
}
