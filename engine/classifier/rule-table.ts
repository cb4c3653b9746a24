/**
 * A table of flow rules: priority, match, actions. Tuple space search: rules with the same mask share a
 * subtable, subtables are searched from the highest priority down until none can hold a better rule.
 *
 * Invariant: `lookup` records in `wc` every bit it compared, also of subtables in which nothing was found;
 * that is what makes a megaflow safe to cache.
 */
import { KEY_WORDS } from '../../protocols/flow-key.ts'

/** What a rule does; the pipeline of the translation runs these in order. */
export type RuleAction =
  /** Learn, look up, flood: what a switch without rules does. */
  | { readonly type: 'normal' }
  /** Out of the port with this OpenFlow number. */
  | { readonly type: 'output'; readonly ofport: number }
  /** Out of every port that is not the one it came by. */
  | { readonly type: 'flood' }

export interface Rule {
  /** 0–65,535; the highest match wins. */
  readonly priority: number
  /** FlowKey words; bits outside `mask` are zero. */
  readonly match: Uint32Array
  readonly mask: Uint32Array
  /** None: the packet is dropped. */
  readonly actions: readonly RuleAction[]
  readonly cookie: number
}

interface Subtable {
  readonly mask: Uint32Array
  /** Indices of the words the mask touches. */
  readonly words: readonly number[]
  readonly rules: Map<string, Rule[]>
  maxPriority: number
}

/** The rule of a bridge that nobody has programmed. */
export function normalRule(): Rule {
  return {
    priority: 0,
    match: new Uint32Array(KEY_WORDS),
    mask: new Uint32Array(KEY_WORDS),
    actions: [{ type: 'normal' }],
    cookie: 0,
  }
}

export class RuleTable {
  #subtables: Subtable[] = []

  get size(): number {
    let n = 0
    for (const s of this.#subtables) for (const rules of s.rules.values()) n += rules.length
    return n
  }

  /** Adds a rule; one of the same match and priority is replaced. */
  add(rule: Rule): void {
    let subtable = this.#subtables.find((s) => sameWords(s.mask, rule.mask))
    if (subtable === undefined) {
      const words = [...rule.mask.keys()].filter((i) => rule.mask[i] !== 0)
      subtable = { mask: rule.mask.slice(), words, rules: new Map(), maxPriority: 0 }
      this.#subtables.push(subtable)
    }
    const id = maskedId(rule.match, subtable)
    const others = (subtable.rules.get(id) ?? []).filter((r) => r.priority !== rule.priority)
    subtable.rules.set(
      id,
      [...others, rule].sort((a, b) => b.priority - a.priority),
    )
    this.#reorder()
  }

  /** Removes the rule of this match and priority; tells whether there was one. */
  remove(match: Uint32Array, mask: Uint32Array, priority: number): boolean {
    const subtable = this.#subtables.find((s) => sameWords(s.mask, mask))
    if (subtable === undefined) return false
    const id = maskedId(match, subtable)
    const rules = subtable.rules.get(id) ?? []
    const left = rules.filter((r) => r.priority !== priority)
    if (left.length === rules.length) return false
    if (left.length > 0) subtable.rules.set(id, left)
    else subtable.rules.delete(id)
    this.#reorder()
    return true
  }

  /** The rule for a packet, or undefined (table miss); the bits compared are added to `wc`. */
  lookup(flow: Uint32Array, wc: Uint32Array): Rule | undefined {
    let best: Rule | undefined
    for (const subtable of this.#subtables) {
      if (best !== undefined && best.priority >= subtable.maxPriority) break
      for (const w of subtable.words) wc[w] = (wc[w] | subtable.mask[w]) >>> 0
      const found = subtable.rules.get(maskedId(flow, subtable))?.[0]
      if (found !== undefined && (best === undefined || found.priority > best.priority)) best = found
    }
    return best
  }

  #reorder(): void {
    this.#subtables = this.#subtables.filter((s) => s.rules.size > 0)
    for (const s of this.#subtables) {
      s.maxPriority = 0
      for (const rules of s.rules.values()) s.maxPriority = Math.max(s.maxPriority, rules[0].priority)
    }
    this.#subtables.sort((a, b) => b.maxPriority - a.maxPriority)
  }
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  return a.every((word, i) => word === b[i])
}

function maskedId(words: Uint32Array, subtable: Subtable): string {
  let id = ''
  for (const w of subtable.words) id += `${((words[w] & subtable.mask[w]) >>> 0).toString(36)},`
  return id
}
