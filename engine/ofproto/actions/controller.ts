/** Packets to controllers, with what the translation knows about them. */
import {
  FLOW_WORDS,
  KEY_WORDS,
  W_ACTSET_OUTPUT,
  W_IN_PORT,
  W_ND_RESERVED,
} from '../../../protocols/flow-key.ts'
import type { ControllerAction } from '../../../protocols/openflow/action.ts'
import { emptyMatch, type Match } from '../../../protocols/openflow/match.ts'
import { PACKET_IN_REASONS, type PacketInReason } from '../../../protocols/openflow/packet-in.ts'
import { OFPP_UNSET } from '../../../protocols/openflow/port.ts'
import { OP_CONTROLLER, OP_METER } from '../../actions/ops.ts'
import type { PacketInTemplate } from '../../dpif-pipeline.ts'
import { type ActionContext, NO_COOKIE } from '../action-context.ts'
import type { Rule } from '../rule.ts'

/** What a caller says that is not as usual. */
interface Asked {
  readonly maxLen: number
  readonly controllerId?: number
  /** A name, or the number that stands in an action. */
  readonly reason?: PacketInReason | number
  readonly userdata?: Uint8Array
  readonly meterId?: number
  readonly pause?: boolean
}

const NO_USERDATA = new Uint8Array(0)

export function sendToController(ctx: ActionContext, asked: Asked | ControllerAction): void {
  const { x, bridge } = ctx
  if (asked.pause === true) {
    // The rest waits until the controller says resume, with the packet as it is here.
    ctx.note(' >> pausing')
  }
  x.commit()
  if (asked.meterId !== undefined && asked.meterId !== 0) {
    x.tag(bridge.meters.tag(asked.meterId))
  }
  const template: PacketInTemplate = {
    bridge: bridge.spec.name,
    reason: reasonOf(ctx, asked.reason),
    table: ctx.table,
    cookie: ctx.rule === undefined ? NO_COOKIE : ctx.cookie,
    metadata: bridge.tables.tlv.asOptions(metadataOf(x.flow)),
    maxLen: asked.maxLen,
    controllerId: asked.controllerId ?? 0,
    userdata: asked.userdata ?? NO_USERDATA,
  }
  const { packetIns } = x.topology
  const id = packetIns.keep(template)
  x.tag(packetIns.tag(id))
  const slot = asked.meterId === undefined || asked.meterId === 0 ? -1 : bridge.meters.slot(asked.meterId)
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

/** in_port and all that a packet carries besides its bytes, as far as it is not zero. */
export function metadataOf(flow: Uint32Array): Match {
  const match = emptyMatch()
  match.value[W_IN_PORT] = flow[W_IN_PORT]
  match.mask[W_IN_PORT] = 0xffff_ffff
  for (let w = KEY_WORDS; w < FLOW_WORDS; w++) {
    if (flow[w] === 0 || w === W_ND_RESERVED) continue
    if (w === W_ACTSET_OUTPUT && flow[w] === OFPP_UNSET) continue
    match.value[w] = flow[w]
    match.mask[w] = 0xffff_ffff
  }
  return match
}
