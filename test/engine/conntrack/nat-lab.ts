/**
 * The topology of RFC 4787's figures in the whole engine, in memory: hosts x1 and x2 inside (10.0.0.0/24), a
 * NAT with the external address 192.168.100.11, hosts y1 and y2 outside (192.168.100.0/24). What a host
 * receives is taken apart only after every checksum in it has been found right.
 */
import type { NatRuleSpec, RouterSpec } from '../../../engine/dpif.ts'
import { u16, u32 } from '../../../protocols/wire/big-endian.ts'
import { pseudoHeader4 } from '../../../protocols/wire/checksum.ts'
import * as icmp from '../../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import * as tcp from '../../../protocols/wire/tcp.ts'
import * as udp from '../../../protocols/wire/udp.ts'
import {
  bytes,
  DEFAULT_ROUTER,
  ip,
  Lab,
  ROUTER_MAC_0,
  ROUTER_MAC_1,
  type Station,
  udpPayload,
} from '../router/lab.ts'

export { bytes, ip } from '../router/lab.ts'

export const EXTERNAL = '192.168.100.11'

type SourceSpec = NatRuleSpec & { type: 'snat' | 'masquerade' }
type DestinationSpec = NatRuleSpec & { type: 'dnat' }

/** The rule of the lab: 10.0.0.0/24 to 192.168.100.11, unless it stays inside. */
export function snat(more: Partial<SourceSpec> = {}): SourceSpec {
  return {
    type: 'snat',
    source: { prefix: ip('10.0.0.0'), prefixLength: 24 },
    notDestination: { prefix: ip('10.0.0.0'), prefixLength: 24 },
    to: [{ first: ip(EXTERNAL), last: ip(EXTERNAL) }],
    ports: { first: 1024, last: 65_535 },
    filtering: 'endpoint-independent',
    ...more,
  }
}

export function dnat(more: Partial<DestinationSpec> & { to: number }): DestinationSpec {
  return { type: 'dnat', address: ip(EXTERNAL), ...more }
}

export function range(first: string, last = first): { first: number; last: number } {
  return { first: ip(first), last: ip(last) }
}

/** A datagram a host received. */
export interface Packet {
  readonly src: string
  readonly dst: string
  readonly protocol: number
  readonly ttl: number
  /** Ports; for ICMP queries and replies both hold the identifier. */
  readonly sport: number
  readonly dport: number
  /** TCP flags, 0 for others. */
  readonly flags: number
  readonly icmp: icmp.Repr | undefined
  /** Behind the transport header. */
  readonly data: Uint8Array
  readonly frame: Uint8Array
}

function packetOf(frame: Uint8Array): Packet {
  const header = ipv4.parse(frame, 14, frame.length)
  if (header === undefined) throw new Error('a datagram with a wrong header or header checksum')
  const l4 = ipv4.payload(frame, 14)
  const end = ipv4.end(frame, 14)
  const pseudo = pseudoHeader4(header.src, header.dst, header.protocol, end - l4)
  const base = {
    src: ipv4.formatIpv4(header.src),
    dst: ipv4.formatIpv4(header.dst),
    protocol: header.protocol,
    ttl: header.ttl,
    frame,
  }
  if (header.protocol === ipv4.PROTO_TCP) {
    if (!tcp.verifyChecksum(frame, l4, end, pseudo)) throw new Error('a segment with a wrong checksum')
    const h = tcp.parse(frame, l4, end)!
    const data = frame.slice(l4 + tcp.headerLength(frame, l4), end)
    return { ...base, sport: h.srcPort, dport: h.dstPort, flags: h.flags, icmp: undefined, data }
  }
  if (header.protocol === ipv4.PROTO_UDP) {
    if (!udp.verifyChecksum(frame, l4, pseudo)) throw new Error('a datagram with a wrong checksum')
    const h = udp.parse(frame, l4, end)!
    return {
      ...base,
      sport: h.srcPort,
      dport: h.dstPort,
      flags: 0,
      icmp: undefined,
      data: frame.slice(l4 + 8, end),
    }
  }
  const message = icmp.parse(frame, l4, end)
  if (message === undefined) throw new Error('an ICMP message with a wrong checksum')
  const id = message.rest >>> 16
  return { ...base, sport: id, dport: id, flags: 0, icmp: message, data: message.data }
}

export interface Segment {
  readonly flags: number
  readonly seq?: number
  readonly ack?: number
  readonly window?: number
  readonly data?: Uint8Array
}

export function tcpPayload(src: string, dst: string, sport: number, dport: number, s: Segment): Uint8Array {
  const data = s.data ?? new Uint8Array(0)
  const b = new Uint8Array(20 + data.length)
  tcp.emit(
    {
      srcPort: sport,
      dstPort: dport,
      seq: s.seq ?? 0,
      ack: s.ack ?? 0,
      flags: s.flags,
      window: s.window ?? 8192,
      urgentPointer: 0,
      options: new Uint8Array(0),
    },
    b,
    0,
  )
  b.set(data, 20)
  tcp.fillChecksum(b, 0, b.length, pseudoHeader4(ip(src), ip(dst), ipv4.PROTO_TCP, b.length))
  return b
}

export class Host {
  readonly station: Station
  readonly address: string

  constructor(station: Station) {
    this.station = station
    this.address = station.address
  }

  udp(sport: number, dst: string, dport: number, data = bytes(16), src = this.address): void {
    this.station.send({ src, dst, payload: udpPayload(src, dst, sport, dport, data) })
  }

  tcp(sport: number, dst: string, dport: number, segment: Segment): void {
    const payload = tcpPayload(this.address, dst, sport, dport, segment)
    this.station.send({ dst, protocol: ipv4.PROTO_TCP, payload })
  }

  echo(id: number, dst: string, type: number = icmp.ECHO_REQUEST): void {
    this.icmp(dst, { type, code: 0, rest: icmp.queryRest(id, 1), data: bytes(24) })
  }

  icmp(dst: string, message: icmp.Repr, src = this.address): void {
    const payload = new Uint8Array(8 + message.data.length)
    icmp.emit(message, payload, 0)
    this.station.send({ src, dst, protocol: ipv4.PROTO_ICMP, payload })
  }

  /** Sends an ICMP error about a packet received, quoting its first `quote` bytes. */
  error(about: Packet, type: number, code: number, quote = 28, rest = 0, src = this.address): void {
    this.icmp(about.src, { type, code, rest, data: about.frame.slice(14, 14 + quote) }, src)
  }

  /** Every datagram received since last asked; what a bridge flooded is for others. */
  take(): Packet[] {
    const ours = this.station.takeIp().filter((s) => s.eth.dst === this.station.mac)
    return ours.map((s) => packetOf(s.frame))
  }

  /** The one datagram received since last asked. */
  one(): Packet {
    const all = this.take()
    if (all.length !== 1) throw new Error(`${this.address} received ${all.length} datagrams, not one`)
    return all[0]
  }
}

/** What an ICMP error quotes. */
export interface Quoted {
  readonly src: string
  readonly dst: string
  readonly sport: number
  readonly dport: number
  /** Identifier, for a quoted ICMP query. */
  readonly id: number
  readonly headerIsRight: boolean
}

export function quoted(p: Packet): Quoted {
  const b = p.icmp!.data
  const l4 = ipv4.payload(b, 0)
  return {
    src: ipv4.formatIpv4(u32(b, 12)),
    dst: ipv4.formatIpv4(u32(b, 16)),
    sport: u16(b, l4),
    dport: u16(b, l4 + 2),
    id: u16(b, l4 + 4),
    headerIsRight: ipv4.verifyChecksum(b, 0),
  }
}

export class NatLab {
  readonly lab: Lab
  readonly x1: Host
  readonly x2: Host
  readonly y1: Host
  readonly y2: Host
  #spec: RouterSpec

  constructor(nat: readonly NatRuleSpec[] = [snat()], more: Partial<RouterSpec> = {}) {
    this.#spec = { ...DEFAULT_ROUTER, nat, ...more }
    this.lab = new Lab(this.#spec, { cells: 1024 })
    this.x1 = new Host(this.lab.a)
    this.x2 = new Host(this.lab.station('br0', 'x2', 0x02_00_00_00_00_1a, '10.0.0.2', ROUTER_MAC_0))
    this.y1 = new Host(this.lab.b)
    this.y2 = new Host(this.lab.station('br1', 'y2', 0x02_00_00_00_00_1b, '192.168.100.2', ROUTER_MAC_1))
    // Neighbours are known from here on, and nobody has anything in the mailbox.
    for (const h of [this.x1, this.x2]) h.station.sendArp({ tpa: ip('10.0.0.254') })
    for (const h of [this.y1, this.y2]) h.station.sendArp({ tpa: ip(EXTERNAL) })
    for (const h of this.hosts) h.take()
  }

  get hosts(): Host[] {
    return [this.x1, this.x2, this.y1, this.y2]
  }

  /** Puts the router anew with other rules. */
  put(nat: readonly NatRuleSpec[], more: Partial<RouterSpec> = {}): void {
    this.#spec = { ...this.#spec, nat, ...more }
    this.lab.local.commands.routerPut(this.#spec)
    this.lab.run()
  }

  connections() {
    return this.lab.local.commands.connections('rt', 0).rows
  }

  advance(ms: number): void {
    this.lab.advance(ms)
  }

  drops(): Record<string, number> {
    return this.lab.drops()
  }
}

export const FIN = tcp.FIN
export const SYN = tcp.SYN
export const RST = tcp.RST
export const ACK = tcp.ACK

/** A three-way handshake from inside; answers the client's source port as seen outside. */
export function handshake(from: Host, sport: number, to: Host, dport: number): number {
  from.tcp(sport, to.address, dport, { flags: SYN, seq: 1000 })
  const syn = to.one()
  to.tcp(dport, syn.src, syn.sport, { flags: SYN | ACK, seq: 5000, ack: 1001 })
  from.one()
  from.tcp(sport, to.address, dport, { flags: ACK, seq: 1001, ack: 5001 })
  to.one()
  return syn.sport
}
