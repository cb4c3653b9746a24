/**
 * The NORMAL action: an 802.1Q bridge (IEEE 802.1Q-2018 §8.6) with the port kinds of Open vSwitch's
 * `vlan_mode`. Learn the source, look the destination up, send it there or flood.
 */
import { DROP_BRIDGE_HAIRPIN, DROP_BRIDGE_RESERVED, DROP_BRIDGE_VLAN } from '../drops.ts'
import { dlDst, dlDstIsMulticast, dlSrc, dlSrcIsMulticast, vlanTci } from '../flow/fields.ts'
import {
  FLAG_INNER_AD,
  FLAG_OUTER_AD,
  VLAN_PRESENT,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_TYPE,
  W_VLAN,
} from '../flow/flow-key.ts'
import { outputCopyToPort, outputToPort } from './output.ts'
import { type Bridge, KIND_DEVICE, KIND_PATCH, KIND_ROUTER, type SwitchPort } from './topology.ts'
import type { Xlate } from './xlate.ts'

const VID = 0x0fff
const PCP = 0xe000
/** 01:80:C2:00:00:0X, IEEE 802.1Q-2018 table 8-1: never forwarded by a bridge. */
const RESERVED_HIGH = 0x0180c200
const RESERVED_LOW = 0x0000

export function normal(x: Xlate, bridge: Bridge, port: SwitchPort): void {
  x.look(W_DL_DST, 0xffffffff)
  x.look(W_DL_MIX, 0xffffffff)
  x.look(W_DL_SRC, 0xffffffff)
  x.look(W_VLAN, 0xffffffff)
  x.look(W_TYPE, FLAG_OUTER_AD | FLAG_INNER_AD)

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
    x.trace?.note(x.depth, `NORMAL: VLAN not allowed on input port "${port.spec.name}"`)
    x.drop(DROP_BRIDGE_VLAN)
    return
  }
  if (!dlSrcIsMulticast(x.flow)) {
    const source = dlSrc(x.flow)
    x.tag(bridge.fdb.tag(vlan, source))
    if (x.sideEffects) bridge.fdb.learn(vlan, source, port.portNo, x.now)
  }
  if (dlDstIsMulticast(x.flow)) {
    x.trace?.note(x.depth, 'NORMAL: multicast or broadcast, flooding')
    flood(x, bridge, port, vlan)
    return
  }
  const destination = dlDst(x.flow)
  x.tag(bridge.fdb.tag(vlan, destination))
  const to = x.topology.port(bridge.fdb.lookup(vlan, destination))
  if (to === undefined || to.bridge !== bridge) {
    x.trace?.note(x.depth, 'NORMAL: no learned MAC for destination, flooding')
    flood(x, bridge, port, vlan)
  } else if (to === port) {
    x.drop(DROP_BRIDGE_HAIRPIN)
  } else {
    x.trace?.note(x.depth, `NORMAL: forwarding to learned port "${to.spec.name}"`)
    sendTagged(x, port, to, vlan, false)
  }
}

/**
 * Out of every port of the VLAN but the one it came by. Devices first, then patch ports, then routers: those
 * that may change the packet beyond repair come last.
 * @param vlan the packet's VLAN, or -1 to find out here
 */
export function flood(x: Xlate, bridge: Bridge, port: SwitchPort, vlan: number): void {
  const v = vlan < 0 ? inputVlan(x, port) : vlan
  if (v < 0) {
    x.drop(DROP_BRIDGE_VLAN)
    return
  }
  let last: SwitchPort | undefined
  for (let kind = KIND_DEVICE; kind <= KIND_ROUTER; kind++) {
    for (const to of bridge.ports) {
      if (to.kind !== kind || to === port || !isMember(to, v)) continue
      if (last !== undefined) sendTagged(x, port, last, v, true)
      last = to
    }
  }
  if (last !== undefined) sendTagged(x, port, last, v, false)
  else x.drop(DROP_BRIDGE_HAIRPIN)
}

/** VLAN a packet is in by its tag and the port it came by, or -1 where the port does not take it. */
function inputVlan(x: Xlate, port: SwitchPort): number {
  const tci = vlanTci(x.flow)
  const vid = tci & VID
  const { mode, tag } = port.vlan
  switch (mode) {
    case 'access':
      return vid === 0 ? tag : -1
    case 'dot1q-tunnel':
      return port.cvlans.has(vid) ? tag : -1
    case 'trunk':
      return port.trunks.has(vid) ? vid : -1
    default: {
      const native = vid === 0 ? tag : vid
      return port.trunks.has(native) ? native : -1
    }
  }
}

function isMember(port: SwitchPort, vlan: number): boolean {
  return port.trunks.has(vlan)
}

/** Sends by a port with the tags that port gives to packets of this VLAN. */
function sendTagged(x: Xlate, from: SwitchPort, to: SwitchPort, vlan: number, moreFollow: boolean): void {
  if (to.kind !== KIND_PATCH && to.kind !== KIND_ROUTER && !to.up) {
    outputToPort(x, to)
    return
  }
  const word = x.flow[W_VLAN]
  const type = x.flow[W_TYPE]
  retag(x, from, to, vlan)
  if (moreFollow) outputCopyToPort(x, to)
  else outputToPort(x, to)
  x.flow[W_VLAN] = word
  x.flow[W_TYPE] = type
}

/**
 * The tag stack on the way out. Inside the bridge a packet is (VLAN, payload); the payload of a dot1q-tunnel
 * port includes the customer's tags, elsewhere the outer tag is the VLAN and goes.
 */
function retag(x: Xlate, from: SwitchPort, to: SwitchPort, vlan: number): void {
  const tci = vlanTci(x.flow)
  const priority = tci & PCP
  // What the packet carries behind the bridge's own VLAN: one outer tag, whose inner one is out of our key.
  let inner = x.flow[W_VLAN] & 0xffff
  let innerAd = (x.flow[W_TYPE] & FLAG_INNER_AD) !== 0
  if (from.vlan.mode === 'dot1q-tunnel') {
    inner = tci
    innerAd = (x.flow[W_TYPE] & FLAG_OUTER_AD) !== 0
  }
  let outer = 0
  let outerAd = false
  if (to.vlan.mode === 'dot1q-tunnel') {
    // The service tag comes off; the customer's tags are the packet again.
    if (from.vlan.mode === 'dot1q-tunnel') return
    setTags(x, inner, innerAd, 0, false)
    return
  }
  if (vlan !== 0 && !sendsUntagged(to, vlan)) {
    outer = vlan | priority | VLAN_PRESENT
    outerAd =
      from.vlan.mode === 'dot1q-tunnel'
        ? from.vlan.qinqEthertype === '802.1ad'
        : tci !== 0 && (x.flow[W_TYPE] & FLAG_OUTER_AD) !== 0
  } else if (keepsPriority(to, priority)) outer = priority | VLAN_PRESENT

  if (outer === 0) setTags(x, inner, innerAd, 0, false)
  else setTags(x, outer, outerAd, inner, innerAd)
}

function sendsUntagged(to: SwitchPort, vlan: number): boolean {
  return to.vlan.mode === 'access' || (to.vlan.mode === 'native-untagged' && vlan === to.vlan.tag)
}

function keepsPriority(to: SwitchPort, priority: number): boolean {
  return to.vlan.priorityTags === 'always' || (to.vlan.priorityTags === 'if-nonzero' && priority !== 0)
}

function setTags(x: Xlate, outer: number, outerAd: boolean, inner: number, innerAd: boolean): void {
  x.flow[W_VLAN] = ((outer << 16) | inner) >>> 0
  const flags = (outer !== 0 && outerAd ? FLAG_OUTER_AD : 0) | (inner !== 0 && innerAd ? FLAG_INNER_AD : 0)
  x.flow[W_TYPE] = ((x.flow[W_TYPE] & ~(FLAG_OUTER_AD | FLAG_INNER_AD)) | flags) >>> 0
}
