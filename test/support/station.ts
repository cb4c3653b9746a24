/**
 * A host reduced to what conversations need: it resolves and answers ARP, answers echo requests, echoes UDP
 * sent to port 7 and whatever is said over TCP, and has a DHCP client. It believes nothing whose checksums are
 * wrong.
 */
import type { MemoryNetdev } from '../../engine/netdev/memory.ts'
import type { ClientLease } from '../../protocols/dhcp/client-lease.ts'
import { seededRandom } from '../../protocols/random.ts'
import * as arp from '../../protocols/wire/arp.ts'
import { put16, put32, put48, u16 } from '../../protocols/wire/big-endian.ts'
import { pseudoHeader4 } from '../../protocols/wire/checksum.ts'
import * as dhcp from '../../protocols/wire/dhcpv4.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as icmp from '../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as tcp from '../../protocols/wire/tcp.ts'
import * as udp from '../../protocols/wire/udp.ts'
import { DhcpClientService } from '../../src/services/dhcp-client.ts'
import type { Clock } from '../../src/services/scheduler.ts'
import { NOTHING, Session, segment } from './tcp-session.ts'

export const ECHO_PORT = 7

export interface StationOptions {
  readonly mac: number
  readonly address?: ipv4.Prefix
  readonly gateway?: number
  /** It sits at a trunk and speaks in this VLAN. */
  readonly vlan?: number
}

/** What a station needs of the lab it is in. */
export interface Surroundings {
  readonly clock: Clock
  run(): void
}

/** A TCP segment or UDP datagram as it was received. */
export interface Heard {
  readonly protocol: number
  readonly src: number
  readonly sport: number
  readonly dport: number
  readonly flags: number
  readonly seq: number
  readonly ack: number
  readonly data: Uint8Array
}

export class Station {
  readonly mac: number
  address: ipv4.Prefix | undefined
  gateway: number | undefined
  /** Further addresses that it answers to. */
  readonly also: number[] = []
  /** The last segment or datagram received. */
  heard: Heard | undefined
  /** Frames to it with something wrong in them. */
  bad = 0
  /** It takes no notice of anything. */
  silent = false
  device!: MemoryNetdev
  readonly #lab: Surroundings
  readonly #vlan: number | undefined
  readonly #neighbors = new Map<number, number>()
  readonly #random = seededRandom(5)
  #echo = -1
  #sequence = 0
  #port = 40_000
  #dhcp: DhcpClientService | undefined
  #dhcpListener: (payload: Uint8Array) => void = () => {}

  constructor(lab: Surroundings, options: StationOptions) {
    this.#lab = lab
    this.mac = options.mac
    this.address = options.address
    this.gateway = options.gateway
    this.#vlan = options.vlan
  }

  attach(device: MemoryNetdev): void {
    this.device = device
  }

  /** Forgets whom it knows. */
  flushNeighbors(): void {
    this.#neighbors.clear()
  }

  /** @returns whether an answer came at once */
  ping(to: number, size = 56): boolean {
    const message = new Uint8Array(icmp.HEADER_LEN + size).fill(0x5a)
    const sequence = ++this.#sequence & 0xffff
    const data = message.slice(icmp.HEADER_LEN)
    icmp.emit({ type: icmp.ECHO_REQUEST, code: 0, rest: icmp.queryRest(77, sequence), data }, message, 0)
    this.#echo = -1
    this.sendIp(to, ipv4.PROTO_ICMP, message)
    this.#lab.run()
    return this.#echo === sequence
  }

  /** Has a datagram echoed. @returns whether it came back at once */
  echo(to: number, data: Uint8Array = Uint8Array.of(1, 2, 3), sport = ++this.#port): boolean {
    this.heard = undefined
    this.sendUdp(to, sport, ECHO_PORT, data)
    this.#lab.run()
    return this.#answered(ipv4.PROTO_UDP, to, sport, data)
  }

  /** A TCP connection that is established, or undefined. */
  connect(to: number, dport = 80, sport = ++this.#port): Session | undefined {
    this.heard = undefined
    this.sendTcp(to, sport, dport, tcp.SYN, 1000, 0)
    this.#lab.run()
    const h = this.heard as Heard | undefined
    if (h?.flags !== (tcp.SYN | tcp.ACK) || h.src !== to || h.dport !== sport || h.ack !== 1001) return
    this.sendTcp(to, sport, dport, tcp.ACK, 1001, h.seq + 1)
    this.#lab.run()
    return new Session(this, this.#lab, to, sport, dport, 1001, h.seq + 1)
  }

  /** Starts a DHCP client, whose lease becomes the station's address. */
  startDhcp(): DhcpClientService {
    this.#dhcp = new DhcpClientService({
      config: { mac: this.mac },
      clock: this.#lab.clock,
      random: this.#random,
      apply: (lease: ClientLease | undefined) => {
        this.address = lease
        this.gateway = lease?.router
      },
      transport: {
        onMessage: (listener) => {
          this.#dhcpListener = listener
        },
        send: (payload, target) => {
          if (target.broadcast) {
            this.sendUdp(ipv4.BROADCAST, dhcp.CLIENT_PORT, dhcp.SERVER_PORT, payload)
          } else this.sendUdp(target.to, dhcp.CLIENT_PORT, dhcp.SERVER_PORT, payload)
        },
      },
    })
    this.#lab.run()
    return this.#dhcp
  }

  sendUdp(to: number, sport: number, dport: number, data: Uint8Array): void {
    const b = new Uint8Array(udp.HEADER_LEN + data.length)
    udp.emit({ srcPort: sport, dstPort: dport, length: b.length }, b, 0)
    b.set(data, udp.HEADER_LEN)
    udp.fillChecksum(b, 0, pseudoHeader4(this.address?.address ?? 0, to, ipv4.PROTO_UDP, b.length))
    this.sendIp(to, ipv4.PROTO_UDP, b)
  }

  sendTcp(
    to: number,
    srcPort: number,
    dstPort: number,
    flags: number,
    seq: number,
    ack: number,
    data = NOTHING,
  ) {
    const b = segment({ src: this.address?.address ?? 0, dst: to, srcPort, dstPort, flags, seq, ack, data })
    this.sendIp(to, ipv4.PROTO_TCP, b)
  }

  /** Sends to whoever leads to `to`; asks for that neighbour first if need be. */
  sendIp(to: number, protocol: number, payload: Uint8Array, from = this.address?.address ?? 0): void {
    const repr: ipv4.Repr = { src: from, dst: to, protocol, ttl: 64, payloadLength: payload.length }
    const datagram = new Uint8Array(ipv4.HEADER_LEN + payload.length)
    ipv4.emit(repr, datagram, 0)
    datagram.set(payload, ipv4.HEADER_LEN)
    const mac = to === ipv4.BROADCAST ? ethernet.BROADCAST : this.#resolve(to)
    if (mac !== undefined) this.send(mac, ethernet.TYPE_IPV4, datagram)
  }

  /** Sends a frame as it is, under the station's tag. */
  send(dst: number, type: number, payload: Uint8Array): void {
    const tag = this.#vlan === undefined ? 0 : 4
    const frame = new Uint8Array(ethernet.HEADER_LEN + tag + payload.length)
    put48(frame, 0, dst)
    put48(frame, 6, this.mac)
    if (this.#vlan !== undefined) put32(frame, 12, 0x8100_0000 + this.#vlan)
    put16(frame, 12 + tag, type)
    frame.set(payload, ethernet.HEADER_LEN + tag)
    this.device.inject(frame)
  }

  /** Takes a frame the switch sends; the bytes are only lent. */
  receive(sent: Uint8Array): void {
    if (this.silent) return
    if ((sent[0] & 1) === 0 && ethernet.dst(sent, 0) !== this.mac) return
    let frame = sent
    if (this.#vlan !== undefined) {
      if (u16(sent, 12) !== 0x8100 || (u16(sent, 14) & 0xfff) !== this.#vlan) return
      frame = new Uint8Array(sent.length - 4)
      frame.set(sent.subarray(0, 12))
      frame.set(sent.subarray(16), 12)
    }
    const type = ethernet.type(frame, 0)
    if (type === ethernet.TYPE_ARP) this.#arp(frame)
    else if (type === ethernet.TYPE_IPV4) this.#ip(frame)
  }

  #resolve(to: number): number | undefined {
    const local = this.address !== undefined && ipv4.contains(this.address, to)
    const hop = local ? to : this.gateway
    if (hop === undefined) return undefined
    if (!this.#neighbors.has(hop)) {
      this.#sendArp(ethernet.BROADCAST, arp.REQUEST, this.address?.address ?? 0, 0, hop)
      this.#lab.run()
    }
    return this.#neighbors.get(hop)
  }

  #sendArp(dst: number, operation: number, spa: number, tha: number, tpa: number): void {
    const b = new Uint8Array(46)
    arp.emit({ operation, sha: this.mac, spa, tha, tpa }, b, 0)
    this.send(dst, ethernet.TYPE_ARP, b)
  }

  #owns(address: number): boolean {
    return this.address?.address === address || this.also.includes(address)
  }

  #arp(frame: Uint8Array): void {
    const a = arp.parse(frame, ethernet.HEADER_LEN, frame.length)
    if (a === undefined) return
    if (a.operation === arp.REPLY && this.#owns(a.tpa)) this.#neighbors.set(a.spa, a.sha)
    if (a.operation !== arp.REQUEST || !this.#owns(a.tpa)) return
    this.#sendArp(a.sha, arp.REPLY, a.tpa, a.sha, a.spa)
  }

  #ip(frame: Uint8Array): void {
    const l3 = ethernet.HEADER_LEN
    if (!ipv4.check(frame, l3, frame.length) || !ipv4.verifyChecksum(frame, l3)) {
      if (ethernet.dst(frame, 0) === this.mac) this.bad++
      return
    }
    const dst = ipv4.dst(frame, l3)
    const src = ipv4.src(frame, l3)
    const protocol = ipv4.protocol(frame, l3)
    if (ipv4.isFragment(frame, l3)) return
    const l4 = ipv4.payload(frame, l3)
    const end = ipv4.end(frame, l3)
    if (
      protocol === ipv4.PROTO_UDP &&
      udp.check(frame, l4, end) &&
      udp.dstPort(frame, l4) === dhcp.CLIENT_PORT
    ) {
      this.#dhcpListener(frame.slice(l4 + udp.HEADER_LEN, end))
      return
    }
    if (!this.#owns(dst)) return
    const pseudo = pseudoHeader4(src, dst, protocol, end - l4)
    if (protocol === ipv4.PROTO_ICMP) this.#icmp(frame, src, dst, l4, end)
    else if (protocol === ipv4.PROTO_UDP) this.#udp(frame, src, l4, end, pseudo)
    else if (protocol === ipv4.PROTO_TCP) this.#tcp(frame, src, dst, l4, end, pseudo)
  }

  #icmp(frame: Uint8Array, src: number, dst: number, l4: number, end: number): void {
    const m = icmp.parse(frame, l4, end)
    if (m === undefined) {
      this.bad++
      return
    }
    if (m.type === icmp.ECHO_REPLY && m.rest >>> 16 === 77) this.#echo = m.rest & 0xffff
    if (m.type !== icmp.ECHO_REQUEST) return
    const reply = new Uint8Array(icmp.HEADER_LEN + m.data.length)
    icmp.emit({ ...m, type: icmp.ECHO_REPLY, data: m.data.slice() }, reply, 0)
    this.#answer(frame, src, dst, ipv4.PROTO_ICMP, reply)
  }

  #udp(frame: Uint8Array, src: number, l4: number, end: number, pseudo: number): void {
    const h = udp.parse(frame, l4, end)
    if (h === undefined || !udp.verifyChecksum(frame, l4, pseudo)) {
      this.bad++
      return
    }
    const data = frame.slice(l4 + udp.HEADER_LEN, l4 + h.length)
    this.heard = {
      protocol: ipv4.PROTO_UDP,
      src,
      sport: h.srcPort,
      dport: h.dstPort,
      flags: 0,
      seq: 0,
      ack: 0,
      data,
    }
    // Two servers would talk for ever.
    if (h.dstPort === ECHO_PORT && h.srcPort >= 1024) this.#answerUdp(frame, src, h.srcPort, data)
  }

  #answerUdp(frame: Uint8Array, to: number, dport: number, data: Uint8Array): void {
    const from = ipv4.dst(frame, ethernet.HEADER_LEN)
    const b = new Uint8Array(udp.HEADER_LEN + data.length)
    udp.emit({ srcPort: ECHO_PORT, dstPort: dport, length: b.length }, b, 0)
    b.set(data, udp.HEADER_LEN)
    udp.fillChecksum(b, 0, pseudoHeader4(from, to, ipv4.PROTO_UDP, b.length))
    this.#answer(frame, to, from, ipv4.PROTO_UDP, b)
  }

  #tcp(frame: Uint8Array, src: number, dst: number, l4: number, end: number, pseudo: number): void {
    const h = tcp.parse(frame, l4, end)
    if (h === undefined || !tcp.verifyChecksum(frame, l4, end, pseudo)) {
      this.bad++
      return
    }
    const data = frame.slice(l4 + tcp.headerLength(frame, l4), end)
    this.heard = {
      protocol: ipv4.PROTO_TCP,
      src,
      sport: h.srcPort,
      dport: h.dstPort,
      flags: h.flags,
      seq: h.seq,
      ack: h.ack,
      data,
    }
    // Only who is spoken to on a well-known port is a server, and two of them would talk for ever.
    if (h.dstPort >= 1024 || h.srcPort < 1024 || (h.flags & tcp.RST) !== 0) return
    const ends = { src: dst, dst: src, srcPort: h.dstPort, dstPort: h.srcPort }
    if (h.flags === tcp.SYN) {
      const b = segment({ ...ends, flags: tcp.SYN | tcp.ACK, seq: 5000, ack: h.seq + 1, data: NOTHING })
      this.#answer(frame, src, dst, ipv4.PROTO_TCP, b)
    } else if (data.length > 0 || (h.flags & tcp.FIN) !== 0) {
      const fin = h.flags & tcp.FIN
      const ack = h.seq + data.length + (fin !== 0 ? 1 : 0)
      this.#answer(
        frame,
        src,
        dst,
        ipv4.PROTO_TCP,
        segment({ ...ends, flags: tcp.ACK | fin, seq: h.ack, ack, data }),
      )
    }
  }

  /** Back the way it came. */
  #answer(frame: Uint8Array, to: number, from: number, protocol: number, payload: Uint8Array): void {
    const b = new Uint8Array(ipv4.HEADER_LEN + payload.length)
    ipv4.emit({ src: from, dst: to, protocol, ttl: 64, payloadLength: payload.length }, b, 0)
    b.set(payload, ipv4.HEADER_LEN)
    this.send(ethernet.src(frame, 0), ethernet.TYPE_IPV4, b)
  }

  #answered(protocol: number, from: number, dport: number, data: Uint8Array): boolean {
    const h = this.heard
    return (
      h !== undefined &&
      h.protocol === protocol &&
      h.src === from &&
      h.dport === dport &&
      Buffer.compare(h.data, data) === 0
    )
  }
}
