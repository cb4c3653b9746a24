/**
 * ct(): connection tracking and NAT, ovs-actions(7). The tracker is asked while the packet is translated, so
 * that the state is known at once: table N sees it without the packet being looked up again. What the program
 * keeps of it is one operation that shows each packet to its connection.
 */
import {
  W_CT_IPV6_DST,
  W_CT_IPV6_SRC,
  W_CT_MARK,
  W_CT_NW_DST,
  W_CT_NW_PROTO,
  W_CT_NW_SRC,
  W_CT_STATE,
  W_CT_TP,
  W_CT_ZONE,
  W_IPV6_DST,
  W_IPV6_SRC,
  W_NW_DST,
  W_NW_SRC,
} from '../../../protocols/flow-key.ts'
import type { CtAction } from '../../../protocols/openflow/action.ts'
import {
  CS_DST_NAT,
  CS_ESTABLISHED,
  CS_INVALID,
  CS_NEW,
  CS_REPLY_DIR,
  CS_SRC_NAT,
  CS_TRACKED,
} from '../../../protocols/openflow/prerequisites.ts'
import { OP_TRACK, OP_TRACK_ASIDE } from '../../actions/ops.ts'
import { translations } from '../../conntrack/nat-choice.ts'
import { type PacketTuple, packetTuple } from '../../conntrack/packet-tuple.ts'
import { destinationOf, PROTO_ICMP, PROTO_TCP, sourceOf } from '../../conntrack/tuple.ts'
import { MARK_WORDS } from '../../conntrack/zone-tracker.ts'
import { setIcmpId, setTpDst, setTpSrc, tcpFlags } from '../../flow/fields.ts'
import type { ActionContext } from '../action-context.ts'
import { finishPipeline, visitTable } from '../pipeline.ts'
import { executeActions } from './execute-actions.ts'
import { readSubfield } from './fields.ts'
import { isolated } from './isolated.ts'
import { stateAt } from './recirculate.ts'
import { lookAtTcpFlags } from './tcp-opening.ts'

/** Words from ct_state to ct_tp, which ct_clear forgets. */
const CT_WORDS = W_CT_TP + 1 - W_CT_STATE

export function ct(ctx: ActionContext, action: CtAction, last: boolean): void {
  const { x } = ctx
  const { table } = action
  if (table === undefined) {
    const kept = x.flow.slice(W_CT_STATE, W_CT_STATE + CT_WORDS)
    track(ctx, action, OP_TRACK_ASIDE)
    x.flow.set(kept, W_CT_STATE)
    return
  }
  const { actionSet } = ctx
  isolated(ctx, last, () => {
    ctx.actionSet = [...actionSet]
    track(ctx, action, OP_TRACK)
    visitTable(ctx, table, true, true)
    finishPipeline(ctx)
  })
}

export function ctClear(ctx: ActionContext): void {
  ctx.x.flow.fill(0, W_CT_STATE, W_CT_STATE + CT_WORDS)
}

function track(ctx: ActionContext, action: CtAction, op: number): void {
  const { x } = ctx
  const { flow } = x
  const { tracker } = x.topology
  const zone = typeof action.zone === 'number' ? action.zone : readSubfield(x, action.zone) & 0xffff
  const tuple = packetTuple(x)
  flow.fill(0, W_CT_STATE, W_CT_STATE + CT_WORDS)
  flow[W_CT_ZONE] = zone
  if (tuple === undefined || ctx.ctInvalid) {
    ctx.ctInvalid = false
    x.cacheable &&= tuple === undefined
    flow[W_CT_STATE] = CS_TRACKED | CS_INVALID
    return
  }
  let entry = tracker.lookup(zone, tuple, flow)
  x.tag(tracker.missTag(zone, tuple, flow))
  if (entry >= 0 && action.commit && action.force && (entry & 1) === 1 && x.sideEffects) {
    tracker.conntrack.remove(entry >>> 1)
    entry = -1
  }
  if (entry < 0) {
    stranger(ctx, action, op, zone, tuple)
    return
  }
  x.tag(tracker.conntrack.tag(entry >>> 1))
  show(ctx, action, op, entry)
  flow[W_CT_STATE] = CS_TRACKED | CS_ESTABLISHED | ((entry & 1) === 1 ? CS_REPLY_DIR : 0)
  describe(ctx, entry >>> 1)
  if (action.nat !== undefined) translate(ctx, tuple, entry)
  if (action.commit) mark(ctx, action, entry >>> 1)
}

/** A packet of no connection. */
function stranger(ctx: ActionContext, action: CtAction, op: number, zone: number, tuple: PacketTuple): void {
  const { x } = ctx
  const { flow } = x
  const { tracker } = x.topology
  if (!mayBegin(ctx, tuple)) {
    flow[W_CT_STATE] = CS_TRACKED | CS_INVALID
    return
  }
  flow[W_CT_STATE] = CS_TRACKED | CS_NEW
  if (!action.commit) {
    original(flow, tuple)
    return
  }
  if (!x.sideEffects) return
  x.cacheable = false
  const addresses = packetAddresses(flow, tuple.ipv6)
  for (const reply of translations(action.nat, tuple, addresses, x.topology.random)) {
    const made = tracker.create(zone, tuple, flow, reply, x.now)
    if (made === CLASH) continue
    if (made < 0) break
    show(ctx, action, op, made << 1)
    describe(ctx, made)
    if (action.nat !== undefined) translate(ctx, tuple, made << 1)
    mark(ctx, action, made)
    return
  }
  // No room, or every port is taken.
  ctx.note(' >> connection could not be committed')
  flow[W_CT_STATE] = CS_TRACKED | CS_INVALID
}

/** As Conntrack.create answers when the answers are another connection's. */
const CLASH = -2

/** Whether a packet may be the first of a connection, or of one that is older than our memory. */
function mayBegin(ctx: ActionContext, { proto, tp }: PacketTuple): boolean {
  if (proto === PROTO_TCP) return lookAtTcpFlags(ctx.x, tcpFlags(ctx.x.flow))
  return proto !== PROTO_ICMP || (tp & 0xff) === 8 || (tp & 0xff) >= 13
}

/** Has the program show each packet to its connection. */
function show(ctx: ActionContext, action: CtAction, op: number, entry: number): void {
  const { x } = ctx
  x.commit()
  const { frozen } = x.topology
  const id = frozen.keep(stateAt(ctx, [{ table: ctx.table, cookie: ctx.cookie, actions: [action] }]))
  x.tag(frozen.tag(id))
  x.program.op3(op, entry >>> 1, entry & 1, id)
  x.irreversible++
}

/** The packet carries its connection's mark and the addresses of its first packet. */
function describe(ctx: ActionContext, connection: number): void {
  const { flow, topology } = ctx.x
  const { tracker } = topology
  flow.set(tracker.marks(connection), W_CT_MARK)
  const forward = connection << 1
  const addresses = tracker.addresses(forward)
  const proto = tracker.conntrack.proto(connection)
  const tp = tracker.conntrack.tp(forward)
  putOriginal(flow, tracker.isIpv6(connection), addresses, proto, tp)
}

function original(flow: Uint32Array, { ipv6, proto, tp }: PacketTuple): void {
  putOriginal(flow, ipv6, packetAddresses(flow, ipv6), proto, tp)
}

function putOriginal(
  flow: Uint32Array,
  ipv6: boolean,
  addresses: Uint32Array,
  proto: number,
  tp: number,
): void {
  if (ipv6) {
    flow.set(addresses.subarray(0, 4), W_CT_IPV6_SRC)
    flow.set(addresses.subarray(4, 8), W_CT_IPV6_DST)
  } else {
    flow[W_CT_NW_SRC] = addresses[0]
    flow[W_CT_NW_DST] = addresses[4]
  }
  flow[W_CT_NW_PROTO] = ipv6 && proto === PROTO_ICMP ? 58 : proto
  flow[W_CT_TP] = proto === PROTO_ICMP ? (tp & 0xff) << 16 : tp
}

function packetAddresses(flow: Uint32Array, ipv6: boolean): Uint32Array {
  const words = new Uint32Array(8)
  if (ipv6) words.set(flow.subarray(W_IPV6_SRC, W_IPV6_SRC + 8), 0)
  else {
    words[0] = flow[W_NW_SRC]
    words[4] = flow[W_NW_DST]
  }
  return words
}

/** Gives the packet the addresses that its connection has on the other side. */
function translate(ctx: ActionContext, { ipv6, proto }: PacketTuple, entry: number): void {
  const { flow, topology } = ctx.x
  const { tracker } = topology
  const translated = tracker.translated(entry >>> 1)
  if (!translated.source && !translated.destination) return
  const reply = (entry & 1) === 1
  const source = reply ? translated.destination : translated.source
  const destination = reply ? translated.source : translated.destination
  flow[W_CT_STATE] = flow[W_CT_STATE] | (source ? CS_SRC_NAT : 0) | (destination ? CS_DST_NAT : 0)
  const other = tracker.addresses(entry ^ 1)
  if (ipv6) {
    flow.set(other.subarray(4, 8), W_IPV6_SRC)
    flow.set(other.subarray(0, 4), W_IPV6_DST)
  } else {
    flow[W_NW_SRC] = other[4]
    flow[W_NW_DST] = other[0]
  }
  const tp = tracker.conntrack.tp(entry ^ 1)
  if (proto === PROTO_ICMP) setIcmpId(flow, sourceOf(tp))
  else if (tp !== 0) {
    setTpSrc(flow, destinationOf(proto, tp))
    setTpDst(flow, sourceOf(tp))
  }
}

/** exec(): sets the connection's mark and label. */
function mark(ctx: ActionContext, { exec }: CtAction, connection: number): void {
  if (exec.length === 0) return
  const { x } = ctx
  executeActions(ctx, exec, false)
  if (x.sideEffects) {
    x.topology.tracker.setMarks(connection, x.flow.slice(W_CT_MARK, W_CT_MARK + MARK_WORDS))
    x.tag(x.topology.tracker.conntrack.tag(connection))
  }
}
