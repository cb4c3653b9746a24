/**
 * A frame that belongs to a flow: what `netdev-dummy/receive` and `ofproto/trace -generate` make of a flow's text.
 * Checksums are right; what a flow does not say is zero, and what carries data carries 64 bytes of it. As Open vSwitch
 * makes them, IPv6 fragments have no fragment header.
 */
import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  FLAG_FRAG,
  FLAG_INNER_AD,
  FLAG_LATER,
  FLAG_OUTER_AD,
  KEY_MPLS,
  VLAN_PRESENT,
  W_IPV6_DST,
  W_IPV6_LABEL,
  W_IPV6_SRC,
  W_L4,
  W_MPLS,
  W_ND_TARGET,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../flow-key.ts'
import { checksum, pseudoHeader4, pseudoHeader6 } from '../wire/checksum.ts'
import * as ipv4 from '../wire/ipv4.ts'
import { FIN, RST, SYN } from '../wire/tcp.ts'
import { addressAt, arpSha, arpTha, ethDst, ethSrc, ndSll, ndTll } from './key-words.ts'

type Words = Uint32Array

/** Bytes of payload, each of them its own place. */
const PAYLOAD = Uint8Array.from({ length: 64 }, (_, i) => i)
/** Where a fragment other than the first lies in its datagram. */
const LATER_OFFSET = 100 * 8
const MPLS_BOS = 0x100

const IGMP = 2
const SCTP = 132
const ICMPV6 = 58

const be16 = (...values: number[]): number[] => values.flatMap((v) => [(v >>> 8) & 0xff, v & 0xff])
const be32 = (...values: number[]): number[] => values.flatMap((v) => be16(v >>> 16, v & 0xffff))
const mac = (v: number): number[] => [...be16(Math.floor(v / 2 ** 32)), ...be32(v % 2 ** 32)]

/** @param length bytes that the frame is to have at least; zeros follow what the flow says */
export function composeFrame(flow: Words, length = 0): Uint8Array {
  const head = [...mac(ethDst(flow)), ...mac(ethSrc(flow)), ...tags(flow)]
  const type = flow[W_TYPE] >>> 16
  // Without a type it is a frame with a length.
  if (type < 0x0600) return padded([...head, ...be16(head.length + 2)], length)
  const room = length === 0 ? undefined : Math.max(0, length - head.length - 2)
  return padded([...head, ...be16(type), ...network(flow, type, room)], length)
}

function padded(bytes: readonly number[], length: number): Uint8Array {
  const frame = new Uint8Array(Math.max(bytes.length, length))
  frame.set(bytes)
  return frame
}

function tags(flow: Words): number[] {
  const tag = (shift: number, flag: number): number[] => {
    const tci = (flow[W_VLAN] >>> shift) & 0xffff
    if ((tci & VLAN_PRESENT) === 0) return []
    return be16((flow[W_TYPE] & flag) === 0 ? 0x8100 : 0x88a8, tci & ~VLAN_PRESENT)
  }
  return [...tag(16, FLAG_OUTER_AD), ...tag(0, FLAG_INNER_AD)]
}

/** @param room bytes that the packet is to fill; as many as it takes, if undefined */
function network(flow: Words, type: number, room: number | undefined): number[] {
  if (type === ETH_ARP) return arp(flow)
  if (type === 0x8847 || type === 0x8848) return labels(flow)
  if (type !== ETH_IPV4 && type !== ETH_IPV6) return []
  const header = type === ETH_IPV4 ? ipv4.HEADER_LEN : 40
  const body = Uint8Array.from(transport(flow, type, room === undefined ? undefined : room - header))
  return type === ETH_IPV4 ? datagram4(flow, body) : datagram6(flow, body)
}

const proto = (flow: Words): number => flow[W_NW] >>> 24

function datagram4(flow: Words, body: Uint8Array): number[] {
  const frag = flow[W_TYPE]
  const packet = new Uint8Array(ipv4.HEADER_LEN + body.length)
  const header = {
    src: flow[W_NW_SRC],
    dst: flow[W_NW_DST],
    protocol: proto(flow),
    tos: (flow[W_NW] >>> 16) & 0xff,
    ttl: (flow[W_NW] >>> 8) & 0xff,
    payloadLength: body.length,
    moreFragments: (frag & FLAG_FRAG) !== 0,
    fragmentOffset: (frag & FLAG_LATER) !== 0 ? LATER_OFFSET : 0,
  }
  ipv4.emit(header, packet, 0)
  const pseudo = pseudoHeader4(header.src, header.dst, header.protocol, body.length)
  fillTransportChecksum(body, header.protocol, pseudo)
  packet.set(body, ipv4.HEADER_LEN)
  return [...packet]
}

function datagram6(flow: Words, body: Uint8Array): number[] {
  const protocol = proto(flow)
  const traffic = (flow[W_NW] >>> 16) & 0xff
  const head = Uint8Array.from([
    ...be32((6 << 28) | (traffic << 20) | flow[W_IPV6_LABEL]),
    ...be16(body.length),
    protocol,
    (flow[W_NW] >>> 8) & 0xff,
    ...addressAt(flow, W_IPV6_SRC),
    ...addressAt(flow, W_IPV6_DST),
  ])
  fillTransportChecksum(body, protocol, pseudoHeader6(head, 8, protocol, body.length))
  return [...head, ...body]
}

/** Where a transport's checksum lies, and whether it covers the pseudo-header. */
const CHECKSUMS: Readonly<Record<number, readonly [at: number, pseudo: boolean]>> = {
  1: [2, false],
  [IGMP]: [2, false],
  6: [16, true],
  17: [6, true],
  [ICMPV6]: [2, true],
}

function fillTransportChecksum(body: Uint8Array, protocol: number, pseudo: number): void {
  const found = CHECKSUMS[protocol]
  if (found === undefined || body.length < 8) return
  const [at, covers] = found
  const sum = checksum(body, 0, body.length, covers ? pseudo : 0)
  body.set(be16(protocol === 17 && sum === 0 ? 0xffff : sum), at)
}

function transport(flow: Words, type: number, room: number | undefined): number[] {
  if ((flow[W_TYPE] & FLAG_LATER) !== 0) return []
  const payload = (header: number): number[] =>
    room === undefined ? [...PAYLOAD] : new Array<number>(Math.max(0, room - header)).fill(0)
  const [high, low] = [flow[W_TP] >>> 16, flow[W_TP] & 0xffff]
  switch (proto(flow)) {
    case 6: {
      const flags = flow[W_L4] >>> 16
      const data = (flags & (SYN | FIN | RST)) === 0 || room !== undefined ? payload(20) : []
      return [...be16(high, low), ...be32(0, 0), ...be16(0x5000 | flags, 0, 0, 0), ...data]
    }
    case 17: {
      const data = payload(8)
      return [...be16(high, low, 8 + data.length, 0), ...data]
    }
    case SCTP:
      return [...be16(high, low), ...be32(0, 0)]
    case 1: {
      if (type !== ETH_IPV4) return []
      // Questions and their answers carry data.
      const asks = high === 8 || high === 0 || high === 13 || high === 14 || high === 15 || high === 16
      return [high, low, 0, 0, 0, 0, 0, 0, ...(asks ? payload(8) : [])]
    }
    case IGMP:
      return type === ETH_IPV4 ? [high, low, 0, 0, ...be32(0)] : []
    case ICMPV6:
      return type === ETH_IPV6 ? icmpv6(flow, high, low, payload) : []
    default:
      return []
  }
}

function icmpv6(flow: Words, type: number, code: number, payload: (header: number) => number[]): number[] {
  const head = [type, code, 0, 0, 0, 0, 0, 0]
  if (type === 128 || type === 129) return [...head, ...payload(8)]
  if (code !== 0 || (type !== 135 && type !== 136)) return head
  const options = [
    [1, ndSll(flow)],
    [2, ndTll(flow)],
  ] as const
  const present = options.filter(([, address]) => address !== 0)
  return [...head, ...addressAt(flow, W_ND_TARGET), ...present.flatMap(([kind, a]) => [kind, 1, ...mac(a)])]
}

function arp(flow: Words): number[] {
  return [
    ...be16(1, ETH_IPV4),
    6,
    4,
    ...be16(proto(flow)),
    ...mac(arpSha(flow)),
    ...be32(flow[W_NW_SRC]),
    ...mac(arpTha(flow)),
    ...be32(flow[W_NW_DST]),
  ]
}

function labels(flow: Words): number[] {
  const out: number[] = []
  for (let at = W_MPLS; at < KEY_MPLS; at++) {
    out.push(...be32(flow[at]))
    if ((flow[at] & MPLS_BOS) !== 0) break
  }
  return out
}
