/** Actions on VLAN tags. */
import { PT_ETHERNET, VLAN_PRESENT, W_PACKET_TYPE, W_VLAN } from '../../../protocols/flow-key.ts'
import type { MetaFlowField } from '../../../protocols/meta-flow.ts'
import { DROP_ACTION } from '../../drops.ts'
import { depthOf, MAX_VLAN_TAGS, pushTag, TPID_Q } from '../vlan-stack.ts'
import type { Xlate } from '../xlate.ts'

const VID = 0x0fff
const PCP = 0xe000

/** The outer tag gets another TCI; a packet without one is given a tag of IEEE 802.1Q. */
function setTci(x: Xlate, tci: number): void {
  if (x.flow[W_PACKET_TYPE] !== PT_ETHERNET) return
  const outer = x.vlans
  x.setVlans(pushTag(outer?.inner, outer?.tpid ?? TPID_Q, tci & ~VLAN_PRESENT))
}

/** mod_vlan_vid, set_vlan_vid */
export function setVlanVid(x: Xlate, vid: number, pushIfNeeded: boolean): void {
  x.look(W_VLAN, (VID | VLAN_PRESENT) << 16)
  if (x.vlans !== undefined || pushIfNeeded) setTci(x, ((x.vlans?.tci ?? 0) & ~VID) | vid)
}

/** mod_vlan_pcp, set_vlan_pcp */
export function setVlanPcp(x: Xlate, pcp: number, pushIfNeeded: boolean): void {
  x.look(W_VLAN, (PCP | VLAN_PRESENT) << 16)
  if (x.vlans !== undefined || pushIfNeeded) setTci(x, ((x.vlans?.tci ?? 0) & ~PCP) | (pcp << 13))
}

/** A tag in front of all others, VID and PCP 0. */
export function pushVlan(x: Xlate, ethertype: number): void {
  if (x.flow[W_PACKET_TYPE] !== PT_ETHERNET) return
  if (depthOf(x.vlans) === MAX_VLAN_TAGS) x.drop(DROP_ACTION)
  else x.setVlans(pushTag(x.vlans, ethertype, 0))
}

export function popVlan(x: Xlate): void {
  x.look(W_VLAN, VLAN_PRESENT << 16)
  if (x.vlans !== undefined) x.setVlans(x.vlans.inner)
}

/**
 * A field that overlays the outer TCI was written in the flow's words: the packet's tags follow. Setting a VID
 * or a priority tags an untagged packet, vlan_tci without CFI bit (or vlan_vid 0) takes the tag away.
 */
export function syncVlans(x: Xlate, { name }: MetaFlowField): void {
  const tci = x.flow[W_VLAN] >>> 16
  const keeps = name === 'dl_vlan' || name === 'dl_vlan_pcp' || name === 'vlan_pcp'
  if (keeps || (tci & VLAN_PRESENT) !== 0) setTci(x, tci)
  else x.setVlans(x.vlans?.inner)
}
