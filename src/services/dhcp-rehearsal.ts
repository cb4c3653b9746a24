/**
 * What a DHCP server does with its first clients, done beforehand and for nobody: JavaScript that has never run is many
 * times slower than the same a second later, which a crowd of clients would pay for (as the dataplane does,
 * engine/rehearsal.ts). A server of its own grants leases that go nowhere, some at each `step`, until the code is warm.
 */
import { encodeRecord } from '../../protocols/dhcp/journal.ts'
import type { LeaseRecord } from '../../protocols/dhcp/lease-record.ts'
import { put16, put32 } from '../../protocols/wire/big-endian.ts'
import * as dhcp from '../../protocols/wire/dhcpv4.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as udp from '../../protocols/wire/udp.ts'
import { DhcpService, type ServicePort } from './dhcp-server.ts'
import type { LeaseStore } from './lease-journal.ts'
import type { Clock } from './scheduler.ts'

/** After so many the code is about as fast as it gets. */
const LEASES = 3000
/** In one step, which takes a millisecond or two. */
const TOGETHER = 16

const NETWORK = 0x0a000000
const SERVER = NETWORK + 1
const RELAY = NETWORK + 2
const CONFIG = {
  serverId: SERVER,
  probe: false,
  subnets: [
    {
      address: NETWORK,
      prefixLength: 16,
      ranges: [{ first: NETWORK + 256, last: NETWORK + 256 + 2 * LEASES }],
      leaseTime: 3600,
    },
  ],
}
const WANTED = Uint8Array.of(
  dhcp.OPT_SUBNET_MASK,
  dhcp.OPT_ROUTER,
  dhcp.OPT_DOMAIN_NAME_SERVERS,
  dhcp.OPT_RENEWAL_TIME,
)
const IP_AT = ethernet.HEADER_LEN
const MESSAGE_AT = IP_AT + ipv4.HEADER_LEN + udp.HEADER_LEN

/** Where the server is: its clients are the rehearsal. */
class Stage implements ServicePort, LeaseStore {
  readonly mac = 0x02_00_00_00_00_01
  readonly address = SERVER
  /** What was heard last. */
  answer: dhcp.Repr | undefined
  readonly #waiting: (() => void)[] = []
  #listener: (frame: Uint8Array) => void = () => {}

  onFrame(listener: (frame: Uint8Array) => void): void {
    this.#listener = listener
  }

  send(frame: Uint8Array): void {
    this.answer = dhcp.parse(frame, MESSAGE_AT, frame.length)
  }

  sendVia(datagram: Uint8Array): void {
    this.answer = dhcp.parse(datagram, MESSAGE_AT - IP_AT, datagram.length)
  }

  probe(): void {}

  append(record: LeaseRecord, done: () => void): void {
    encodeRecord(record)
    this.#waiting.push(done)
  }

  async close(): Promise<void> {}

  /** The server's answer to a message. */
  ask(message: dhcp.Repr): dhcp.Repr | undefined {
    this.answer = undefined
    this.#listener(frameOf(message))
    for (const done of this.#waiting.splice(0)) done()
    return this.answer
  }
}

export class DhcpRehearsal {
  readonly #stage = new Stage()
  readonly #service: DhcpService
  #leases = 0

  constructor(clock: Clock) {
    const stage = this.#stage
    // It is over before anything falls due.
    const still: Clock = { now: () => clock.now(), schedule: () => () => {} }
    this.#service = new DhcpService({ config: CONFIG, port: stage, clock: still, log: () => {} }, stage, [])
  }

  /** Leases granted so far. */
  get granted(): number {
    return this.#service.counters.ack
  }

  /** Some clients more; false when there were enough. */
  step(): boolean {
    for (let i = 0; i < TOGETHER; i++) this.#lease(this.#leases++)
    return this.#leases < LEASES
  }

  /** A lease, to every other client by a relay agent. */
  #lease(n: number): void {
    const giaddr = n % 2 === 0 ? 0 : RELAY
    const offer = this.#stage.ask(messageOf(n, giaddr, dhcp.DISCOVER))
    if (offer === undefined) return
    this.#stage.ask(
      messageOf(n, giaddr, dhcp.REQUEST, [
        [dhcp.OPT_REQUESTED_ADDRESS, dhcp.bytesOfU32(offer.yiaddr)],
        [dhcp.OPT_SERVER_ID, dhcp.bytesOfU32(SERVER)],
      ]),
    )
  }
}

function messageOf(
  n: number,
  giaddr: number,
  type: number,
  more: [code: number, data: Uint8Array][] = [],
): dhcp.Repr {
  const chaddr = new Uint8Array(6)
  put16(chaddr, 0, 0x0200)
  put32(chaddr, 2, n)
  const none = new Uint8Array(0)
  return {
    ...{ op: dhcp.BOOTREQUEST, htype: dhcp.HTYPE_ETHERNET, hops: 0, xid: n, secs: 0, broadcast: false },
    ...{ ciaddr: 0, yiaddr: 0, siaddr: 0, giaddr, chaddr, sname: none, file: none },
    options: new Map([
      [dhcp.OPT_MESSAGE_TYPE, Uint8Array.of(type)],
      [dhcp.OPT_PARAMETER_REQUEST_LIST, WANTED],
      ...more,
    ]),
  }
}

function frameOf(message: dhcp.Repr): Uint8Array {
  const payload = dhcp.emit(message)
  const length = udp.HEADER_LEN + payload.length
  const src = message.giaddr
  const frame = new Uint8Array(MESSAGE_AT + payload.length)
  ethernet.emit({ dst: ethernet.BROADCAST, src: 0x02_00_00_00_00_02, type: ethernet.TYPE_IPV4 }, frame, 0)
  ipv4.emit(
    { src, dst: ipv4.BROADCAST, protocol: ipv4.PROTO_UDP, ttl: 64, payloadLength: length },
    frame,
    IP_AT,
  )
  udp.emit(
    { srcPort: dhcp.CLIENT_PORT, dstPort: dhcp.SERVER_PORT, length },
    frame,
    MESSAGE_AT - udp.HEADER_LEN,
  )
  frame.set(payload, MESSAGE_AT)
  return frame
}
