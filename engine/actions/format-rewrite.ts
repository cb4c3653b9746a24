/** Operations that change one header, in the words of ovs-dpctl(8). */

import { formatIpv6 } from '../../protocols/openflow/text/address.ts'
import { formatMac } from '../../protocols/wire/ethernet.ts'
import { formatIpv4 } from '../../protocols/wire/ipv4.ts'
import {
  OP_ADD_MPLS,
  OP_POP_ETH,
  OP_POP_LABEL,
  OP_POP_MPLS,
  OP_POP_NSH,
  OP_PUSH_ETH,
  OP_PUSH_MPLS,
  OP_SET_ARP,
  OP_SET_ARP_HA,
  OP_SET_ETH_DST,
  OP_SET_ETH_SRC,
  OP_SET_ICMP,
  OP_SET_IPV6_DST,
  OP_SET_IPV6_LABEL,
  OP_SET_IPV6_SRC,
  OP_SET_IPV6_TCLASS,
  OP_SET_MPLS,
  OP_SET_ND_LL,
  OP_SET_ND_TARGET,
  OP_SET_NSH,
  OP_SET_NSH_CONTEXT,
  OP_SET_NW_TTL,
} from './ops.ts'

/** The operation at `pc`, or undefined when it is none of these. */
export function formatRewrite(code: Int32Array, pc: number): string | undefined {
  const a = code[pc + 1]
  const b = code[pc + 2]
  const c = code[pc + 3]
  switch (code[pc]) {
    case OP_SET_ETH_DST:
      return `set(eth(dst=${formatMac((a >>> 0) * 0x1_0000 + (b >>> 16))}))`
    case OP_SET_ETH_SRC:
      return `set(eth(src=${formatMac((a & 0xffff) * 0x1_0000_0000 + (b >>> 0))}))`
    case OP_SET_NW_TTL:
      return `set(ipv4(ttl=${a}))`
    case OP_SET_IPV6_SRC:
      return `set(ipv6(src=${address(code, pc)}))`
    case OP_SET_IPV6_DST:
      return `set(ipv6(dst=${address(code, pc)}))`
    case OP_SET_IPV6_TCLASS:
      return `set(ipv6(tclass=0x${a.toString(16)}))`
    case OP_SET_IPV6_LABEL:
      return `set(ipv6(label=0x${a.toString(16)}))`
    case OP_SET_ICMP:
      return `set(icmp(type=${a >>> 8},code=${a & 0xff}))`
    case OP_SET_ARP:
      return `set(arp(sip=${formatIpv4(b >>> 0)},tip=${formatIpv4(c >>> 0)},op=${a}))`
    case OP_SET_ARP_HA:
      return `set(arp(sha=${formatMac((a >>> 0) * 0x1_0000 + (b >>> 16))},tha=${formatMac((b & 0xffff) * 0x1_0000_0000 + (c >>> 0))}))`
    case OP_SET_ND_TARGET:
      return `set(nd(target=${address(code, pc)}))`
    case OP_SET_ND_LL:
      return `set(nd(${a === 1 ? 'sll' : 'tll'}=${formatMac((b & 0xffff) * 0x1_0000_0000 + (c >>> 0))}))`
    case OP_PUSH_MPLS:
      return `push_mpls(${entry(b)},eth_type=0x${a.toString(16)})`
    case OP_POP_MPLS:
      return `pop_mpls(eth_type=0x${a.toString(16)})`
    case OP_SET_MPLS:
      return `set(mpls(${entry(a)}))`
    case OP_PUSH_ETH:
      return `push_eth(src=${formatMac((b & 0xffff) * 0x1_0000_0000 + (c >>> 0))},dst=${formatMac((a >>> 0) * 0x1_0000 + (b >>> 16))})`
    case OP_POP_ETH:
      return 'pop_eth'
    case OP_POP_NSH:
      return 'pop_nsh()'
    case OP_ADD_MPLS:
      return `add_mpls(${entry(b)},eth_type=0x${a.toString(16)})`
    case OP_POP_LABEL:
      return `pop_mpls(eth_type=0x${a.toString(16)})`
    case OP_SET_NSH:
      return `set(nsh(flags=${(a >>> 24) & 3},ttl=${(a >>> 16) & 0x3f},spi=0x${(b >>> 8).toString(16)},si=${b & 0xff}))`
    case OP_SET_NSH_CONTEXT:
      return `set(nsh(c1=0x${(a >>> 0).toString(16)},c2=0x${(b >>> 0).toString(16)},c3=0x${(c >>> 0).toString(16)},c4=0x${(code[pc + 4] >>> 0).toString(16)}))`
    default:
      return undefined
  }
}

/**
 * The operation that puts an NSH header in front.
 * @param context of MD type 2, in hexadecimal
 */
export function formatPushNsh(code: Int32Array, pc: number, context: string): string {
  const [base, path] = [code[pc + 1], code[pc + 2]]
  const mdType = (base >>> 8) & 0xff
  const words = [1, 2, 3, 4].map((i) => `,c${i}=0x${(code[pc + 2 + i] >>> 0).toString(16)}`).join('')
  const tlvs = context === '' ? '' : `,md2=0x${context}`
  const head = `flags=${(base >>> 24) & 3},ttl=${(base >>> 16) & 0x3f},mdtype=${mdType},np=${base & 0xff}`
  return `push_nsh(${head},spi=0x${(path >>> 8).toString(16)},si=${path & 0xff}${mdType === 1 ? words : tlvs})`
}

function entry(lse: number): string {
  return `label=${lse >>> 12},tc=${(lse >>> 9) & 7},ttl=${lse & 0xff},bos=${(lse >>> 8) & 1}`
}

/** Four words behind the opcode as an IPv6 address. */
function address(code: Int32Array, pc: number): string {
  const bytes = new Uint8Array(16)
  for (let i = 0; i < 16; i++) bytes[i] = code[pc + 1 + (i >>> 2)] >>> (24 - 8 * (i & 3))
  return formatIpv6(bytes)
}
