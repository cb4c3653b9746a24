/**
 * A packet leaves a bridge by a port: a device sends it, a patch port's peer or a router takes it on.
 */
import { DROP_PATCH_PEER, DROP_PORT_DOWN } from '../drops.ts'
import { KIND_DEVICE, KIND_PATCH, type SwitchPort } from './topology.ts'
import type { Xlate } from './xlate.ts'

/** Sends the packet, as `x.flow` describes it, by a port. `x.flow` is afterwards as it was before. */
export function outputToPort(x: Xlate, port: SwitchPort): void {
  if (port.kind === KIND_DEVICE) {
    if (port.up) x.output(port.portNo)
    else x.drop(DROP_PORT_DOWN)
    return
  }
  const flow = x.flow.slice()
  if (port.kind === KIND_PATCH) {
    if (port.peer === undefined) x.drop(DROP_PATCH_PEER)
    else x.enterBridge(port.peer)
  } else if (port.routerInterface < 0) x.drop(DROP_PORT_DOWN)
  else x.enterRouter(port.routerInterface)
  x.flow.set(flow)
}

/**
 * The same for a port after which others still want the packet. Rewrites of header fields are undone by later
 * commits; what cannot be undone (a TTL counted down, a connection shown the packet) is done to a copy.
 */
export function outputCopyToPort(x: Xlate, port: SwitchPort): void {
  if (port.kind === KIND_DEVICE) {
    outputToPort(x, port)
    return
  }
  const { program } = x
  const base = x.base.slice()
  const irreversible = x.irreversible
  const mark = program.beginClone()
  outputToPort(x, port)
  if (program.length === mark) {
    // Nothing came of the branch; neither does a copy.
    program.length = mark - 2
  } else if (x.irreversible === irreversible) {
    program.code.copyWithin(mark - 2, mark, program.length)
    program.length -= 2
  } else {
    program.endClone(mark)
    x.base.set(base)
  }
}
