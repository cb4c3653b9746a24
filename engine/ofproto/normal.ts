/**
 * The NORMAL action: an 802.1Q bridge (IEEE 802.1Q-2018 §8.6) with the port kinds of Open vSwitch's
 * `vlan_mode`. Learn the source, look the destination up, send it there or flood.
 */

import {
  FLAG_OUTER_AD,
  PT_ETHERNET,
  VLAN_PRESENT,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_PACKET_TYPE,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'
import { DROP_BRIDGE_HAIRPIN, DROP_BRIDGE_RESERVED, DROP_BRIDGE_VLAN, DROP_PORT_DOWN } from '../drops.ts'
import { dlDst, dlDstIsMulticast, dlSrc, dlSrcIsMulticast, vlanTci } from '../flow/fields.ts'
import { outputCopyToPort, outputToPort } from './output.ts'
import { stationOf } from './tags.ts'
import { type Bridge, KIND_DEVICE, KIND_ROUTER, type SwitchPort } from './topology.ts'
import { depthOf, MAX_VLAN_TAGS, pushTag, TPID_AD, TPID_Q, type VlanStack } from './vlan-stack.ts'
import type { Xlate } from './xlate.ts'

const VID = 0x0fff
const PCP = 0xe000
/** 01:80:C2:00:00:0X, IEEE 802.1Q-2018 table 8-1: never forwarded by a bridge. */
const RESERVED_HIGH = 0x0180c200
const RESERVED_LOW = 0x0000

/** Also of group addresses, which nobody learns. */
const NO_DESTINATION = ' -> no learned MAC for destination, flooding'

/** @param port by which the packet came; undefined: a controller made it */
export function normal(x: Xlate, bridge: Bridge, port: SwitchPort | undefined): void {
  x.look(W_DL_DST, 0xffffffff)
  x.look(W_DL_MIX, 0xffffffff)
  x.look(W_DL_SRC, 0xffffffff)
  x.look(W_VLAN, (VID | VLAN_PRESENT) << 16)

  if (
    !bridge.spec.forwardBpdu &&
    x.flow[W_DL_DST] === RESERVED_HIGH &&
    ((x.flow[W_DL_MIX] >>> 16) & 0xfff0) === RESERVED_LOW
  ) {
    x.drop(DROP_BRIDGE_RESERVED)
    return
  }
  const vlan = inputVlan(x, port)
  if (vlan < 0) {
    x.trace?.note(x.level, ` >> VLAN not allowed on input port "${port?.spec.name}"`)
    x.drop(DROP_BRIDGE_VLAN)
    return
  }
  // Inside the bridge a packet is (VLAN, payload). The payload of what came by a dot1q-tunnel port includes the
  // customer's tags; elsewhere the outer tag was the VLAN and is gone.
  const payload = port?.vlan.mode === 'dot1q-tunnel' ? x.vlans : x.vlans?.inner
  if (port !== undefined && !dlSrcIsMulticast(x.flow) && x.flow[W_PACKET_TYPE] === PT_ETHERNET) {
    const source = dlSrc(x.flow)
    // Learned first: what changes by that is no reason not to keep this decision.
    if (x.sideEffects) bridge.fdb.learn(vlan, source, port.portNo, x.now)
    x.tagStation(bridge.fdb.tag(vlan, source), stationOf(bridge.index, vlan))
  }
  if (dlDstIsMulticast(x.flow)) {
    x.trace?.note(x.level, NO_DESTINATION)
    flood(x, bridge, port, vlan, payload)
    return
  }
  const destination = dlDst(x.flow)
  x.tag(bridge.fdb.tag(vlan, destination))
  // A trace has not learned the source, which may be the destination.
  const isOwn = !x.sideEffects && port !== undefined && destination === dlSrc(x.flow)
  const to = isOwn ? port : x.topology.port(bridge.fdb.lookup(vlan, destination))
  if (to === undefined || to.bridge !== bridge) {
    x.trace?.note(x.level, NO_DESTINATION)
    flood(x, bridge, port, vlan, payload)
  } else if (to === port) {
    x.trace?.note(x.level, ' -> learned port is input port, dropping')
    x.drop(DROP_BRIDGE_HAIRPIN)
  } else if (!carries(x, to, vlan, payload)) {
    x.drop(DROP_BRIDGE_VLAN)
  } else {
    x.trace?.note(x.level, ' -> forwarding to learned port')
    sendTagged(x, port, to, vlan, payload, false)
  }
}

/**
 * Out of every port of the VLAN that takes part in floods but the one it came by. Devices first, then patch ports, then routers: those
 * that may change the packet beyond repair come last.
 */
function flood(
  x: Xlate,
  bridge: Bridge,
  port: SwitchPort | undefined,
  vlan: number,
  payload: VlanStack,
): void {
  let last: SwitchPort | undefined
  for (let kind = KIND_DEVICE; kind <= KIND_ROUTER; kind++) {
    for (const to of bridge.ports) {
      if (to.kind !== kind || to === port || !to.floods || !carries(x, to, vlan, payload)) continue
      if (last !== undefined) sendTagged(x, port, last, vlan, payload, true)
      last = to
    }
  }
  if (last !== undefined) sendTagged(x, port, last, vlan, payload, false)
  else x.drop(DROP_BRIDGE_HAIRPIN)
}

/** VLAN a packet is in by its tag and the port it came by, or -1 where the port does not take it. */
function inputVlan(x: Xlate, port: SwitchPort | undefined): number {
  const vid = vlanTci(x.flow) & VID
  if (port === undefined) return vid
  const { mode, tag } = port.vlan
  switch (mode) {
    case 'access':
      return vid === 0 ? tag : -1
    case 'dot1q-tunnel':
      return port.cvlans.has(vid) ? tag : -1
    case 'trunk':
      return port.trunks.has(vid) ? vid : -1
    default:
      return vid === 0 ? tag : port.trunks.has(vid) ? vid : -1
  }
}

/**
 * Whether a port carries packets of a VLAN with this payload, whose first tag, if any, is a customer's. Packets
 * leave an access port without any tag, so it carries none that have a second one.
 */
function carries(x: Xlate, port: SwitchPort, vlan: number, payload: VlanStack): boolean {
  if (!port.trunks.has(vlan)) return false
  const byCustomer = port.vlan.mode === 'access' || port.vlan.mode === 'dot1q-tunnel'
  if (byCustomer && x.vlans !== undefined) x.look(W_VLAN, payload === x.vlans ? VID << 16 : VID)
  const customer = payload === undefined ? 0 : payload.tci & VID
  if (port.vlan.mode === 'access') return customer === 0
  return port.vlan.mode !== 'dot1q-tunnel' || port.cvlans.has(customer)
}

/** Sends by a port with the tags that port gives to packets of this VLAN. */
function sendTagged(
  x: Xlate,
  from: SwitchPort | undefined,
  to: SwitchPort,
  vlan: number,
  payload: VlanStack,
  moreFollow: boolean,
): void {
  if (!to.forwards) {
    x.trace?.note(x.level, ' -> OFPPC_NO_FWD set, skipping output')
    x.drop(DROP_PORT_DOWN)
    return
  }
  const received = x.vlans
  x.setVlans(outputTags(x, from, to, vlan, payload))
  if (depthOf(x.vlans) > MAX_VLAN_TAGS) x.drop(DROP_BRIDGE_VLAN)
  else if (moreFollow) outputCopyToPort(x, to)
  else outputToPort(x, to)
  x.setVlans(received)
}

/** The tag stack on the way out: the one it came with where that says the same. */
function outputTags(
  x: Xlate,
  from: SwitchPort | undefined,
  to: SwitchPort,
  vlan: number,
  payload: VlanStack,
): VlanStack {
  const { mode, tag, priorityTags } = to.vlan
  if (mode === 'dot1q-tunnel') return payload
  const tunnelled = from?.vlan.mode === 'dot1q-tunnel'
  const received = x.vlans
  const isTagged = vlan !== 0 && mode !== 'access' && !(mode === 'native-untagged' && vlan === tag)
  if (isTagged && !tunnelled && received !== undefined && (received.tci & VID) === vlan) return received
  if (received !== undefined && (isTagged || priorityTags !== 'no')) {
    x.look(W_VLAN, PCP << 16)
    x.look(W_TYPE, FLAG_OUTER_AD)
  }
  const priority = received === undefined ? 0 : received.tci & PCP
  const tpid = received === undefined || tunnelled ? TPID_Q : received.tpid
  if (isTagged) {
    if (!tunnelled) return pushTag(payload, tpid, vlan | priority)
    // The customer's priority stays in the customer's tag, unless the port is about priorities.
    const service = from.vlan.qinqEthertype === '802.1ad' ? TPID_AD : TPID_Q
    return pushTag(payload, service, vlan | (priorityTags === 'no' ? 0 : priority))
  }
  const rest = mode === 'access' ? undefined : payload
  const marked = priorityTags === 'always' || (priorityTags === 'if-nonzero' && priority !== 0)
  return marked ? pushTag(rest, tpid, priority) : rest
}
