/**
 * What a dataplane does with its first packets, done beforehand and for nobody: JavaScript that has never run is many
 * times slower than the same a second later, which the first connections of a network would pay for. A datapath in
 * memory carries conversations through bridges, a router, its NAT and a service of its, one at each `step`, until the
 * code is warm.
 */
import { seededRandom } from '../protocols/random.ts'
import * as arp from '../protocols/wire/arp.ts'
import { pseudoHeader4 } from '../protocols/wire/checksum.ts'
import * as ethernet from '../protocols/wire/ethernet.ts'
import * as ipv4 from '../protocols/wire/ipv4.ts'
import * as tcp from '../protocols/wire/tcp.ts'
import * as udp from '../protocols/wire/udp.ts'
import { type RouterSpec, TRUNK_ALL } from './dpif.ts'
import { LocalDatapath } from './dpif-local.ts'
import type { MemoryNetdev } from './netdev/memory.ts'

/** After so many the code is about as fast as it gets. */
const CONVERSATIONS = 2000
/** Simulated milliseconds from one to the next: meanwhile old ones expire. */
const INTERVAL = 5
const CONNECTIONS = 1024
const FLOWS = 2048

interface Party {
  readonly device: MemoryNetdev
  readonly mac: number
  readonly address: number
}

interface Endpoint {
  readonly mac: number
  readonly address: number
  readonly port: number
}

const address = (text: string) => ipv4.parseIpv4(text) as number
const INSIDE = { mac: 0x0200000000fd, address: address('10.0.0.254') }
const OUTSIDE = { mac: 0x0200000000fe, address: address('192.0.2.254') }
const CLIENT = { mac: 0x020000000001, address: address('10.0.0.1') }
const SERVER = { mac: 0x020000000002, address: address('192.0.2.1') }

const SERVICE = 67

const ROUTER: RouterSpec = {
  name: 'router',
  interfaces: [
    {
      name: 'inside',
      mtu: 1500,
      addresses: [{ address: INSIDE.address, prefixLength: 24 }],
      services: [SERVICE],
      mac: INSIDE.mac,
    },
    {
      name: 'outside',
      mtu: 1500,
      addresses: [{ address: OUTSIDE.address, prefixLength: 24 }],
      services: [],
      mac: OUTSIDE.mac,
    },
  ],
  routes: [],
  nat: [
    {
      type: 'snat',
      source: { prefix: address('10.0.0.0'), prefixLength: 24 },
      to: [{ first: OUTSIDE.address, last: OUTSIDE.address }],
      ports: { first: 1024, last: 65535 },
      filtering: 'address-and-port-dependent',
    },
  ],
  helpers: ['ftp'],
  redirects: false,
  icmpErrorRate: 1000,
  maxConnections: CONNECTIONS,
  timeouts: { tcpEstablished: 7_440_000, tcpTransitory: 2000, udp: 2000, icmp: 2000 },
}

const PAYLOAD = new Uint8Array(64)
const IP_AT = ethernet.HEADER_LEN
const L4_AT = IP_AT + ipv4.HEADER_LEN

export class Rehearsal {
  #held = 0
  #stage: Stage | undefined

  get begun(): boolean {
    return this.#held > 0
  }

  /** Nothing more is to be gained. */
  get done(): boolean {
    return this.#held === CONVERSATIONS
  }

  /** Holds one conversation. @returns packets that have reached one of the two */
  step(): number {
    this.#stage ??= new Stage()
    const stage = this.#stage
    const packets = this.#held % 2 === 0 ? stage.connection() : stage.question() + stage.request()
    this.#held++
    if (this.done) this.#stage = undefined
    return packets
  }
}

/** A client and a server on two bridges, and the router between them. */
class Stage {
  readonly #local = new LocalDatapath({ random: seededRandom(1), cells: 64, flowLimit: FLOWS })
  readonly #client: Party
  readonly #server: Party
  #now = 0
  #port = 1024
  /** What the service answers, and how often that has reached the client. */
  #answer: Uint8Array = PAYLOAD
  #answered = 0

  constructor() {
    const { commands } = this.#local
    this.#local.onEvent((event) => {
      if (event.type === 'service') commands.routerSend(event.router, this.#answer)
    })
    commands.routerPut(ROUTER)
    for (const bridge of ['inside', 'outside']) {
      commands.bridgePut({
        name: bridge,
        agingTime: 300,
        macTableSize: 64,
        forwardBpdu: false,
        failMode: 'standalone',
      })
      const kind = { type: 'router', router: ROUTER.name, interface: bridge } as const
      commands.portPut({ name: `router.${bridge}`, bridge, vlan: TRUNK_ALL, kind })
    }
    this.#client = { ...CLIENT, device: this.#plug('client', 'inside') }
    this.#server = { ...SERVER, device: this.#plug('server', 'outside') }
  }

  /** A datagram and the one that answers it. */
  question(): number {
    const [client, server] = this.#begin()
    const asked = this.#send(this.#client, datagram(client, server))
    const { from, to } = endpoints(asked[0] as Uint8Array)
    return asked.length + this.#send(this.#server, datagram(to, from)).length
  }

  /** A datagram for the router's service, which answers; that, too, counts as one that has got there. */
  request(): number {
    const router = { ...INSIDE, port: SERVICE }
    const client = { ...CLIENT, port: this.#port }
    this.#answer = datagram(router, client).subarray(IP_AT)
    this.#answered = 0
    this.#send(this.#client, datagram(client, router))
    return this.#answered
  }

  /** TCP, opened and reset. */
  connection(): number {
    const [client, server] = this.#begin()
    const opened = this.#send(this.#client, segment(client, server, tcp.SYN, 1, 0))
    const { from, to } = endpoints(opened[0] as Uint8Array)
    const accepted = this.#send(this.#server, segment(to, from, tcp.SYN | tcp.ACK, 9, 2))
    let packets = opened.length + accepted.length
    for (const flags of [tcp.ACK, tcp.ACK | tcp.PSH, tcp.ACK | tcp.PSH, tcp.ACK | tcp.RST]) {
      packets += this.#send(this.#client, segment(client, server, flags, 2, 10)).length
    }
    return packets
  }

  #begin(): [client: Endpoint, server: Endpoint] {
    this.#now += INTERVAL
    return [
      { ...CLIENT, port: this.#port++ },
      { ...SERVER, mac: INSIDE.mac, port: 80 },
    ]
  }

  #plug(name: string, bridge: string): MemoryNetdev {
    const device = this.#local.device({ name })
    this.#local.commands.portPut({
      name,
      bridge,
      vlan: TRUNK_ALL,
      kind: { type: 'memory', key: name },
    })
    return device
  }

  /** The packets that the other side receives then. */
  #send(from: Party, frame: Uint8Array): Uint8Array[] {
    from.device.inject(frame)
    const received: Uint8Array[] = []
    do {
      this.#local.step(this.#now)
      for (const party of [this.#client, this.#server]) {
        for (const sent of party.device.takeAllSent()) {
          if (ethernet.type(sent, 0) === 0x0806) answerArp(party, sent)
          else if (party !== from) received.push(sent)
          else this.#answered++
        }
      }
    } while (this.#client.device.waiting + this.#server.device.waiting > 0)
    return received
  }
}

/** The router asks where somebody is, from time to time. */
function answerArp({ device, mac, address }: Party, request: Uint8Array): void {
  if (arp.tpa(request, IP_AT) !== address) return
  const reply = new Uint8Array(60)
  const [tha, tpa] = [arp.sha(request, IP_AT), arp.spa(request, IP_AT)]
  ethernet.emit({ dst: tha, src: mac, type: 0x0806 }, reply, 0)
  arp.emit({ operation: 2, sha: mac, spa: address, tha, tpa }, reply, IP_AT)
  device.inject(reply)
}

function packet(from: Endpoint, to: Endpoint, protocol: number, length: number): Uint8Array {
  const frame = new Uint8Array(L4_AT + length)
  ethernet.emit({ dst: to.mac, src: from.mac, type: 0x0800 }, frame, 0)
  ipv4.emit({ src: from.address, dst: to.address, protocol, ttl: 64, payloadLength: length }, frame, IP_AT)
  frame.set(PAYLOAD, frame.length - PAYLOAD.length)
  return frame
}

function datagram(from: Endpoint, to: Endpoint): Uint8Array {
  const length = udp.HEADER_LEN + PAYLOAD.length
  const frame = packet(from, to, ipv4.PROTO_UDP, length)
  udp.emit({ srcPort: from.port, dstPort: to.port, length }, frame, L4_AT)
  udp.fillChecksum(frame, L4_AT, pseudoHeader4(from.address, to.address, ipv4.PROTO_UDP, length))
  return frame
}

function segment(from: Endpoint, to: Endpoint, flags: number, seq: number, ack: number): Uint8Array {
  const length = tcp.HEADER_LEN + PAYLOAD.length
  const frame = packet(from, to, ipv4.PROTO_TCP, length)
  const header = { srcPort: from.port, dstPort: to.port, seq, ack, flags, window: 65535, urgentPointer: 0 }
  tcp.emit({ ...header, options: new Uint8Array(0) }, frame, L4_AT)
  const pseudo = pseudoHeader4(from.address, to.address, ipv4.PROTO_TCP, length)
  tcp.fillChecksum(frame, L4_AT, frame.length, pseudo)
  return frame
}

/** Who has sent a frame, and to whom, as its receiver sees it; ports stand at the same place in TCP and UDP. */
function endpoints(frame: Uint8Array): { from: Endpoint; to: Endpoint } {
  return {
    from: {
      mac: ethernet.src(frame, 0),
      address: ipv4.src(frame, IP_AT),
      port: udp.srcPort(frame, L4_AT),
    },
    to: { mac: ethernet.dst(frame, 0), address: ipv4.dst(frame, IP_AT), port: udp.dstPort(frame, L4_AT) },
  }
}
