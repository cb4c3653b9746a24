/**
 * Megaflow matches in the words of ovs-dpctl(8) dump-flows, as `odp_flow_format` writes them: only what is
 * matched, `value/mask` where part of a field is.
 */

import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  FLAG_FRAG,
  FLAG_LATER,
  VLAN_PRESENT,
  W_ARP_MIX,
  W_ARP_SHA,
  W_ARP_THA,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_IN_PORT,
  W_IPV6_DST,
  W_IPV6_SRC,
  W_L4,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_RECIRC,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'
import { formatIpv4 } from '../../protocols/wire/ipv4.ts'

type Words = Uint32Array

export function formatMatch(key: Words, mask: Words, portName: (portNo: number) => string): string {
  const parts = [`recirc_id(${key[W_RECIRC] === 0 ? 0 : `0x${key[W_RECIRC].toString(16)}`})`]
  if (mask[W_IN_PORT] !== 0) parts.push(`in_port(${portName(key[W_IN_PORT])})`)
  const eth = group([
    ['src', macText(srcOf(key), srcOf(mask))],
    ['dst', macText(dstOf(key), dstOf(mask))],
  ])
  if (eth !== '') parts.push(`eth(${eth})`)
  parts.push(...vlanParts(key, mask))
  // The type is always part of a datapath flow, as it says which of the other fields there are.
  const type = key[W_TYPE] >>> 16
  const typed = mask[W_TYPE] >>> 16 !== 0
  if (typed) parts.push(`eth_type(0x${type.toString(16).padStart(4, '0')})`)
  if (typed && type === ETH_IPV4) parts.push(...ipv4Parts(key, mask))
  else if (typed && type === ETH_IPV6) parts.push(...ipv6Parts(key, mask))
  else if (typed && type === ETH_ARP) parts.push(...arpParts(key, mask))
  return parts.join(',')
}

function group(fields: [name: string, text: string | undefined][]): string {
  return fields
    .filter(([, text]) => text !== undefined)
    .map(([name, text]) => `${name}=${text}`)
    .join(',')
}

function dstOf(k: Words): number[] {
  return bytes(k[W_DL_DST]).concat(bytes(k[W_DL_MIX]).slice(0, 2))
}

function srcOf(k: Words): number[] {
  return bytes(k[W_DL_MIX]).slice(2).concat(bytes(k[W_DL_SRC]))
}

function bytes(word: number): number[] {
  return [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff]
}

function hexBytes(b: number[]): string {
  return b.map((x) => x.toString(16).padStart(2, '0')).join(':')
}

function macText(value: number[], mask: number[]): string | undefined {
  if (mask.every((b) => b === 0)) return undefined
  return mask.every((b) => b === 0xff) ? hexBytes(value) : `${hexBytes(value)}/${hexBytes(mask)}`
}

function addressText(value: number, mask: number): string | undefined {
  if (mask === 0) return undefined
  return mask === 0xffffffff ? formatIpv4(value) : `${formatIpv4(value)}/${formatIpv4(mask)}`
}

function numberText(value: number, mask: number, full: number): string | undefined {
  if (mask === 0) return undefined
  return mask === full ? String(value) : `0x${value.toString(16)}/0x${mask.toString(16)}`
}

function vlanParts(key: Words, mask: Words): string[] {
  const out: string[] = []
  for (const shift of [16, 0]) {
    const tci = (key[W_VLAN] >>> shift) & 0xffff
    if (((mask[W_VLAN] >>> shift) & 0xffff) === 0 || (tci & VLAN_PRESENT) === 0) continue
    out.push(`vlan(vid=${tci & 0xfff},pcp=${tci >>> 13})`)
  }
  return out
}

function ipv4Parts(key: Words, mask: Words): string[] {
  const body = group([
    ['src', addressText(key[W_NW_SRC], mask[W_NW_SRC])],
    ['dst', addressText(key[W_NW_DST], mask[W_NW_DST])],
    ...commonIpFields(key, mask),
  ])
  return [`ipv4(${body})`, ...transportParts(key, mask, 'icmp', 1)]
}

function commonIpFields(key: Words, mask: Words): [string, string | undefined][] {
  const fragMask = mask[W_TYPE] & (FLAG_FRAG | FLAG_LATER)
  const frag = key[W_TYPE] & (FLAG_FRAG | FLAG_LATER)
  return [
    ['proto', numberText(key[W_NW] >>> 24, mask[W_NW] >>> 24, 0xff)],
    ['tos', numberText((key[W_NW] >>> 16) & 0xff, (mask[W_NW] >>> 16) & 0xff, 0xff)],
    ['ttl', numberText((key[W_NW] >>> 8) & 0xff, (mask[W_NW] >>> 8) & 0xff, 0xff)],
    ['frag', fragMask === 0 ? undefined : frag === 0 ? 'no' : frag === FLAG_FRAG ? 'first' : 'later'],
  ]
}

function ipv6Parts(key: Words, mask: Words): string[] {
  const text = (at: number): string | undefined => {
    const m = [0, 1, 2, 3].flatMap((i) => bytes(mask[at + i]))
    if (m.every((b) => b === 0)) return undefined
    const v = [0, 1, 2, 3].flatMap((i) => bytes(key[at + i]))
    const words = (b: number[]) =>
      [0, 2, 4, 6, 8, 10, 12, 14].map((i) => (b[i] * 256 + b[i + 1]).toString(16)).join(':')
    return m.every((b) => b === 0xff) ? words(v) : `${words(v)}/${words(m)}`
  }
  const body = group([['src', text(W_IPV6_SRC)], ['dst', text(W_IPV6_DST)], ...commonIpFields(key, mask)])
  return [`ipv6(${body})`, ...transportParts(key, mask, 'icmpv6', 58)]
}

function transportParts(key: Words, mask: Words, icmp: string, icmpProto: number): string[] {
  const proto = key[W_NW] >>> 24
  if (mask[W_NW] >>> 24 !== 0xff) return []
  const name = { 6: 'tcp', 17: 'udp', 132: 'sctp', [icmpProto]: icmp }[proto]
  if (name === undefined) return []
  const isIcmp = proto === icmpProto
  const body = group([
    [isIcmp ? 'type' : 'src', numberText(key[W_TP] >>> 16, mask[W_TP] >>> 16, 0xffff)],
    [isIcmp ? 'code' : 'dst', numberText(key[W_TP] & 0xffff, mask[W_TP] & 0xffff, 0xffff)],
    ['id', isIcmp ? numberText(key[W_L4] & 0xffff, mask[W_L4] & 0xffff, 0xffff) : undefined],
  ])
  const out = body === '' ? [] : [`${name}(${body})`]
  const flags = mask[W_L4] >>> 16
  if (proto === 6 && flags !== 0)
    out.push(`tcp_flags(0x${(key[W_L4] >>> 16).toString(16)}/0x${flags.toString(16)})`)
  return out
}

function arpParts(key: Words, mask: Words): string[] {
  const sha = (k: Words) => bytes(k[W_ARP_SHA]).concat(bytes(k[W_ARP_MIX]).slice(0, 2))
  const tha = (k: Words) => bytes(k[W_ARP_MIX]).slice(2).concat(bytes(k[W_ARP_THA]))
  const body = group([
    ['sip', addressText(key[W_NW_SRC], mask[W_NW_SRC])],
    ['tip', addressText(key[W_NW_DST], mask[W_NW_DST])],
    ['op', numberText(key[W_NW] >>> 24, mask[W_NW] >>> 24, 0xff)],
    ['sha', macText(sha(key), sha(mask))],
    ['tha', macText(tha(key), tha(mask))],
  ])
  return body === '' ? [] : [`arp(${body})`]
}
