/**
 * Which rule of a full table makes room for another: of the largest group the least important, and of those the one
 * that ends first. Groups are of rules that agree in some fields, so that no one who adds many takes the room of
 * others (`groups` of Flow_Table in ovs-vswitchd.conf.db(5)); without fields all rules are one group.
 */
import { FIELDS } from '../../protocols/meta-flow.ts'
import type { Subfield } from '../../protocols/openflow/action.ts'
import { prerequisitesHold } from '../../protocols/openflow/prerequisites.ts'
import { type Instant, SECOND } from '../../protocols/time.ts'
import { wholeMatch } from '../classifier/mini-match.ts'
import { readSubfieldBits } from './flow-bits.ts'
import type { Rule } from './rule.ts'

const WIDEST = 1024

export class EvictionGroups {
  readonly #fields: readonly Subfield[]
  /** What a rule matches never changes. */
  readonly #known = new WeakMap<Rule, string>()

  constructor(fields: readonly Subfield[]) {
    this.#fields = fields
  }

  /** @param rules that may make room, of one table */
  victim(rules: readonly Rule[]): Rule | undefined {
    if (this.#fields.length === 0) return firstToGo(rules)
    const groups = new Map<string, Rule[]>()
    for (const rule of rules) {
      const name = this.#groupOf(rule)
      const group = groups.get(name)
      if (group === undefined) groups.set(name, [rule])
      else group.push(rule)
    }
    let largest: readonly Rule[] = []
    for (const group of groups.values()) if (group.length > largest.length) largest = group
    return firstToGo(largest)
  }

  #groupOf(rule: Rule): string {
    let group = this.#known.get(rule)
    if (group === undefined) {
      group = this.#read(rule)
      this.#known.set(rule, group)
    }
    return group
  }

  /** Values that a rule matches; what it cannot match, or does not, is 0. */
  #read(rule: Rule): string {
    const { value, mask } = wholeMatch(rule.miniMatch)
    const bits = new Uint32Array(WIDEST / 32)
    return this.#fields
      .map(({ field, ofs, nBits }) => {
        if (!prerequisitesHold(FIELDS[field], value, mask)) return ''
        readSubfieldBits(value, FIELDS[field], ofs, nBits, bits, WIDEST)
        return bits.subarray(-Math.ceil(nBits / 32)).join('.')
      })
      .join(' ')
  }
}

function firstToGo(rules: readonly Rule[]): Rule | undefined {
  let first: Rule | undefined
  for (const rule of rules) {
    if (first === undefined || rule.importance < first.importance) first = rule
    else if (rule.importance === first.importance && endOf(rule) < endOf(first)) first = rule
  }
  return first
}

/** When a rule with a timeout will end if no packet comes. */
function endOf(rule: Rule): Instant {
  const hard = rule.hardTimeout > 0 ? rule.modified + rule.hardTimeout * SECOND : Number.POSITIVE_INFINITY
  const idle = rule.idleTimeout > 0 ? rule.used + rule.idleTimeout * SECOND : Number.POSITIVE_INFINITY
  return Math.min(hard, idle)
}
