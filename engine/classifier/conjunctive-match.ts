/**
 * conjunction(id, k/n): rules with it are soft matches. Where those of one priority cover all n clauses of an
 * id, the packet is looked up again with conj_id set to it (ovs-fields(7), "Conjunctive Match Fields").
 */
import type { Rule } from '../ofproto/rule.ts'

/** The clauses met so far of each id. */
interface Progress {
  readonly id: number
  /** Clauses not met yet, as bits of two words: there are up to 64. */
  low: number
  high: number
}

/**
 * The id whose clauses the soft matches of a priority meet, all of them; undefined for none. Of several the
 * one completed first.
 */
export function conjunctiveMatch(soft: readonly Rule[], priority: number): number | undefined {
  const progress: Progress[] = []
  for (const rule of soft) {
    if (rule.priority !== priority) continue
    for (const { id, clause, clauses } of rule.conjunctions!) {
      let p = progress.find((known) => known.id === id)
      if (p === undefined) {
        p = { id, low: ones(clauses), high: ones(clauses - 32) }
        progress.push(p)
      }
      if (clause < 32) p.low &= ~(1 << clause)
      else p.high &= ~(1 << (clause - 32))
      if (p.low === 0 && p.high === 0) return id
    }
  }
  return undefined
}

/** A word whose lower `n` bits are 1s. */
function ones(n: number): number {
  return n <= 0 ? 0 : n >= 32 ? -1 : (1 << n) - 1
}
