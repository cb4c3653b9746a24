/** Packets to controllers, with what the translation knows about them. */
import {
  FLOW_WORDS,
  KEY_WORDS,
  W_ACTSET_OUTPUT,
  W_CT_STATE,
  W_IN_PORT,
  W_ND_RESERVED,
  W_TYPE,
} from '../../../protocols/flow-key.ts'
import type { ControllerAction } from '../../../protocols/openflow/action.ts'
import { emptyMatch, type Match } from '../../../protocols/openflow/match.ts'
import { METER_CONTROLLER } from '../../../protocols/openflow/meter.ts'
import { PACKET_IN_REASONS, type PacketInReason } from '../../../protocols/openflow/packet-in.ts'
import { OP_CONTROLLER, OP_METER } from '../../actions/ops.ts'
import type { PacketInTemplate } from '../../dpif-pipeline.ts'
import type { ActionContext, Remainder } from '../action-context.ts'
import { continuationAt } from '../continuation.ts'
import type { Rule } from '../rule.ts'
import { WIDE_FIELDS } from '../wide-fields.ts'

/** What a caller says that is not as usual. */
interface Asked {
  readonly maxLen: number
  readonly controllerId?: number
  /** A name, or the number that stands in an action. */
  readonly reason?: PacketInReason | number
  readonly userdata?: Uint8Array
  readonly meterId?: number
}

const NO_USERDATA = new Uint8Array(0)

export function sendToController(ctx: ActionContext, asked: Asked | ControllerAction): void {
  const { bridge, x } = ctx
  emit(ctx, asked.meterId ?? 0, {
    bridge: bridge.spec.name,
    reason: reasonOf(ctx, asked.reason),
    table: ctx.table,
    cookie: ctx.cookie,
    metadata: bridge.tables.tlv.asOptions(metadataOf(x.flow)),
    maxLen: asked.maxLen,
    controllerId: asked.controllerId ?? 0,
    userdata: asked.userdata ?? NO_USERDATA,
  })
}

/** The rest waits until a controller says resume, with the packet as it will be then. */
export function pause(ctx: ActionContext, action: ControllerAction): void {
  ctx.pause = action
  ctx.frozen = []
}

/** Hands a paused packet to the controller, with all that is needed to go on. */
export function sendPaused(ctx: ActionContext, action: ControllerAction, rest: readonly Remainder[]): void {
  const { bridge, x } = ctx
  emit(ctx, action.meterId, {
    bridge: bridge.spec.name,
    reason: PACKET_IN_REASONS[action.reason] ?? 'action',
    table: 0,
    cookie: ctx.cookie,
    metadata: bridge.tables.tlv.asOptions(metadataOf(x.flow)),
    maxLen: action.maxLen,
    controllerId: action.controllerId,
    userdata: action.userdata,
    continuation: continuationAt(ctx, rest),
  })
}

/** @param meter asked for; without it the bridge's for all controllers counts, if there is one */
function emit({ x, bridge }: ActionContext, meter: number, template: PacketInTemplate): void {
  x.commit()
  const { packetIns } = x.topology
  const id = packetIns.keep(template)
  x.tag(packetIns.tag(id))
  const { meters } = bridge
  if (meter !== 0) x.tag(meters.tag(meter))
  let slot = meter === 0 ? -1 : meters.slot(meter)
  if (slot < 0) {
    x.tag(meters.tag(METER_CONTROLLER))
    slot = meters.slot(METER_CONTROLLER)
  }
  if (slot < 0) x.program.op1(OP_CONTROLLER, id)
  else {
    // What the meter stops is the copy for the controller only.
    const mark = x.program.beginClone()
    x.program.op1(OP_METER, slot)
    x.program.op1(OP_CONTROLLER, id)
    x.program.endClone(mark)
  }
  x.outputs++
}

function reasonOf(ctx: ActionContext, reason: PacketInReason | number | undefined): PacketInReason {
  if (typeof reason === 'string') return reason
  if (reason !== undefined && reason !== 1) return PACKET_IN_REASONS[reason] ?? 'action'
  if (reason === undefined && ctx.inPacketOut) return 'packet_out'
  if (reason === undefined && ctx.inGroup) return 'group'
  if (reason === undefined && ctx.inActionSet) return 'action_set'
  return ctx.rule !== undefined && isTableMiss(ctx.rule) ? 'explicit_miss' : 'action'
}

/** The rule of OpenFlow 1.3 and later for packets that no other matches: priority 0, any packet. */
function isTableMiss(rule: Rule): boolean {
  return rule.priority === 0 && rule.subtable !== undefined && rule.subtable.mask.every((word) => word === 0)
}

/** in_port and all that a packet carries besides its bytes and the action set, as far as it is not zero. */
export function metadataOf(flow: Uint32Array): Match {
  const match = emptyMatch()
  match.value[W_IN_PORT] = flow[W_IN_PORT]
  match.mask[W_IN_PORT] = 0xffff_ffff
  for (let w = KEY_WORDS; w < FLOW_WORDS; w++) {
    if (flow[w] === 0 || w === W_ND_RESERVED || w === W_ACTSET_OUTPUT) continue
    match.value[w] = flow[w]
    match.mask[w] = 0xffff_ffff
  }
  // What a connection's addresses are depends on it.
  if (flow[W_CT_STATE] !== 0) {
    match.value[W_TYPE] = (flow[W_TYPE] & 0xffff_0000) >>> 0
    match.mask[W_TYPE] = 0xffff_0000
  }
  for (const [word, words] of WIDE_FIELDS) {
    const mask = match.mask.subarray(word, word + words)
    if (mask.some((m) => m !== 0)) mask.fill(0xffff_ffff)
  }
  return match
}
