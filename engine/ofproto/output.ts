/**
 * A packet leaves a bridge by a port: a device sends it, a patch port's peer or a router takes it on.
 */
import { PT_ETHERNET, W_PACKET_TYPE } from '../../protocols/flow-key.ts'
import { DROP_PACKET_TYPE, DROP_PATCH_PEER, DROP_PORT_DOWN } from '../drops.ts'
import { sampleBridge } from './sampling.ts'
import { KIND_DEVICE, KIND_PATCH, type SwitchPort } from './topology.ts'
import type { Xlate } from './xlate.ts'

/** Sends the packet, as `x.flow` describes it, by a port. `x.flow` is afterwards as it was before. */
export function outputToPort(x: Xlate, port: SwitchPort): void {
  if (x.flow[W_PACKET_TYPE] !== PT_ETHERNET && port.kind !== KIND_PATCH) {
    x.trace?.note(x.level, ' >> Trying to send non-Ethernet packet through legacy L2 port. Dropping packet.')
    x.drop(DROP_PACKET_TYPE)
    return
  }
  if (port.kind === KIND_DEVICE) {
    if (port.up) {
      sampleBridge(x, port.bridge, port)
      x.output(port.portNo)
    } else x.drop(DROP_PORT_DOWN)
    return
  }
  x.kept.push()
  const { vlans } = x
  if (port.kind === KIND_PATCH) {
    if (port.peer === undefined) x.drop(DROP_PATCH_PEER)
    else x.enterBridge(port.peer)
  } else if (port.routerInterface < 0) x.drop(DROP_PORT_DOWN)
  else {
    sampleBridge(x, port.bridge, port)
    x.enterRouter(port.routerInterface)
  }
  x.kept.pop()
  x.vlans = vlans
  // Nobody wants the packet any more.
  x.pending = undefined
}

/** The same for a port after which others still want the packet. */
export function outputCopyToPort(x: Xlate, port: SwitchPort): void {
  if (port.kind === KIND_DEVICE) outputToPort(x, port)
  else onCopy(x, () => outputToPort(x, port))
}

/**
 * Does something after which others still want the packet. Rewrites of header fields are undone by later
 * commits; what cannot be undone (a TTL counted down, a connection shown the packet) is done to a copy.
 */
export function onCopy(x: Xlate, action: () => void): void {
  const { program, irreversible, baseVlans, pending } = x
  const base = x.base.slice()
  const mark = program.beginClone()
  action()
  if (x.irreversible === irreversible) program.undoClone(mark)
  else {
    program.endClone(mark)
    x.base.set(base)
    x.baseVlans = baseVlans
    x.pending = pending
  }
}
