/**
 * A table of rules: which of them has the highest priority among those that match a packet? Tuple space
 * search, as in Open vSwitch: rules with the same mask share a subtable, one hash lookup each; subtables are
 * visited from the highest priority down until none can hold a better rule.
 *
 * A lookup records in `wc` every bit that its answer depends on, also of subtables in which nothing was found:
 * any packet that agrees in these bits gets the same answer. It looks at as few as it can: by stages, by the
 * prefix tries of IP addresses and by those of ports.
 *
 * Of rules of one priority that match the same packet, which one is found is undefined, as in OpenFlow.
 */
import { FLOW_WORDS, W_CONJ_ID } from '../../protocols/flow-key.ts'
import type { Match } from '../../protocols/openflow/match.ts'
import { finish, mix } from '../flow/hash.ts'
import type { Rule } from '../ofproto/rule.ts'
import { conjunctiveMatch } from './conjunctive-match.ts'
import type { Footprints } from './footprints.ts'
import { PREFIX_FIELDS, PREFIX_WORD, PrefixTries, prefixLength } from './prefix-fields.ts'
import { Subtable } from './subtable.ts'

export class Classifier {
  readonly #seed: number
  readonly #tries = new PrefixTries()
  /** By falling ceiling. */
  #subtables: Subtable[] = []
  readonly #byMask = new Map<number, Subtable[]>()
  /** The subtable asked for last. */
  #recent: Subtable | undefined
  #nextId = 1
  readonly #soft: Rule[] = []
  /** Rules. */
  size = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  get masks(): number {
    return this.#subtables.length
  }

  /** The rule of exactly this match and priority. */
  find(match: Match, priority: number): Rule | undefined {
    let rule = this.#subtable(match.mask)?.head(match.value)
    while (rule !== undefined && rule.priority > priority) rule = rule.lower
    return rule?.priority === priority ? rule : undefined
  }

  /**
   * Adds a rule; there is none of this match and priority.
   * @returns whether lookups that left none of the rule's footprints may find it too: it stands in a subtable
   * that they had no reason to visit
   */
  insert(match: Match, rule: Rule): boolean {
    const { mask, value } = match
    let subtable = this.#subtable(mask)
    if (subtable === undefined) {
      subtable = new Subtable(this.#nextId++, mask, this.#seed)
      const hash = hashMask(mask)
      const sameHash = this.#byMask.get(hash)
      if (sameHash === undefined) this.#byMask.set(hash, [subtable])
      else sameHash.push(subtable)
      this.#subtables.push(subtable)
    }
    subtable.insert(value, rule)
    for (let field = 0; field < PREFIX_FIELDS; field++) {
      const length = prefixLength(mask, field)
      if (length > 0) this.#tries.tries[field].insert(value, PREFIX_WORD[field], length)
    }
    this.size++
    if (rule.priority <= subtable.priorities.ceiling) return false
    subtable.priorities.adjustCeiling()
    this.#moveUp(subtable)
    return true
  }

  /** Puts a rule in the place of one of the same match and priority. */
  replace(old: Rule, rule: Rule): void {
    old.subtable!.replace(old, rule)
  }

  remove(rule: Rule): void {
    const subtable = rule.subtable!
    const { value, mask } = subtable.borrowMatch(rule.row)
    const before = subtable.priorities.max
    subtable.remove(rule)
    for (let field = 0; field < PREFIX_FIELDS; field++) {
      const length = prefixLength(mask, field)
      if (length > 0) this.#tries.tries[field].remove(value, PREFIX_WORD[field], length)
    }
    this.size--
    if (subtable.count === 0) this.#removeSubtable(subtable)
    else if (subtable.priorities.max !== before) {
      subtable.priorities.adjustCeiling()
      this.#subtables.sort(byCeiling)
    }
  }

  /**
   * The rule for a packet, or undefined (table miss).
   * @param flow FLOW_WORDS words; conj_id is changed meanwhile
   * @param wc gets the bits the answer depends on
   * @param prints gets the footprints of the lookup
   */
  lookup(flow: Uint32Array, wc: Uint32Array, prints?: Footprints): Rule | undefined {
    this.#tries.reset()
    const soft = this.#soft
    if (soft.length > 0) soft.length = 0
    let hard = this.#search(flow, wc, prints, soft)
    if (hard !== undefined && soft.length > 0) keepAbove(soft, hard.priority)
    while (soft.length > 0) {
      let priority = -1
      for (const rule of soft) if (rule.priority > priority) priority = rule.priority
      for (const rule of soft) if (rule.priority === priority) prints?.addRule(rule.id)
      const id = conjunctiveMatch(soft, priority)
      if (id !== undefined) {
        const rule = this.#lookupConjunction(flow, wc, prints, id)
        if (rule !== undefined) {
          hard = rule
          break
        }
      }
      // Not at this priority: what the same matches have below takes their place.
      for (let i = soft.length - 1; i >= 0; i--) {
        if (soft[i].priority !== priority) continue
        const lower = soft[i].lower
        if (lower?.conjunctions !== undefined) {
          soft[i] = lower
          continue
        }
        if (lower !== undefined && (hard === undefined || lower.priority > hard.priority)) hard = lower
        soft[i] = soft[soft.length - 1]
        soft.length--
      }
      if (hard !== undefined) keepAbove(soft, hard.priority)
    }
    if (hard !== undefined) prints?.addRule(hard.id)
    return hard
  }

  #lookupConjunction(
    flow: Uint32Array,
    wc: Uint32Array,
    prints: Footprints | undefined,
    id: number,
  ): Rule | undefined {
    const before = flow[W_CONJ_ID]
    flow[W_CONJ_ID] = id
    const rule = this.#search(flow, wc, prints, undefined)
    flow[W_CONJ_ID] = before
    return rule
  }

  /** The best rule without conjunctions; those with them that may beat it go to `soft`, or are passed over. */
  #search(
    flow: Uint32Array,
    wc: Uint32Array,
    prints: Footprints | undefined,
    soft: Rule[] | undefined,
  ): Rule | undefined {
    let best: Rule | undefined
    const subtables = this.#subtables
    for (let s = 0; s < subtables.length; s++) {
      const subtable = subtables[s]
      if (best !== undefined && best.priority >= subtable.priorities.ceiling) break
      let found = subtable.lookup(flow, wc, this.#tries, prints)
      if (found === undefined) continue
      if (soft === undefined) {
        while (found?.conjunctions !== undefined) found = found.lower
      }
      if (found === undefined || (best !== undefined && found.priority <= best.priority)) continue
      if (found.conjunctions === undefined) best = found
      else soft!.push(found)
    }
    return best
  }

  /** All rules, in no particular order; none may come or go meanwhile. */
  *rules(): IterableIterator<Rule> {
    for (const subtable of this.#subtables) {
      for (let row = subtable.nextRow(0); row >= 0; row = subtable.nextRow(row + 1)) {
        for (let r: Rule | undefined = subtable.headOf(row); r !== undefined; r = r.lower) yield r
      }
    }
  }

  /** Rules that match no packet but those `match` does: of the same match, or a narrower one. */
  within(match: Match): Rule[] {
    const out: Rule[] = []
    for (const subtable of this.#subtables) {
      if (!includes(subtable.mask, match.mask)) continue
      if (!includes(match.mask, subtable.mask)) {
        for (let row = subtable.nextRow(0); row >= 0; row = subtable.nextRow(row + 1)) {
          if (subtable.agrees(row, match.value, match.mask)) collect(out, subtable.headOf(row))
        }
      } else collect(out, subtable.head(match.value))
    }
    return out
  }

  /** Whether another rule of this priority matches some packet that `match` does. */
  overlaps(match: Match, priority: number): boolean {
    for (const subtable of this.#subtables) {
      if (subtable.priorities.count(priority) === 0) continue
      if (includes(match.mask, subtable.mask)) {
        if (hasPriority(subtable.head(match.value), priority)) return true
        continue
      }
      for (let row = subtable.nextRow(0); row >= 0; row = subtable.nextRow(row + 1)) {
        if (subtable.agrees(row, match.value, match.mask) && hasPriority(subtable.headOf(row), priority)) {
          return true
        }
      }
    }
    return false
  }

  #subtable(mask: Uint32Array): Subtable | undefined {
    // Whoever inserts has just asked for the same mask.
    if (this.#recent !== undefined && sameWords(this.#recent.mask, mask)) return this.#recent
    this.#recent = this.#byMask.get(hashMask(mask))?.find((s) => sameWords(s.mask, mask))
    return this.#recent
  }

  #moveUp(subtable: Subtable): void {
    const list = this.#subtables
    let i = list.indexOf(subtable)
    for (; i > 0 && list[i - 1].priorities.ceiling < subtable.priorities.ceiling; i--) list[i] = list[i - 1]
    list[i] = subtable
  }

  #removeSubtable(subtable: Subtable): void {
    this.#subtables = this.#subtables.filter((s) => s !== subtable)
    if (this.#recent === subtable) this.#recent = undefined
    const hash = hashMask(subtable.mask)
    const left = this.#byMask.get(hash)!.filter((s) => s !== subtable)
    if (left.length > 0) this.#byMask.set(hash, left)
    else this.#byMask.delete(hash)
  }
}

function byCeiling(a: Subtable, b: Subtable): number {
  return b.priorities.ceiling - a.priorities.ceiling
}

function keepAbove(soft: Rule[], priority: number): void {
  let kept = 0
  for (const rule of soft) if (rule.priority > priority) soft[kept++] = rule
  soft.length = kept
}

function collect(out: Rule[], head: Rule | undefined): void {
  for (let rule = head; rule !== undefined; rule = rule.lower) out.push(rule)
}

function hasPriority(head: Rule | undefined, priority: number): boolean {
  let rule = head
  while (rule !== undefined && rule.priority > priority) rule = rule.lower
  return rule?.priority === priority
}

function hashMask(mask: Uint32Array): number {
  let hash = 0
  for (let i = 0; i < FLOW_WORDS; i++) if (mask[i] !== 0) hash = mix(mix(hash, i), mask[i])
  return finish(hash)
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < FLOW_WORDS; i++) if (a[i] !== b[i]) return false
  return true
}

/** Whether mask `a` has every bit of `b`. */
function includes(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < FLOW_WORDS; i++) if ((b[i] & ~a[i]) !== 0) return false
  return true
}
