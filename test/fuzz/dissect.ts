/**
 * Reads a frame with every wire parser there is, and mixes all it learns into one number: two readings of the
 * same bytes must agree whatever lies around them in memory.
 */

import * as arp from '../../protocols/wire/arp.ts'
import { pseudoHeader4, pseudoHeader6, sum } from '../../protocols/wire/checksum.ts'
import * as dhcpv4 from '../../protocols/wire/dhcpv4.ts'
import * as dot1q from '../../protocols/wire/dot1q.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as icmpv4 from '../../protocols/wire/icmpv4.ts'
import * as icmpv6 from '../../protocols/wire/icmpv6.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as ipv6 from '../../protocols/wire/ipv6.ts'
import * as llc from '../../protocols/wire/llc.ts'
import * as tcp from '../../protocols/wire/tcp.ts'
import * as udp from '../../protocols/wire/udp.ts'

/** How often each format was accepted, so that a test can tell that the frames reach the parsers. */
export const accepted = {
  arp: 0,
  llc: 0,
  ipv4: 0,
  ipv6: 0,
  icmpv4: 0,
  quoted: 0,
  icmpv6: 0,
  tcp: 0,
  udp: 0,
  dhcpv4: 0,
}

let hash = 0
/** Offsets are absolute; what is mixed in is relative to the frame, as the two readings stand apart. */
let base = 0
/** Where the frame ends. */
let limit = 0

function mix(v: number | boolean): void {
  const n = Number(v)
  // A read past the memory itself gives undefined and, computed with, often NaN.
  if (!Number.isFinite(n)) throw new Error('a parser read what is not there')
  hash = Math.imul(hash ^ (n >>> 0) ^ Math.floor(n / 0x1_0000_0000), 0x9e3779b1)
  hash ^= hash >>> 15
}

function mixBytes(bytes: Uint8Array | undefined): void {
  if (bytes === undefined) return
  mix(bytes.length)
  for (let i = 0; i < bytes.length; i += 7) mix(bytes[i])
}

/** An offset that a parser found (0 for none), which must lie inside the frame or at its end. */
function mixOffset(at: number): void {
  if (at !== 0 && (at <= base || at > limit))
    throw new Error(`a parser points outside of the frame: ${at - base}`)
  mix(at === 0 ? 0 : at - base)
}

/** A type-length-value option that a parser found: all of it is the frame's. */
function mixOption(b: Uint8Array, at: number): void {
  mixOffset(at)
  if (at !== 0) mixOffset(at + b[at + 1])
}

/** @returns a number that depends on every byte the parsers made something of, and on nothing else */
export function dissect(b: Uint8Array, o: number, end: number): number {
  hash = 0x811c9dc5
  base = o - 1
  limit = end
  const eth = ethernet.parse(b, o, end)
  if (eth === undefined) return hash
  mix(eth.dst)
  mix(eth.src)
  mix(ethernet.dstHi(b, o) ^ ethernet.srcLo(b, o))
  for (const tag of dot1q.parseAll(b, o + ethernet.TYPE, end))
    mix((tag.tpid << 12) | tag.vid | (tag.pcp << 28))
  const at = dot1q.skip(b, o + ethernet.TYPE, end)
  mixOffset(at)
  const type = ethernet.type(b, at - ethernet.TYPE)
  if (type < ethernet.TYPE_MIN) dissectLlc(b, at, end)
  else if (type === ethernet.TYPE_ARP) dissectArp(b, at + 2, end)
  else if (type === ethernet.TYPE_IPV4) dissectIpv4(b, at + 2, end)
  else if (type === ethernet.TYPE_IPV6) dissectIpv6(b, at + 2, end)
  return hash
}

function dissectLlc(b: Uint8Array, o: number, end: number): void {
  const r = llc.parse(b, o, end)
  if (r === undefined) return
  accepted.llc++
  mix((r.dsap << 16) | (r.ssap << 8) | r.control)
  mixOffset(llc.end(b, o))
  mix(sum(b, o, 2 + r.length))
  if (r.snap === undefined) return
  mix(r.snap.oui ^ r.snap.protocol)
  if (r.snap.protocol === ethernet.TYPE_IPV4) dissectIpv4(b, o + llc.SNAP_HEADER_LEN, llc.end(b, o))
}

function dissectArp(b: Uint8Array, o: number, end: number): void {
  const r = arp.parse(b, o, end)
  if (r === undefined) return
  accepted.arp++
  mix(r.operation)
  mix(r.sha)
  mix(r.spa)
  mix(r.tha)
  mix(r.tpa)
}

function dissectIpv4(b: Uint8Array, o: number, end: number): void {
  if (ipv4.checkHeader(b, o, end)) {
    mix(ipv4.optionsProblem(b, o))
    for (const kind of [7, 68, 131, 148]) mixOption(b, ipv4.findOption(b, o, kind))
    mixOffset(ipv4.findOption(b, o, ipv4.OPTION_NOP))
    mix(ipv4.verifyChecksum(b, o))
  }
  const r = ipv4.parse(b, o, end)
  if (r === undefined) return
  accepted.ipv4++
  mix(r.src)
  mix(r.dst)
  mix((r.ttl << 16) | (r.protocol << 8) | r.tos!)
  mix(r.identification! ^ r.fragmentOffset!)
  mixBytes(r.options)
  mixOffset(ipv4.end(b, o))
  mix(sum(b, o, ipv4.totalLength(b, o)))
  if (ipv4.fragmentOffset(b, o) === 0) dissectUpper(b, o)
}

function dissectUpper(b: Uint8Array, l3: number): void {
  const o = ipv4.payload(b, l3)
  const end = ipv4.end(b, l3)
  const protocol = ipv4.protocol(b, l3)
  const pseudo = pseudoHeader4(ipv4.src(b, l3), ipv4.dst(b, l3), protocol, end - o)
  if (protocol === ipv4.PROTO_TCP) dissectTcp(b, o, end, pseudo)
  else if (protocol === ipv4.PROTO_UDP) dissectUdp(b, o, end, pseudo)
  else if (protocol === ipv4.PROTO_ICMP) dissectIcmpv4(b, o, end)
}

function dissectTcp(b: Uint8Array, o: number, end: number, pseudo: number): void {
  const r = tcp.parse(b, o, end)
  if (r === undefined) return
  accepted.tcp++
  mix((r.srcPort << 16) | r.dstPort)
  mix(r.seq ^ r.ack)
  mix((r.flags << 16) | r.window)
  mix(r.urgentPointer ^ tcp.mss(b, o))
  mixBytes(r.options)
  for (const kind of [2, 3, 4, 5, 8, 254]) mixOption(b, tcp.findOption(b, o, kind))
  mix(tcp.verifyChecksum(b, o, end, pseudo))
}

function dissectUdp(b: Uint8Array, o: number, end: number, pseudo: number): void {
  const r = udp.parse(b, o, end)
  if (r === undefined) return
  accepted.udp++
  mix((r.srcPort << 16) | r.dstPort)
  mix(r.length)
  mixOffset(o + r.length)
  mix(sum(b, o, r.length))
  mix(udp.verifyChecksum(b, o, pseudo))
  if (r.dstPort === dhcpv4.SERVER_PORT || r.dstPort === dhcpv4.CLIENT_PORT) {
    dissectDhcpv4(b, o + udp.HEADER_LEN, o + r.length)
  }
}

function dissectDhcpv4(b: Uint8Array, o: number, end: number): void {
  const r = dhcpv4.parse(b, o, end)
  if (r === undefined) return
  accepted.dhcpv4++
  mix(r.xid ^ r.ciaddr ^ r.yiaddr ^ r.giaddr)
  mixBytes(r.chaddr)
  mixBytes(r.sname)
  mixBytes(r.file)
  for (const [option, data] of r.options) {
    mix(option)
    mixBytes(data)
  }
}

function dissectIcmpv4(b: Uint8Array, o: number, end: number): void {
  const r = icmpv4.parse(b, o, end)
  if (r === undefined) return
  accepted.icmpv4++
  mix((r.type << 8) | r.code)
  mix(r.rest)
  mixBytes(r.data)
  mix(icmpv4.nextHopMtu(b, o) ^ icmpv4.pointer(b, o) ^ icmpv4.gateway(b, o))
  if (!icmpv4.isError(r.type) || !icmpv4.checkQuoted(b, o, end)) return
  accepted.quoted++
  const inner = o + icmpv4.DATA
  mixOffset(ipv4.payload(b, inner) + 8)
  mix(ipv4.src(b, inner) ^ ipv4.dst(b, inner))
  const l4 = ipv4.payload(b, inner)
  mix((udp.srcPort(b, l4) << 16) | udp.dstPort(b, l4))
}

const upper = ipv6.makeUpper()

function dissectIpv6(b: Uint8Array, o: number, end: number): void {
  const r = ipv6.parse(b, o, end)
  if (r === undefined) return
  accepted.ipv6++
  mixBytes(r.src)
  mixBytes(r.dst)
  mix((r.flowLabel << 8) | r.trafficClass)
  mix((r.nextHeader << 8) | r.hopLimit)
  const stop = ipv6.end(b, o)
  if (!ipv6.walk(b, o, stop, upper)) return
  mix(upper.protocol)
  mixOffset(upper.l4)
  mix(upper.fragmentOffset ^ upper.identification)
  if (upper.fragmentOffset !== 0) return
  const pseudo = pseudoHeader6(b, o + ipv6.SRC, upper.protocol, stop - upper.l4)
  if (upper.protocol === ipv4.PROTO_TCP) dissectTcp(b, upper.l4, stop, pseudo)
  if (upper.protocol === ipv4.PROTO_UDP) dissectUdp(b, upper.l4, stop, pseudo)
  if (upper.protocol === ipv6.PROTO_ICMPV6) dissectIcmpv6(b, upper.l4, stop, pseudo)
}

function dissectIcmpv6(b: Uint8Array, o: number, end: number, pseudo: number): void {
  const r = icmpv6.parse(b, o, end)
  if (r === undefined) return
  accepted.icmpv6++
  mix((r.type << 8) | r.code)
  mix(r.rest)
  mixBytes(r.data)
  mix(icmpv6.verifyChecksum(b, o, end, pseudo))
  if (icmpv6.checkNeighbor(b, o, end)) mix(icmpv6.targetWord(b, o, 3))
  for (const kind of [icmpv6.OPTION_SOURCE_LINK_LAYER, icmpv6.OPTION_TARGET_LINK_LAYER]) {
    const at = icmpv6.linkLayerAddress(b, o, end, kind)
    mixOffset(at)
    if (at === 0) continue
    mixOffset(at + 6)
    mix(b[at] ^ b[at + 5])
  }
}
