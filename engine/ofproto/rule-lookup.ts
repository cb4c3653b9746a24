/**
 * A translation looks for its rule in a flow table, and notes all that the answer depends on.
 */
import { FLAG_FRAG, KEY_WORDS, W_IN_PORT, W_TP, W_TYPE } from '../../protocols/flow-key.ts'
import type { Rule } from './rule.ts'
import { MAX_TAGS } from './tag-notes.ts'
import type { Bridge } from './topology.ts'
import type { Xlate } from './xlate.ts'

/** Tags of a translation left to other things than rules. */
const RESERVED_TAGS = 256

/**
 * The rule of a table for the packet as `x.flow` describes it, or undefined (table miss). The packet counts
 * towards the rule and the table.
 */
export function lookupRule(x: Xlate, bridge: Bridge, tableId: number): Rule | undefined {
  const table = bridge.tables.table(tableId)
  const { flow, prints } = x
  // Fragment handling "normal" (ovs-ofctl(8), set-frags): to rules, no fragment has transport ports.
  const ports = flow[W_TP]
  if (isFragment(x) && bridge.fragments === 'normal') flow[W_TP] = 0
  noteRewritten(x)
  prints.clear()
  const rule = table.classifier.lookup(flow, x.wc, prints)
  flow[W_TP] = ports
  x.tag(table.tag)
  if (prints.overflow || x.notes.count + prints.count > MAX_TAGS - RESERVED_TAGS) x.tag(table.changeTag)
  else for (let i = 0; i < prints.count; i++) x.tag(table.tagOfFootprint(prints.hashes[i]))
  x.credit(rule === undefined ? table.missed : table.matched)
  if (rule !== undefined) x.credit(rule)
  return rule
}

/** Whether the packet is a fragment that no table gets to see (fragment handling "drop"). */
export function dropsFragment(x: Xlate, bridge: Bridge): boolean {
  return isFragment(x) && bridge.fragments === 'drop'
}

function isFragment(x: Xlate): boolean {
  x.look(W_TYPE, FLAG_FRAG)
  return (x.flow[W_TYPE] & FLAG_FRAG) !== 0
}

/** Which words of the key no longer say what the table sees: a changed rule cannot be compared with those. */
function noteRewritten(x: Xlate): void {
  const { flow, origin } = x
  let rewritten = 1 << W_IN_PORT
  for (let w = 0; w < KEY_WORDS; w++) if (flow[w] !== origin[w]) rewritten |= 1 << w
  x.rewritten |= rewritten
}
