/**
 * The flow tables of a bridge: a packet's way from table to table, the limits on it, and what becomes of a
 * packet that no rule matches.
 */
import { W_IN_PORT } from '../../protocols/flow-key.ts'
import { DROP_ACTION, DROP_FRAGMENT, DROP_TABLE_MISS } from '../drops.ts'
import { type ActionContext, NO_COOKIE } from './action-context.ts'
import { executeActionSet } from './action-set.ts'
import { sendToController } from './actions/controller.ts'
import { executeActions } from './actions/execute-actions.ts'
import { freeze } from './actions/recirculate.ts'
import type { Rule } from './rule.ts'
import { dropsFragment, lookupRule } from './rule-lookup.ts'
import { TABLE_COUNT, TABLE_INTERNAL } from './table-numbers.ts'

/** What a packet-in of a packet without a rule carries: as much as the connection asks for. */
const MISS_LENGTH = 0xffff

/** Table 0 and all that follows, the action set included. */
export function runPipeline(ctx: ActionContext): void {
  const { x } = ctx
  const before = x.outputs
  ctx.table = 0
  x.level++
  // Whatever comes after the tables counts as done by the first one's rule, as in Open vSwitch.
  ctx.cookie = enterTable(ctx, 0, true, true)?.cookie ?? NO_COOKIE
  finishPipeline(ctx)
  x.level--
  if (x.outputs === before) x.drop(DROP_ACTION)
}

/** What comes when no more actions are left: the action set, or reading the headers anew. */
export function finishPipeline(ctx: ActionContext): void {
  if (ctx.frozen === undefined && !ctx.x.failed) executeActionSet(ctx)
  if (ctx.frozen !== undefined && !ctx.x.failed) freeze(ctx)
}

/**
 * Carries out the actions of the rule that a table has for the packet.
 * @param honorMiss a packet that no rule matches goes the way the table's settings say; otherwise nothing is done
 * @param isLast nobody wants the packet afterwards
 * @param restore undoes what was pretended for the lookup, before the rule's actions see the packet
 */
export function visitTable(
  ctx: ActionContext,
  tableId: number,
  honorMiss: boolean,
  isLast: boolean,
  restore?: () => void,
): void {
  const { x } = ctx
  if (!x.mayEnter()) {
    restore?.()
    return
  }
  // A table further on leads to an end by itself.
  if (tableId > ctx.table) {
    x.level++
    enterTable(ctx, tableId, honorMiss, isLast, restore)
    x.level--
  } else x.deepen(() => enterTable(ctx, tableId, honorMiss, isLast, restore))
}

function enterTable(
  ctx: ActionContext,
  tableId: number,
  honorMiss: boolean,
  isLast: boolean,
  restore?: () => void,
): Rule | undefined {
  const { x } = ctx
  const { table, rule, cookie } = ctx
  if (dropsFragment(x, ctx.bridge)) {
    restore?.()
    x.trace?.table(x.depth, tableId, undefined)
    ctx.note('drop')
    x.drop(DROP_FRAGMENT)
    return undefined
  }
  ctx.table = tableId
  let found = lookupRule(x, ctx.bridge, tableId)
  while (found === undefined && honorMiss && ctx.table < TABLE_COUNT - 1) {
    if (ctx.bridge.tables.table(ctx.table).config.miss !== 'continue' || ctx.table + 1 === TABLE_INTERNAL)
      break
    ctx.table++
    found = lookupRule(x, ctx.bridge, ctx.table)
  }
  restore?.()
  if (found !== undefined) executeRule(ctx, found, isLast)
  else {
    x.trace?.table(x.level, ctx.table, undefined)
    if (honorMiss) miss(ctx)
    else ctx.note('drop')
  }
  ctx.table = table
  ctx.rule = rule
  ctx.cookie = cookie
  return found
}

function executeRule(ctx: ActionContext, rule: Rule, isLast: boolean): void {
  ctx.rule = rule
  ctx.cookie = rule.cookie
  ctx.x.resubmits++
  ctx.x.trace?.table(ctx.x.level, ctx.table, rule)
  if (rule.actions.length === 0) ctx.note('drop')
  executeActions(ctx, rule.actions, isLast)
}

function miss(ctx: ActionContext): void {
  const { x, bridge } = ctx
  const { miss: setting } = bridge.tables.table(ctx.table).config
  const port = bridge.portByNumber(x.flow[W_IN_PORT])
  const wanted = setting === 'controller' || (setting === 'default' && bridge.packetInOnMiss)
  if (wanted && port?.packetIns !== false) {
    ctx.note(`CONTROLLER:${MISS_LENGTH}`)
    ctx.rule = undefined
    ctx.cookie = NO_COOKIE
    sendToController(ctx, { reason: 'no_match', maxLen: MISS_LENGTH })
  } else {
    ctx.note('drop')
    x.drop(DROP_TABLE_MISS)
  }
}
