/**
 * MPLS label stack entries, RFC 3032: at most three are known, as in Open vSwitch. Popping the last one leaves
 * a payload nobody has read; the next action that must know it has the packet's headers read anew.
 */
import {
  ETH_IPV6,
  KEY_BASE,
  KEY_MPLS,
  KEY_WORDS,
  PT_ETHERNET,
  W_L4,
  W_MPLS,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_PACKET_TYPE,
  W_TP,
  W_TYPE,
} from '../../../protocols/flow-key.ts'
import { flowEthType, isIp, isMpls } from '../../../protocols/openflow/prerequisites.ts'
import { nwTos, nwTtl } from '../../flow/fields.ts'
import type { ActionContext } from '../action-context.ts'
import type { Xlate } from '../xlate.ts'
import { sendToController } from './controller.ts'

export const BOTTOM_OF_STACK = 0x100
const TTL = 0xff
const DEFAULT_TTL = 64
/** Label "IPv6 explicit null"; that of IPv4 is 0 (RFC 3032 §2.1). */
const IPV6_EXPLICIT_NULL = 2
export const MAX_LABELS = KEY_MPLS - W_MPLS

/** Entries of a flow's label stack, the bottom included where it is known. */
export function labelCount(flow: Uint32Array): number {
  if (!isMpls(flow[W_TYPE] >>> 16)) return 0
  for (let i = 0; i < MAX_LABELS; i++) if ((flow[W_MPLS + i] & BOTTOM_OF_STACK) !== 0) return i + 1
  return MAX_LABELS
}

function setType(flow: Uint32Array, type: number, flags: number): void {
  flow[W_TYPE] = ((type << 16) | flags) >>> 0
}

export function pushMpls({ x }: ActionContext, ethertype: number): void {
  if (x.flow[W_PACKET_TYPE] === PT_ETHERNET) pushLabel(x, ethertype, true)
}

/**
 * @param inherits TTL and traffic class of a datagram that gets its first label
 * @returns false when the packet has as many labels as can be known; then its way ends
 */
export function pushLabel(x: Xlate, ethertype: number, inherits: boolean): boolean {
  const { flow } = x
  x.look(W_TYPE, 0xffff0000)
  const n = labelCount(flow)
  if (n > 0) lookAtLabels(x, n)
  if (n === MAX_LABELS) {
    x.fail('Too many MPLS labels', `MPLS push would leave more than ${MAX_LABELS} labels`)
    return false
  }
  if (n > 0) {
    for (let i = n; i > 0; i--) flow[W_MPLS + i] = flow[W_MPLS + i - 1]
    flow[W_MPLS] = (flow[W_MPLS] & ~BOTTOM_OF_STACK) >>> 0
    setType(flow, ethertype, flow[W_TYPE] & 0x3)
    return true
  }
  // What lies behind the label can no longer be changed: it is written out as it is to be.
  x.commit()
  let ttl = DEFAULT_TTL
  let tc = 0
  if (inherits && isIp(flowEthType(flow))) {
    x.look(W_NW, 0x00fcff00)
    if (nwTtl(flow) !== 0) ttl = nwTtl(flow)
    tc = (nwTos(flow) >>> 2) & 7
  }
  const label = flow[W_TYPE] >>> 16 === ETH_IPV6 ? IPV6_EXPLICIT_NULL : 0
  forgetPayload(flow)
  flow[W_MPLS] = ((label << 12) | (tc << 9) | BOTTOM_OF_STACK | ttl) >>> 0
  setType(flow, ethertype, flow[W_TYPE] & 0x3)
  return true
}

export function popMpls(ctx: ActionContext, ethertype: number): void {
  const { x } = ctx
  if (x.flow[W_PACKET_TYPE] === PT_ETHERNET && popLabel(x, ethertype) !== undefined && !isMpls(ethertype)) {
    ctx.mplsPopped = true
  }
}

/** @returns whether that was the last label; undefined when there is none, or more than can be known */
export function popLabel(x: Xlate, ethertype: number): boolean | undefined {
  const { flow } = x
  x.look(W_TYPE, 0xffff0000)
  const n = labelCount(flow)
  if (n === 0) return undefined
  lookAtLabels(x, n)
  if (n === MAX_LABELS && (flow[W_MPLS + n - 1] & BOTTOM_OF_STACK) === 0) {
    x.fail('Too many MPLS labels', `MPLS pop of a packet with more than ${MAX_LABELS} labels`)
    return undefined
  }
  for (let i = 1; i < n; i++) flow[W_MPLS + i - 1] = flow[W_MPLS + i]
  flow[W_MPLS + n - 1] = 0
  if (!isMpls(ethertype)) forgetPayload(flow)
  setType(flow, ethertype, flow[W_TYPE] & 0x3)
  return n === 1
}

/** Sets bits of the outermost entry. */
export function setMplsBits(x: Xlate, value: number, shift: number, nBits: number): void {
  x.look(W_TYPE, 0xffff0000)
  if (!isMpls(flowEthType(x.flow))) return
  const mask = ((1 << nBits) - 1) << shift
  x.look(W_MPLS, mask)
  x.flow[W_MPLS] = ((x.flow[W_MPLS] & ~mask) | ((value << shift) & mask)) >>> 0
}

/** @returns whether the TTL ran out, and with it the actions of this table */
export function decMplsTtl(ctx: ActionContext): boolean {
  const { x } = ctx
  x.look(W_TYPE, 0xffff0000)
  if (!isMpls(flowEthType(x.flow))) return false
  x.look(W_MPLS, TTL)
  if ((x.flow[W_MPLS] & TTL) > 1) {
    x.flow[W_MPLS] = x.flow[W_MPLS] - 1
    return false
  }
  sendToController(ctx, { reason: 'invalid_ttl', maxLen: 0xffff })
  return true
}

/** How many labels there are depends on each one's mark of the bottom. */
function lookAtLabels(x: Xlate, n: number): void {
  x.look(W_MPLS, 0xffffffff)
  for (let i = 1; i < n; i++) x.look(W_MPLS + i, 0xffffffff)
}

/** The fields of the headers behind Ethernet no longer are what the packet shows. */
export function forgetPayload(flow: Uint32Array): void {
  for (const w of [W_NW_SRC, W_NW_DST, W_NW, W_TP, W_L4]) flow[w] = 0
  for (let w = KEY_BASE; w < KEY_WORDS; w++) flow[w] = 0
}
