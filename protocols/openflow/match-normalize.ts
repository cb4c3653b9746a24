/**
 * Takes out of a match what cannot be matched on because the match does not say that the packet has it, as
 * Open vSwitch does with matches of OpenFlow 1.0 and of text.
 */

import {
  ETH_IPV4,
  ETH_IPV6,
  W_ARP_SHA,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_IPV6_LABEL,
  W_MPLS,
  W_ND_LL,
  W_ND_TARGET,
  W_NSH_CONTEXT,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_PACKET_TYPE,
  W_TP,
} from '../flow-key.ts'
import type { Match } from './match.ts'
import { hasDefaultPacketType } from './match-field.ts'
import { ETH_NSH, flowEthType, isArp, isIp, isMpls } from './prerequisites.ts'

const FIRST_SHARED = W_ARP_SHA
const LAST_SHARED = W_IPV6_LABEL

function hasPorts(ethType: number, protocol: number): boolean {
  if (!isIp(ethType)) return false
  return protocol === 6 || protocol === 17 || protocol === 132 || protocol === (ethType === ETH_IPV4 ? 1 : 58)
}

/** Of the words that ARP, IPv6, MPLS and NSH share, the last one that this kind of packet has. */
function lastSharedWord(ethType: number): number {
  if (ethType === ETH_IPV6) return LAST_SHARED
  if (isArp(ethType)) return W_ARP_SHA + 2
  if (isMpls(ethType)) return W_MPLS + 2
  return ethType === ETH_NSH ? W_NSH_CONTEXT + 3 : FIRST_SHARED - 1
}

/** In place. */
export function normalizeMatch(match: Match): void {
  const { value, mask } = match
  const clear = (word: number, bits = 0xffff_ffff): void => {
    mask[word] &= ~bits
    value[word] &= ~bits
  }
  const ethernet = mask[W_PACKET_TYPE] === 0 || hasDefaultPacketType(match)
  const other = mask[W_PACKET_TYPE] === 0xffff_ffff && value[W_PACKET_TYPE] >>> 16 === 1
  const ethType = ethernet || other ? flowEthType(value) : 0
  const protocol = value[W_NW] >>> 24
  if (!ethernet) for (const w of [W_DL_DST, W_DL_MIX, W_DL_SRC]) clear(w)
  if (ethType !== ETH_IPV4 && !isArp(ethType)) {
    clear(W_NW_SRC)
    clear(W_NW_DST)
  }
  if (!hasPorts(ethType, protocol)) clear(W_TP)
  if (!isIp(ethType) && !isArp(ethType)) clear(W_NW, 0xff00_0000)
  if (!isIp(ethType)) clear(W_NW, 0x00ff_ff00)
  for (let w = lastSharedWord(ethType) + 1; w <= LAST_SHARED; w++) clear(w)
  if (ethType !== ETH_IPV6) return
  const type = protocol === 58 ? value[W_TP] >>> 16 : 0
  if (type !== 135 && type !== 136) for (let w = W_ND_TARGET; w < W_ND_LL; w++) clear(w)
  if (type !== 135) {
    clear(W_ND_LL)
    clear(W_ND_LL + 1, 0xffff_0000)
  }
  if (type !== 136) {
    clear(W_ND_LL + 1, 0x0000_ffff)
    clear(W_ND_LL + 2)
  }
}
