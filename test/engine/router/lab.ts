/**
 * A router in the whole engine, in memory, under a virtual clock: ports of bridges with a station each, which
 * answers ARP if it is told to and keeps whatever else it receives.
 */

import { type DpifEvent, type RouterSpec, TRUNK_ALL } from '../../../engine/dpif.ts'
import { LocalDatapath } from '../../../engine/dpif-local.ts'
import type { MemoryNetdev } from '../../../engine/netdev/memory.ts'
import { seededRandom } from '../../../protocols/random.ts'
import * as arp from '../../../protocols/wire/arp.ts'
import { pseudoHeader4 } from '../../../protocols/wire/checksum.ts'
import * as ethernet from '../../../protocols/wire/ethernet.ts'
import * as icmp from '../../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import * as udp from '../../../protocols/wire/udp.ts'

export function ip(text: string): number {
  const address = ipv4.parseIpv4(text)
  if (address === undefined) throw new Error(`no address: ${text}`)
  return address
}

export const ROUTER_MAC_0 = 0x02_00_00_00_01_00
export const ROUTER_MAC_1 = 0x02_00_00_00_01_01

export const DEFAULT_ROUTER: RouterSpec = {
  name: 'rt',
  interfaces: [
    {
      name: 'eth0',
      mac: ROUTER_MAC_0,
      mtu: 1500,
      addresses: [{ address: ip('10.0.0.254'), prefixLength: 24 }],
      services: [67],
    },
    {
      name: 'eth1',
      mac: ROUTER_MAC_1,
      mtu: 1500,
      addresses: [{ address: ip('192.168.100.11'), prefixLength: 24 }],
      services: [],
    },
  ],
  routes: [{ prefix: 0, prefixLength: 0, via: ip('192.168.100.1'), metric: 0 }],
  nat: [],
  redirects: false,
  icmpErrorRate: 1000,
  maxConnections: 1024,
  helpers: ['ftp', 'tftp'],
  timeouts: { tcpEstablished: 7_440_000, tcpTransitory: 240_000, udp: 300_000, icmp: 60_000 },
}

export interface Datagram {
  readonly src: string
  readonly dst: string
  readonly protocol?: number
  readonly ttl?: number
  readonly df?: boolean
  readonly mf?: boolean
  readonly offset?: number
  readonly id?: number
  readonly tos?: number
  readonly options?: Uint8Array
  readonly payload: Uint8Array
}

/** An IPv4 datagram. */
export function datagram(d: Datagram): Uint8Array {
  const repr: ipv4.Repr = {
    src: ip(d.src),
    dst: ip(d.dst),
    protocol: d.protocol ?? ipv4.PROTO_UDP,
    ttl: d.ttl ?? 64,
    payloadLength: d.payload.length,
    dontFragment: d.df ?? false,
    moreFragments: d.mf ?? false,
    fragmentOffset: d.offset ?? 0,
    identification: d.id ?? 0x1234,
    tos: d.tos ?? 0,
    ...(d.options === undefined ? {} : { options: d.options }),
  }
  const b = new Uint8Array(ipv4.emitLength(repr) + d.payload.length)
  const header = ipv4.emit(repr, b, 0)
  b.set(d.payload, header)
  return b
}

export function udpPayload(
  src: string,
  dst: string,
  sport: number,
  dport: number,
  data: Uint8Array,
): Uint8Array {
  const b = new Uint8Array(8 + data.length)
  udp.emit({ srcPort: sport, dstPort: dport, length: b.length }, b, 0)
  b.set(data, 8)
  udp.fillChecksum(b, 0, pseudoHeader4(ip(src), ip(dst), ipv4.PROTO_UDP, b.length))
  return b
}

export function echoPayload(id: number, sequence: number, data: Uint8Array): Uint8Array {
  const b = new Uint8Array(8 + data.length)
  icmp.emit({ type: icmp.ECHO_REQUEST, code: 0, rest: icmp.queryRest(id, sequence), data }, b, 0)
  return b
}

const PATTERN = Uint8Array.from({ length: 65_536 }, (_, i) => (i * 7 + (i >>> 8)) & 0xff)

/** Payload whose every byte tells its place. */
export function bytes(length: number): Uint8Array {
  return PATTERN.slice(0, length)
}

export function frame(dst: number, src: number, type: number, payload: Uint8Array): Uint8Array {
  const b = new Uint8Array(14 + payload.length)
  ethernet.emit({ dst, src, type }, b, 0)
  b.set(payload, 14)
  return b
}

/** A received frame taken apart. */
export interface Seen {
  readonly frame: Uint8Array
  readonly eth: ethernet.Repr
  readonly arp: arp.Repr | undefined
  readonly ip: ipv4.Repr | undefined
  /** What lies behind the IPv4 header. */
  readonly payload: Uint8Array
  readonly icmp: icmp.Repr | undefined
}

export function dissect(f: Uint8Array): Seen {
  const eth = ethernet.parse(f, 0, f.length)!
  const isIp = eth.type === ethernet.TYPE_IPV4
  const header = isIp ? ipv4.parse(f, 14, f.length) : undefined
  const payload = header === undefined ? new Uint8Array(0) : f.slice(ipv4.payload(f, 14), ipv4.end(f, 14))
  const whole = header?.protocol === ipv4.PROTO_ICMP && !ipv4.isFragment(f, 14)
  return {
    frame: f,
    eth,
    arp: eth.type === ethernet.TYPE_ARP ? arp.parse(f, 14, f.length) : undefined,
    ip: header,
    payload,
    icmp: whole ? icmp.parse(payload, 0, payload.length) : undefined,
  }
}

export class Station {
  readonly lab: Lab
  readonly device: MemoryNetdev
  readonly mac: number
  readonly address: string
  /** The router's MAC address on this station's link. */
  readonly gateway: number
  /** Whether it answers requests for its address. */
  answers = true
  /** Everything received but not yet taken. */
  #inbox: Seen[] = []

  constructor(lab: Lab, device: MemoryNetdev, mac: number, address: string, gateway: number) {
    this.lab = lab
    this.device = device
    this.mac = mac
    this.address = address
    this.gateway = gateway
  }

  /** Sends an IPv4 datagram to the router. */
  send(d: Omit<Datagram, 'src'> & { src?: string }): void {
    this.sendRaw(datagram({ src: this.address, ...d }))
  }

  sendRaw(packet: Uint8Array, dst = this.gateway): void {
    this.device.inject(frame(dst, this.mac, ethernet.TYPE_IPV4, packet))
    this.lab.run()
  }

  sendUdp(dst: string, dport: number, data = bytes(32), more: Partial<Datagram> = {}): void {
    this.send({ dst, payload: udpPayload(this.address, dst, 40000, dport, data), ...more })
  }

  ping(dst: string, size = 56, more: Partial<Datagram> = {}): void {
    this.send({ dst, protocol: ipv4.PROTO_ICMP, payload: echoPayload(7, 1, bytes(size)), ...more })
  }

  sendArp(r: Partial<arp.Repr>, dst = ethernet.BROADCAST): void {
    const b = new Uint8Array(46)
    arp.emit({ operation: arp.REQUEST, sha: this.mac, spa: ip(this.address), tha: 0, tpa: 0, ...r }, b, 0)
    this.device.inject(frame(dst, this.mac, ethernet.TYPE_ARP, b))
    this.lab.run()
  }

  /** Takes in what was sent to it; @returns whether it sent something */
  step(): boolean {
    let sent = false
    for (const f of this.device.takeAllSent()) {
      const seen = dissect(f)
      this.#inbox.push(seen)
      const a = seen.arp
      if (!this.answers || a?.operation !== arp.REQUEST || a.tpa !== ip(this.address)) continue
      const b = new Uint8Array(46)
      arp.emit({ operation: arp.REPLY, sha: this.mac, spa: a.tpa, tha: a.sha, tpa: a.spa }, b, 0)
      this.device.inject(frame(a.sha, this.mac, ethernet.TYPE_ARP, b))
      sent = true
    }
    return sent
  }

  /** Everything received since last asked. */
  take(): Seen[] {
    const all = this.#inbox
    this.#inbox = []
    return all
  }

  takeIp(): Seen[] {
    return this.take().filter((s) => s.ip !== undefined)
  }

  takeArp(): arp.Repr[] {
    return this.take().flatMap((s) => (s.arp === undefined ? [] : [s.arp]))
  }
}

export class Lab {
  readonly local: LocalDatapath
  readonly events: DpifEvent[] = []
  readonly a: Station
  readonly b: Station
  now = 1_000_000
  readonly #stations: Station[] = []

  /** Station a (10.0.0.1) on br0 behind eth0, station b (192.168.100.1) on br1 behind eth1. */
  constructor(spec: RouterSpec = DEFAULT_ROUTER, options: { cells?: number; claim?: boolean } = {}) {
    this.local = new LocalDatapath({ random: seededRandom(1), now: this.now, cells: options.cells ?? 128 })
    this.local.onEvent((event) => this.events.push(event))
    this.a = this.station('br0', 'a', 0x02_00_00_00_00_0a, '10.0.0.1', ROUTER_MAC_0)
    this.b = this.station('br1', 'b', 0x02_00_00_00_00_0b, '192.168.100.1', ROUTER_MAC_1)
    const { commands } = this.local
    commands.routerPut(spec)
    for (const [bridge, iface] of [
      ['br0', 'eth0'],
      ['br1', 'eth1'],
    ] as const) {
      commands.portPut({
        name: `rt-${iface}`,
        bridge,
        vlan: TRUNK_ALL,
        kind: { type: 'router', router: 'rt', interface: iface },
      })
    }
    if (options.claim !== true) {
      this.advance(20_000)
      for (const s of this.#stations) s.take()
    }
  }

  get pool() {
    return this.local.datapath.pool
  }

  station(bridge: string, name: string, mac: number, address: string, gateway: number): Station {
    const { commands } = this.local
    commands.bridgePut({ name: bridge, agingTime: 300, macTableSize: 8192, forwardBpdu: false })
    const device = this.local.device({ name, queue: 8192 })
    commands.portPut({ name, bridge, vlan: TRUNK_ALL, kind: { type: 'memory', key: name } })
    const station = new Station(this, device, mac, address, gateway)
    this.#stations.push(station)
    return station
  }

  /** Lets everything happen that happens at this moment. */
  run(): void {
    for (let more = true; more; ) {
      this.local.step(this.now)
      more = false
      for (const s of this.#stations) if (s.step()) more = true
    }
  }

  /** Lets time pass, from one thing due to the next. */
  advance(ms: number): void {
    const end = this.now + ms
    this.run()
    for (let due = this.local.pollAt(); due <= end; due = this.local.pollAt()) {
      this.now = Math.max(this.now, due)
      this.run()
    }
    this.now = end
    this.run()
  }

  drops(): Record<string, number> {
    return this.local.datapath.drops.named()
  }
}
