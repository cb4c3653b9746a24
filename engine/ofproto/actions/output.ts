/** Output to ports, ordinary and reserved. */
import { W_IN_PORT } from '../../../protocols/flow-key.ts'
import type { OutputRegAction, OutputTruncAction } from '../../../protocols/openflow/action.ts'
import {
  OFPP_ALL,
  OFPP_CONTROLLER,
  OFPP_FLOOD,
  OFPP_IN_PORT,
  OFPP_LOCAL,
  OFPP_MAX,
  OFPP_NONE,
  OFPP_NORMAL,
  OFPP_TABLE,
  portFromOf10,
} from '../../../protocols/openflow/port.ts'
import { OP_TRUNC } from '../../actions/ops.ts'
import { DROP_BRIDGE_HAIRPIN, DROP_PORT_DOWN } from '../../drops.ts'
import type { ActionContext } from '../action-context.ts'
import { normal } from '../normal.ts'
import { onCopy, outputCopyToPort, outputToPort } from '../output.ts'
import { visitTable } from '../pipeline.ts'
import type { Bridge, SwitchPort } from '../topology.ts'
import type { Xlate } from '../xlate.ts'
import { sendToController } from './controller.ts'
import { readSubfield } from './fields.ts'

/** @param maxLen bytes, for output to the controller */
export function outputAction(ctx: ActionContext, port: number, maxLen: number, last: boolean): void {
  const { x } = ctx
  switch (port) {
    case OFPP_IN_PORT:
      toNumber(ctx, x.flow[W_IN_PORT], last)
      return
    case OFPP_TABLE:
      visitTable(ctx, 0, true, last)
      return
    case OFPP_NORMAL:
      outputNormally(ctx, last)
      return
    case OFPP_FLOOD:
      toAll(ctx, (to) => to.floods, last)
      return
    case OFPP_ALL:
      toAll(ctx, () => true, last)
      return
    case OFPP_CONTROLLER:
      sendToController(ctx, { maxLen })
      return
    case OFPP_NONE:
      return
    default:
      if (port !== x.flow[W_IN_PORT]) toNumber(ctx, port, last)
      else {
        ctx.note(' >> skipping output to input port')
        x.drop(DROP_BRIDGE_HAIRPIN)
      }
  }
}

function outputNormally(ctx: ActionContext, last: boolean): void {
  const { x, bridge } = ctx
  const number = x.flow[W_IN_PORT]
  const by = bridge.portByNumber(number)
  const isControllers = number === OFPP_CONTROLLER || number === OFPP_NONE
  if (by === undefined && !isControllers) {
    ctx.note(` >>>> received packet on unknown port ${number} <<<<`)
    ctx.note(' >> no input bundle, dropping')
  } else if (last) normal(x, bridge, by)
  else normalOnCopy(x, bridge, by)
}

/** A function of its own: who makes a closure somewhere pays for it everywhere. */
function normalOnCopy(x: Xlate, bridge: Bridge, by: SwitchPort | undefined): void {
  onCopy(x, () => normal(x, bridge, by))
}

/** The port that a subfield names; a number that no port can have is no port. */
export function outputRegister(ctx: ActionContext, { src, maxLen }: OutputRegAction, last: boolean): void {
  const port = readSubfield(ctx.x, src)
  if (port > 0xffff) {
    ctx.note(` >> output port ${port} is out of range`)
    return
  }
  ctx.note(` -> output port is ${port}`)
  outputAction(ctx, portFromOf10(port), maxLen, last)
}

/** Output of a packet's beginning; ports that stand for several cannot be meant. */
export function outputTruncated(ctx: ActionContext, { port, maxLen }: OutputTruncAction): void {
  const { x } = ctx
  const number = port === OFPP_IN_PORT ? x.flow[W_IN_PORT] : port
  if (number > OFPP_MAX && number !== OFPP_LOCAL) {
    ctx.note(' >> output_trunc does not support this port')
    return
  }
  if (port === x.flow[W_IN_PORT]) {
    ctx.note(' >> skipping output to input port')
    return
  }
  onCopy(x, () => {
    // Where it is cut, the packet must be as it will be sent.
    x.commit()
    x.program.op1(OP_TRUNC, maxLen)
    x.irreversible++
    toNumber(ctx, number, true)
  })
}

function toNumber(ctx: ActionContext, number: number, last: boolean): void {
  const { x } = ctx
  const to = ctx.bridge.portByNumber(number)
  if (to === undefined) {
    ctx.note(' >> Nonexistent output port')
    x.drop(DROP_PORT_DOWN)
  } else if (!to.forwards) {
    ctx.note(' -> OFPPC_NO_FWD set, skipping output')
    x.drop(DROP_PORT_DOWN)
  } else if (last) outputToPort(x, to)
  else outputCopyToPort(x, to)
}

/** By every port but the one it came by, as it is: what ports do with VLANs concerns NORMAL only. */
function toAll(ctx: ActionContext, wanted: (to: SwitchPort) => boolean, last: boolean): void {
  const { x, bridge } = ctx
  let kept: SwitchPort | undefined
  for (const to of bridge.ports) {
    if (to.ofport === x.flow[W_IN_PORT] || !to.forwards || !wanted(to)) continue
    if (kept !== undefined) outputCopyToPort(x, kept)
    kept = to
  }
  if (kept === undefined) x.drop(DROP_BRIDGE_HAIRPIN)
  else if (last) outputToPort(x, kept)
  else outputCopyToPort(x, kept)
}
