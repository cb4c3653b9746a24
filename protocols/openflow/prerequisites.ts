/**
 * Which fields a match or a packet has (ovs-fields(7), "Prerequisites"). A match has a field when its values
 * say so: a wildcarded eth_type is 0 and so no IP.
 */

import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  FLAG_LATER,
  VLAN_PRESENT,
  W_CT_IPV6_DST,
  W_CT_IPV6_SRC,
  W_CT_NW_DST,
  W_CT_NW_SRC,
  W_CT_STATE,
  W_NW,
  W_PACKET_TYPE,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../flow-key.ts'
import type { MetaFlowField } from '../meta-flow.ts'

export const ETH_RARP = 0x8035
export const ETH_MPLS = 0x8847
export const ETH_MPLS_MCAST = 0x8848
export const ETH_NSH = 0x894f

export const CS_NEW = 1
export const CS_ESTABLISHED = 2
export const CS_RELATED = 4
export const CS_REPLY_DIR = 8
export const CS_INVALID = 0x10
export const CS_TRACKED = 0x20
export const CS_SRC_NAT = 0x40
export const CS_DST_NAT = 0x80

const IMPLIES_VALID = CS_NEW | CS_ESTABLISHED | CS_RELATED | CS_REPLY_DIR | CS_SRC_NAT | CS_DST_NAT

/** The Ethernet type, which a packet_type of the Ethertype namespace overrides. */
export function flowEthType(flow: Uint32Array): number {
  const packetType = flow[W_PACKET_TYPE]
  return packetType >>> 16 === 1 ? packetType & 0xffff : flow[W_TYPE] >>> 16
}

export function isIp(ethType: number): boolean {
  return ethType === ETH_IPV4 || ethType === ETH_IPV6
}

export function isMpls(ethType: number): boolean {
  return ethType === ETH_MPLS || ethType === ETH_MPLS_MCAST
}

export function isArp(ethType: number): boolean {
  return ethType === ETH_ARP || ethType === ETH_RARP
}

function transport(flow: Uint32Array, protocol: number): boolean {
  return isIp(flowEthType(flow)) && flow[W_NW] >>> 24 === protocol && (flow[W_TYPE] & FLAG_LATER) === 0
}

function icmpv6(flow: Uint32Array): boolean {
  return flowEthType(flow) === ETH_IPV6 && flow[W_NW] >>> 24 === 58
}

/** A neighbour solicitation (135) or advertisement (136) with code 0. */
function neighbourDiscovery(flow: Uint32Array, type?: number): boolean {
  const tp = flow[W_TP]
  const t = tp >>> 16
  return icmpv6(flow) && (tp & 0xffff) === 0 && (type === undefined ? t === 135 || t === 136 : t === type)
}

/** `mask`: the match's mask, when `flow` is the value of a match; without it a packet's flow is meant. */
export function ctIsValid(flow: Uint32Array, mask?: Uint32Array): boolean {
  const state = flow[W_CT_STATE]
  if (mask === undefined) return (state & (CS_NEW | CS_ESTABLISHED | CS_REPLY_DIR)) !== 0
  if ((state & IMPLIES_VALID) !== 0) return true
  return (state & CS_TRACKED) !== 0 && (mask[W_CT_STATE] & CS_INVALID) !== 0 && (state & CS_INVALID) === 0
}

/** `mask` as for ctIsValid. */
export function prerequisitesHold(field: MetaFlowField, flow: Uint32Array, mask?: Uint32Array): boolean {
  switch (field.prerequisite) {
    case 'none':
      return true
    case 'ethernet':
      return flow[W_PACKET_TYPE] === 0
    case 'vlan':
      return flow[W_PACKET_TYPE] === 0 && ((flow[W_VLAN] >>> 16) & VLAN_PRESENT) !== 0
    case 'arp':
      return isArp(flowEthType(flow))
    case 'ipv4':
      return flowEthType(flow) === ETH_IPV4
    case 'ipv6':
      return flowEthType(flow) === ETH_IPV6
    case 'ip':
      return isIp(flowEthType(flow))
    case 'mpls':
      return isMpls(flowEthType(flow))
    case 'nsh':
      return flowEthType(flow) === ETH_NSH
    case 'ct':
      return ctIsValid(flow, mask)
    case 'tcp':
      return transport(flow, 6)
    case 'udp':
      return transport(flow, 17)
    case 'sctp':
      return transport(flow, 132)
    case 'icmpv4':
      return flowEthType(flow) === ETH_IPV4 && flow[W_NW] >>> 24 === 1
    case 'icmpv6':
      return icmpv6(flow)
    case 'nd':
      return neighbourDiscovery(flow)
    case 'nd_solicit':
      return neighbourDiscovery(flow, 135)
    case 'nd_advert':
      return neighbourDiscovery(flow, 136)
  }
}

/**
 * Whether the addresses of a connection that a match asks for are of the match's IP version. A flow-mod whose
 * are not is refused with OFPBAC_MATCH_INCONSISTENT.
 */
export function ctAddressesFit(value: Uint32Array, mask: Uint32Array): boolean {
  const type = flowEthType(value)
  if ((mask[W_CT_NW_SRC] | mask[W_CT_NW_DST]) !== 0 && type !== ETH_IPV4) return false
  let v6 = 0
  for (let i = 0; i < 4; i++) v6 |= mask[W_CT_IPV6_SRC + i] | mask[W_CT_IPV6_DST + i]
  return v6 === 0 || type === ETH_IPV6
}
