/**
 * Flows of the datapath in the words of ovs-dpctl(8) dump-flows: attribute by attribute, from the packet's way in to
 * its transport header, what is behind a VLAN tag as `encap(…)`. Attributes of which nothing counts are left out.
 */
import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  ETH_NSH,
  ETH_TYPE_NONE,
  FLAG_FRAG,
  FLAG_LATER,
  FLAG_OUTER_AD,
  KEY_MPLS,
  VLAN_PRESENT,
  W_CT_LABEL,
  W_CT_MARK,
  W_CT_STATE,
  W_CT_ZONE,
  W_DP_HASH,
  W_IN_PORT,
  W_IPV6_DST,
  W_IPV6_LABEL,
  W_IPV6_SRC,
  W_L4,
  W_MPLS,
  W_ND_TARGET,
  W_NSH,
  W_NSH_CONTEXT,
  W_NSH_PATH,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_PACKET_TYPE,
  W_PKT_MARK,
  W_RECIRC,
  W_SKB_PRIORITY,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../flow-key.ts'
import { CT_STATES, formatMaskedFlags, TCP_FLAGS } from '../openflow/text/flags.ts'
import { formatHash } from '../openflow/text/scan.ts'
import { addressAt, arpSha, arpTha, ethDst, ethSrc, ndSll, ndTll } from './key-words.ts'
import { attribute, decimal, hexadecimal, ipv4Text, ipv6Text, type Member, macText } from './masked-text.ts'

type Words = Uint32Array

export interface OdpFormat {
  /** Also members of which no bit counts (`-m`). */
  readonly verbose: boolean
  /** Ports by name (`--names`); by number otherwise. */
  readonly portName: (portNo: number) => string
}

const BYTE = 0xff
const MPLS_BOS = 0x100
const SHORT = 0xffff
const WORD = 0xffff_ffff

const hex16 = (v: number): string => `0x${v.toString(16).padStart(4, '0')}`

/** @param key and mask, FLOW_WORDS words each, or the KEY_WORDS of a packet fresh from a port */
export function formatOdpKey(key: Words, mask: Words, format: OdpFormat): string {
  const { verbose, portName } = format
  const word = (name: string, at: number): Member =>
    (mask[at] ?? 0) === 0
      ? undefined
      : `${name}(${formatHash(key[at])}${mask[at] === WORD ? '' : `/${formatHash(mask[at])}`})`
  const parts: Member[] = [
    word('skb_priority', W_SKB_PRIORITY),
    word('skb_mark', W_PKT_MARK),
    (mask[W_CT_STATE] ?? 0) === 0
      ? undefined
      : `ct_state(${formatMaskedFlags(CT_STATES, key[W_CT_STATE], mask[W_CT_STATE], WORD)})`,
    word('ct_zone', W_CT_ZONE),
    word('ct_mark', W_CT_MARK),
    mask.length > W_CT_LABEL ? wide('ct_label', W_CT_LABEL, key, mask) : undefined,
    `recirc_id(${formatHash(key[W_RECIRC])})`,
    word('dp_hash', W_DP_HASH),
    `in_port(${portName(key[W_IN_PORT])})`,
    packetType(key[W_PACKET_TYPE] ?? 0),
    attribute('eth', [
      macText('src', ethSrc(key), ethSrc(mask), verbose),
      macText('dst', ethDst(key), ethDst(mask), verbose),
    ]),
  ]
  const tci = key[W_VLAN] >>> 16
  if ((tci & VLAN_PRESENT) === 0) parts.push(...networkParts(key, mask, verbose))
  else {
    const tpid = (key[W_TYPE] & FLAG_OUTER_AD) === 0 ? 0x8100 : 0x88a8
    const inside = networkParts(key, mask, verbose).filter((part) => part !== undefined)
    parts.push(`eth_type(${hex16(tpid)})`, vlanText(tci, mask[W_VLAN] >>> 16), `encap(${inside.join(',')})`)
  }
  return parts.filter((part) => part !== undefined).join(',')
}

function packetType(type: number): string {
  return `packet_type(ns=${type >>> 16},id=${type >>> 16 === 0 ? type : hex16(type & SHORT)})`
}

function wide(name: string, at: number, key: Words, mask: Words): Member {
  const number = (w: Words) => [0, 1, 2, 3].reduce((v, i) => (v << 32n) | BigInt(w[at + i]), 0n)
  const m = number(mask)
  if (m === 0n) return undefined
  return `${name}(${formatHash(number(key))}${m === (1n << 128n) - 1n ? '' : `/${formatHash(m)}`})`
}

/** Parts that are zero and do not count are left out. */
function vlanText(tci: number, mask: number): string {
  const part = (name: string, value: number, counts: number, whole: number) =>
    value === 0 && counts === 0
      ? []
      : [`${name}=${value}${counts === whole ? '' : `/0x${counts.toString(16)}`}`]
  return `vlan(${[...part('vid', tci & 0xfff, mask & 0xfff, 0xfff), ...part('pcp', tci >>> 13, mask >>> 13, 7)]})`
}

function networkParts(key: Words, mask: Words, verbose: boolean): Member[] {
  const type = key[W_TYPE] >>> 16
  if (type === ETH_TYPE_NONE) return ['eth_type(0/0xffff)']
  const parts: Member[] = [`eth_type(${hex16(type)})`]
  if (type === ETH_IPV4) parts.push(ipv4(key, mask, verbose), ...transport(key, mask, verbose))
  else if (type === ETH_IPV6) parts.push(ipv6(key, mask, verbose), ...transport(key, mask, verbose))
  else if (type === ETH_ARP || type === 0x8035) parts.push(arp(key, mask, verbose))
  else if (type === 0x8847 || type === 0x8848) parts.push(mpls(key, mask, verbose))
  else if (type === ETH_NSH) parts.push(nsh(key, mask, verbose))
  return parts
}

/** A part of W_NW. */
const nw = (w: Words, shift: number): number => (w[W_NW] >>> shift) & BYTE

/** Always told of IP: what follows depends on it. */
function fragment(key: Words): string {
  const frag = key[W_TYPE] & (FLAG_FRAG | FLAG_LATER)
  return `frag=${frag === 0 ? 'no' : (frag & FLAG_LATER) === 0 ? 'first' : 'later'}`
}

function ipv4(key: Words, mask: Words, verbose: boolean): Member {
  return attribute('ipv4', [
    ipv4Text('src', key[W_NW_SRC], mask[W_NW_SRC], verbose),
    ipv4Text('dst', key[W_NW_DST], mask[W_NW_DST], verbose),
    decimal('proto', nw(key, 24), nw(mask, 24), BYTE, verbose),
    hexadecimal('tos', nw(key, 16), nw(mask, 16), BYTE, verbose),
    decimal('ttl', nw(key, 8), nw(mask, 8), BYTE, verbose),
    fragment(key),
  ])
}

function ipv6(key: Words, mask: Words, verbose: boolean): Member {
  return attribute('ipv6', [
    ipv6Text('src', addressAt(key, W_IPV6_SRC), addressAt(mask, W_IPV6_SRC), verbose),
    ipv6Text('dst', addressAt(key, W_IPV6_DST), addressAt(mask, W_IPV6_DST), verbose),
    hexadecimal('label', key[W_IPV6_LABEL], mask[W_IPV6_LABEL] & 0xfffff, 0xfffff, verbose),
    decimal('proto', nw(key, 24), nw(mask, 24), BYTE, verbose),
    hexadecimal('tclass', nw(key, 16), nw(mask, 16), BYTE, verbose),
    decimal('hlimit', nw(key, 8), nw(mask, 8), BYTE, verbose),
    fragment(key),
  ])
}

const TRANSPORTS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' }

function transport(key: Words, mask: Words, verbose: boolean): Member[] {
  const proto = nw(key, 24)
  if (nw(mask, 24) !== BYTE || (key[W_TYPE] & FLAG_LATER) !== 0) return []
  const [high, low] = [key[W_TP] >>> 16, key[W_TP] & SHORT]
  const [highMask, lowMask] = [mask[W_TP] >>> 16, mask[W_TP] & SHORT]
  const name = TRANSPORTS[proto]
  if (name !== undefined) {
    const ports = attribute(name, [
      decimal('src', high, highMask, SHORT, verbose),
      decimal('dst', low, lowMask, SHORT, verbose),
    ])
    const flags = (mask[W_L4] >>> 16) & 0xfff
    if (proto !== 6 || (flags === 0 && !verbose)) return [ports]
    return [ports, `tcp_flags(${formatMaskedFlags(TCP_FLAGS, key[W_L4] >>> 16, flags, 0xfff)})`]
  }
  const icmpv6 = proto === 58 && key[W_TYPE] >>> 16 === ETH_IPV6
  if (!icmpv6 && !(proto === 1 && key[W_TYPE] >>> 16 === ETH_IPV4)) return []
  const icmp = attribute(icmpv6 ? 'icmpv6' : 'icmp', [
    decimal('type', high & BYTE, highMask & BYTE, BYTE, verbose),
    decimal('code', low & BYTE, lowMask & BYTE, BYTE, verbose),
  ])
  const discovery = icmpv6 && (high === 135 || high === 136) && (highMask & BYTE) === BYTE
  return discovery ? [icmp, neighborDiscovery(key, mask, verbose)] : [icmp]
}

function neighborDiscovery(key: Words, mask: Words, verbose: boolean): Member {
  return attribute('nd', [
    ipv6Text('target', addressAt(key, W_ND_TARGET), addressAt(mask, W_ND_TARGET), verbose),
    macText('sll', ndSll(key), ndSll(mask), verbose),
    macText('tll', ndTll(key), ndTll(mask), verbose),
  ])
}

function arp(key: Words, mask: Words, verbose: boolean): Member {
  // The operation takes two bytes, of which one is kept.
  const op = nw(mask, 24) === BYTE ? SHORT : nw(mask, 24)
  return attribute('arp', [
    ipv4Text('sip', key[W_NW_SRC], mask[W_NW_SRC], verbose),
    ipv4Text('tip', key[W_NW_DST], mask[W_NW_DST], verbose),
    decimal('op', nw(key, 24), op, SHORT, verbose),
    macText('sha', arpSha(key), arpSha(mask), verbose),
    macText('tha', arpTha(key), arpTha(mask), verbose),
  ])
}

/** As many entries as count; without `-m`, the whole attribute only when some do. */
function mpls(key: Words, mask: Words, verbose: boolean): Member {
  let entries = 0
  for (let at = W_MPLS; at < KEY_MPLS; at++) {
    if (mask[at] !== 0) entries = at - W_MPLS + 1
    if ((key[at] & MPLS_BOS) !== 0) break
  }
  if (entries === 0) return verbose ? 'mpls(label=0/0x0,tc=0/0x0,ttl=0/0x0,bos=0/0x0)' : undefined
  const part = (name: string, at: number, shift: number, whole: number): Member => {
    const [v, m] = [(key[at] >>> shift) & whole, (mask[at] >>> shift) & whole]
    return m === whole ? `${name}=${v}` : `${name}=${v}/0x${m.toString(16)}`
  }
  const texts: string[] = []
  for (let at = W_MPLS; at < W_MPLS + entries; at++) {
    texts.push(
      [
        part('label', at, 12, 0xfffff),
        part('tc', at, 9, 7),
        part('ttl', at, 0, BYTE),
        part('bos', at, 8, 1),
      ].join(),
    )
  }
  return `mpls(${texts.join(',')})`
}

function nsh(key: Words, mask: Words, verbose: boolean): Member {
  const [base, baseMask] = [key[W_NSH], mask[W_NSH]]
  const [path, pathMask] = [key[W_NSH_PATH], mask[W_NSH_PATH]]
  const members = [
    decimal('flags', base >>> 24, baseMask >>> 24, BYTE, verbose),
    decimal('ttl', (base >>> 16) & BYTE, (baseMask >>> 16) & BYTE, BYTE, verbose),
    decimal('mdtype', (base >>> 8) & BYTE, (baseMask >>> 8) & BYTE, BYTE, verbose),
    decimal('np', base & BYTE, baseMask & BYTE, BYTE, verbose),
    hexadecimal('spi', path >>> 8, pathMask >>> 8, 0xffffff, verbose),
    decimal('si', path & BYTE, pathMask & BYTE, BYTE, verbose),
  ]
  for (let i = 0; i < 4; i++) {
    members.push(hexadecimal(`c${i + 1}`, key[W_NSH_CONTEXT + i], mask[W_NSH_CONTEXT + i], WORD, verbose))
  }
  return attribute('nsh', members)
}
