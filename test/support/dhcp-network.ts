import type { ClientLease } from '../../protocols/dhcp/client-lease.ts'
import type { LeaseRecord } from '../../protocols/dhcp/lease-record.ts'
import { type Random, seededRandom } from '../../protocols/random.ts'
import { pseudoHeader4 } from '../../protocols/wire/checksum.ts'
import * as dhcp from '../../protocols/wire/dhcpv4.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as udp from '../../protocols/wire/udp.ts'
import { DhcpClientService } from '../../src/services/dhcp-client.ts'
import type { ServicePort } from '../../src/services/dhcp-server.ts'
import type { LeaseStore } from '../../src/services/lease-journal.ts'
import { SERVER_ID } from './dhcp.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** A store that takes its time, under the virtual clock, and whose content outlives a crash. */
export class MemoryStore implements LeaseStore {
  readonly records: LeaseRecord[] = []
  readonly #clock: VirtualClock
  readonly #delay: number
  failing = false

  constructor(clock: VirtualClock, delay = 5) {
    this.#clock = clock
    this.#delay = delay
  }

  append(record: LeaseRecord, done: (error?: Error) => void): void {
    this.#clock.schedule(this.#clock.now() + this.#delay, () => {
      if (this.failing) done(new Error('disk full'))
      else {
        this.records.push(record)
        done()
      }
    })
  }

  async close(): Promise<void> {}
}

export interface Faults {
  /** Chance of each frame to be lost, or delivered twice. */
  readonly loss: number
  readonly duplication: number
  /** Longest delay in ms; shorter ones overtake. */
  readonly jitter: number
}

export const NO_FAULTS: Faults = { loss: 0, duplication: 0, jitter: 0 }

export interface Host {
  readonly mac: number
  readonly service: DhcpClientService
  /** As applied to the interface. */
  applied: ClientLease | undefined
  readonly history: (ClientLease | undefined)[]
}

const SERVER_MAC = 0x0200_0000_00fe

/** One Ethernet segment: a DHCP server and hosts with DHCP clients. */
export class DhcpNetwork {
  readonly hosts: Host[] = []
  /** Frames the server has sent. */
  readonly sent: Uint8Array[] = []
  faults: Faults
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #inboxes = new Map<number, (payload: Uint8Array) => void>()
  #generation = 0
  #listener: ((frame: Uint8Array) => void) | undefined

  constructor(clock: VirtualClock, faults = NO_FAULTS, seed = 1) {
    this.#clock = clock
    this.faults = faults
    this.#random = seededRandom(seed)
  }

  /** Where a server attaches. Whoever was attached before is cut off, in both directions. */
  plug(): ServicePort {
    const generation = ++this.#generation
    const attached = () => generation === this.#generation
    return {
      mac: SERVER_MAC,
      address: SERVER_ID,
      onFrame: (listener) => {
        this.#listener = listener
      },
      send: (frame) => {
        if (attached()) this.#send(frame.slice())
      },
      sendVia: (datagram) => {
        const owner = this.hosts.find((h) => h.applied?.address === ipv4.dst(datagram, 0))
        const copy = datagram.slice()
        if (attached() && owner !== undefined) this.#deliver(() => this.#toHosts(copy, owner.mac))
      },
      probe: (address, done) => {
        const inUse = this.hosts.some((h) => h.applied?.address === address)
        if (inUse) this.#clock.schedule(this.#clock.now() + 1, () => done(true))
      },
    }
  }

  /** Cuts the server off, as kill -9 does. */
  unplug(): void {
    this.#generation++
    this.#listener = undefined
  }

  #send(frame: Uint8Array): void {
    this.sent.push(frame)
    const destination = ethernet.dst(frame, 0)
    this.#deliver(() => this.#toHosts(frame.subarray(ethernet.HEADER_LEN), destination))
  }

  join(mac: number, previous?: number): Host {
    const host: Host = { mac, service: undefined as never, applied: undefined, history: [] }
    const service = new DhcpClientService({
      config: { mac, hostname: `host-${mac}` },
      clock: this.#clock,
      random: this.#random,
      apply: (lease) => {
        host.applied = lease
        host.history.push(lease)
      },
      transport: {
        onMessage: (listener) => this.#inboxes.set(mac, listener),
        send: (payload, target) => {
          const to = target.broadcast ? ipv4.BROADCAST : target.to
          const frame = wrap(payload, mac, host.applied?.address ?? 0, to)
          this.#deliver(() => this.#listener?.(frame))
        },
      },
      ...(previous === undefined ? {} : { previous }),
    })
    Object.assign(host, { service })
    this.hosts.push(host)
    return host
  }

  /** Addresses in use right now. */
  addresses(): number[] {
    return this.hosts.flatMap((h) => (h.applied === undefined ? [] : [h.applied.address]))
  }

  #chance(p: number): boolean {
    return this.#random() < p * 0x1_0000_0000
  }

  #deliver(fn: () => void): void {
    const { loss, duplication, jitter } = this.faults
    const copies = this.#chance(loss) ? 0 : this.#chance(duplication) ? 2 : 1
    for (let i = 0; i < copies; i++) {
      this.#clock.schedule(this.#clock.now() + (this.#random() / 0x1_0000_0000) * jitter, fn)
    }
  }

  #toHosts(datagram: Uint8Array, mac: number): void {
    if (!ipv4.check(datagram, 0, datagram.length) || !ipv4.verifyChecksum(datagram, 0))
      throw new Error('bad IPv4')
    const l4 = ipv4.payload(datagram, 0)
    const length = udp.length(datagram, l4)
    const pseudo = pseudoHeader4(ipv4.src(datagram, 0), ipv4.dst(datagram, 0), ipv4.PROTO_UDP, length)
    if (udp.checksum(datagram, l4) === 0 || !udp.verifyChecksum(datagram, l4, pseudo))
      throw new Error('bad UDP')
    if (udp.dstPort(datagram, l4) !== dhcp.CLIENT_PORT) return
    const payload = datagram.subarray(l4 + udp.HEADER_LEN, l4 + length)
    for (const [station, inbox] of this.#inboxes) {
      if (mac === ethernet.BROADCAST || mac === station) inbox(payload)
    }
  }
}

/** A client's message as it comes out of a host. */
export function wrap(payload: Uint8Array, mac: number, source: number, destination: number): Uint8Array {
  const frame = new Uint8Array(42 + payload.length)
  const length = udp.HEADER_LEN + payload.length
  const dst = destination === ipv4.BROADCAST ? ethernet.BROADCAST : SERVER_MAC
  ethernet.emit({ dst, src: mac, type: ethernet.TYPE_IPV4 }, frame, 0)
  ipv4.emit(
    { src: source, dst: destination, protocol: ipv4.PROTO_UDP, ttl: 64, payloadLength: length },
    frame,
    14,
  )
  udp.emit({ srcPort: dhcp.CLIENT_PORT, dstPort: dhcp.SERVER_PORT, length }, frame, 34)
  frame.set(payload, 42)
  return frame
}
