/**
 * learn: a packet makes a rule, ovs-actions(7). The packet itself goes by the tables as they were when it came;
 * packets of the same flow that come later keep the rule from growing old.
 */
import { W_IN_PORT } from '../../../protocols/flow-key.ts'
import { FIELDS, MFF } from '../../../protocols/meta-flow.ts'
import type { LearnAction, LearnSpec, OfAction } from '../../../protocols/openflow/action.ts'
import { FF_SEND_FLOW_REM, type FlowMod, NO_BUFFER, OFPG_ANY } from '../../../protocols/openflow/flow-mod.ts'
import { emptyMatch, type Match } from '../../../protocols/openflow/match.ts'
import { setDefaultPacketType } from '../../../protocols/openflow/match-field.ts'
import { OFPP_ANY, portFromOf10 } from '../../../protocols/openflow/port.ts'
import { getBits, putBits } from '../../../protocols/openflow/subfield.ts'
import type { Instant } from '../../../protocols/time.ts'
import { Footprints } from '../../classifier/footprints.ts'
import type { ActionContext } from '../action-context.ts'
import { fillBits, fillSubfield, readSubfieldBits, writeBits, writeSubfieldBits } from '../flow-bits.ts'
import { applyFlowMods } from '../flow-mod.ts'
import { PacketCounter } from '../packet-counter.ts'
import type { Rule } from '../rule.ts'
import { setPresent, tunnelOption } from '../tlv-table.ts'
import type { Xlate } from '../xlate.ts'
import { writeSubfield } from './fields.ts'

const VALUE_BITS = 128
const value = new Uint32Array(VALUE_BITS / 32)
const prints = new Footprints()

/** Packets that would learn the same again make what was learned young. */
class Refresh extends PacketCounter {
  readonly #rule: Rule
  constructor(rule: Rule) {
    super()
    this.#rule = rule
  }
  override credit(_packets: number, _bytes: number, used: Instant): void {
    if (used > this.#rule.modified) this.#rule.modified = used
  }
}

export function learn(ctx: ActionContext, action: LearnAction): void {
  const { x, bridge } = ctx
  const fm = flowModOf(x, action)
  if (!x.sideEffects) {
    ctx.note(' >> suppressing side effects, so learn action ignored')
    return
  }
  const { classifier } = bridge.tables.table(action.table)
  const known = classifier.find(fm.match, action.priority)
  const news = known === undefined || !isSame(known, fm)
  if (news && action.limit > 0 && !mayLearn(ctx, action)) {
    if (action.resultDst !== undefined) writeSubfield(x, action.resultDst, 0)
    return
  }
  x.afterwards.push(() => carryOut(ctx, action, fm))
  if (action.resultDst !== undefined) writeSubfield(x, action.resultDst, 1)
}

/** When the packet has been through all tables. */
function carryOut({ x, bridge }: ActionContext, action: LearnAction, fm: FlowMod): void {
  const { classifier } = bridge.tables.table(action.table)
  const known = classifier.find(fm.match, action.priority)
  if (known === undefined || !isSame(known, fm)) {
    const command = known === undefined ? 'add' : 'modify_strict'
    applyFlowMods(bridge.tables, [{ ...fm, command, modifyCookie: true }], false, x.now)
  } else known.modified = x.now
  const learned = classifier.find(fm.match, action.priority)
  if (learned === undefined) return
  // When it is gone it must be learned anew.
  prints.clear()
  prints.addRule(learned.id)
  x.tag(bridge.tables.table(action.table).tagOfFootprint(prints.hashes[0]))
  x.credit(new Refresh(learned))
}

/** Whether fewer rules than the limit have been learned under this cookie. */
function mayLearn(ctx: ActionContext, { table, cookie, limit }: LearnAction): boolean {
  const { x, bridge } = ctx
  const into = bridge.tables.table(table)
  // What is learned or forgotten elsewhere in this table may change the answer.
  x.tag(into.changeTag)
  x.tag(into.tag)
  let count = 0
  for (const rule of into.classifier.rules()) if (rule.cookie === cookie) count++
  return count < limit
}

function isSame(rule: Rule, fm: FlowMod): boolean {
  return (
    rule.cookie === fm.newCookie &&
    rule.idleTimeout === fm.idleTimeout &&
    rule.hardTimeout === fm.hardTimeout &&
    textOf(rule.actions) === textOf(fm.actions)
  )
}

function textOf(actions: readonly OfAction[]): string {
  return JSON.stringify(actions, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))
}

function flowModOf(x: Xlate, action: LearnAction): FlowMod {
  const match = emptyMatch()
  const actions: OfAction[] = []
  for (const spec of action.specs) {
    readSource(x, spec)
    if (spec.to === 'match') matchOn(x, match, spec)
    else if (spec.to === 'load') actions.push(load(spec))
    else actions.push({ type: 'output', port: portFromOf10(value[3] & 0xffff), maxLen: 0 })
  }
  if (action.finIdleTimeout !== 0 || action.finHardTimeout !== 0) {
    actions.unshift({
      type: 'fin_timeout',
      idleTimeout: action.finIdleTimeout,
      hardTimeout: action.finHardTimeout,
    })
  }
  return {
    command: 'add',
    match,
    priority: action.priority,
    table: action.table,
    cookie: 0n,
    cookieMask: 0n,
    newCookie: action.cookie,
    modifyCookie: true,
    idleTimeout: action.idleTimeout,
    hardTimeout: action.hardTimeout,
    importance: 0,
    bufferId: NO_BUFFER,
    outPort: OFPP_ANY,
    outGroup: OFPG_ANY,
    flags: action.sendFlowRem ? FF_SEND_FLOW_REM : 0,
    actions,
  }
}

/** The spec's value, against the end of `value`. */
function readSource(x: Xlate, spec: LearnSpec): void {
  value.fill(0)
  const { nBits } = spec
  if ('src' in spec) {
    const from = x.fields[spec.src.field]
    fillSubfield(x.wc, from, spec.src.ofs, nBits)
    readSubfieldBits(x.flow, from, spec.src.ofs, nBits, value, VALUE_BITS)
    return
  }
  const bytes = spec.value
  for (let i = 0; i < bytes.length; i++) writeBits(value, VALUE_BITS - 8 * (bytes.length - i), 8, bytes[i])
}

function matchOn(x: Xlate, match: Match, { nBits, dst }: LearnSpec & { to: 'match' }): void {
  if (dst.field === MFF.in_port && nBits === 16) {
    match.value[W_IN_PORT] = portFromOf10(value[3] & 0xffff)
    match.mask[W_IN_PORT] = 0xffff_ffff
    return
  }
  const field = x.fields[dst.field]
  const option = tunnelOption(dst.field)
  if (option >= 0) {
    setPresent(match.value, option)
    setPresent(match.mask, option)
  }
  // As whoever asks for the rule by this field says, without saying it.
  if (FIELDS[dst.field].prerequisite !== 'none') setDefaultPacketType(match)
  writeSubfieldBits(match.value, field, dst.ofs, nBits, value, VALUE_BITS)
  fillSubfield(match.mask, field, dst.ofs, nBits)
  // Where a field has more room in the flow than it has bits, the rest of the room is zero.
  if (nBits === field.bits) fillBits(match.mask, field.at, field.width)
}

function load({ nBits, dst }: LearnSpec & { to: 'load' }): OfAction {
  const { bytes } = FIELDS[dst.field]
  const all = new Uint8Array(VALUE_BITS / 8)
  for (let i = 0; i < all.length; i++) all[i] = value[i >>> 2] >>> (24 - 8 * (i & 3))
  const loaded = new Uint8Array(bytes)
  const mask = new Uint8Array(bytes)
  putBits(loaded, dst.ofs, nBits, getBits(all, 0, nBits))
  putBits(mask, dst.ofs, nBits, (1n << BigInt(nBits)) - 1n)
  return { type: 'set_field', field: dst.field, value: loaded, mask, as: 'load' }
}
