/**
 * Drives the DHCP server machine on one interface of a router: frames in and out, the clock, and the store in
 * which leases become durable before their ACK leaves.
 */

import type { DhcpServerConfig } from '../../protocols/dhcp/config.ts'
import type { LeaseRecord } from '../../protocols/dhcp/lease-record.ts'
import type { Reply } from '../../protocols/dhcp/reply.ts'
import { DhcpServer } from '../../protocols/dhcp/server.ts'
import type { DhcpServerCounters, DhcpServerEvent, LeaseRow } from '../../protocols/dhcp/server-sink.ts'
import { pseudoHeader4 } from '../../protocols/wire/checksum.ts'
import { SERVER_PORT } from '../../protocols/wire/dhcpv4.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as udp from '../../protocols/wire/udp.ts'
import { LeaseJournal, type LeaseStore } from './lease-journal.ts'
import { type Clock, MachineTimer } from './scheduler.ts'

/** A router's interface, as a service behind it sees it. */
export interface ServicePort {
  readonly mac: number
  readonly address: number
  /** Whole untagged Ethernet frames for UDP port 67, broadcast or to us, headers and lengths validated. */
  onFrame(listener: (frame: Uint8Array) => void): void
  /** Sends a whole Ethernet frame out of the interface. The bytes are its only until it returns, here as below. */
  send(frame: Uint8Array): void
  /** Routes an IPv4 datagram as one of the router's own. */
  sendVia(datagram: Uint8Array): void
  /** Finds out by ARP or ICMP whether an address is in use. Need not answer when it is not. */
  probe(address: number, done: (inUse: boolean) => void): void
}

export type ServiceLog = (level: 'info' | 'warn' | 'error', message: string) => void

export interface DhcpServiceOptions {
  readonly config: DhcpServerConfig
  readonly port: ServicePort
  readonly clock: Clock
  readonly log: ServiceLog
}

const TTL = 64
/** Of the longest message in an IPv4 datagram. */
const MAX_FRAME = ethernet.HEADER_LEN + 0xffff

export class DhcpService {
  readonly #port: ServicePort
  readonly #clock: Clock
  readonly #log: ServiceLog
  readonly #store: LeaseStore
  readonly #server: DhcpServer
  readonly #timer: MachineTimer
  /** The frame that is being sent: a port keeps none. */
  readonly #frame = new Uint8Array(MAX_FRAME)
  #closed = false

  /**
   * @param store where leases are kept
   * @param records what it holds from before
   */
  constructor(options: DhcpServiceOptions, store: LeaseStore, records: Iterable<LeaseRecord>) {
    this.#port = options.port
    this.#clock = options.clock
    this.#log = options.log
    this.#store = store
    this.#server = new DhcpServer(options.config, {
      send: (reply) => this.#send(reply),
      probe: (address) => this.#probe(address),
      commit: (record, token) => this.#commit(record, token),
      log: (event) => this.#log('warn', describe(event)),
    })
    this.#timer = new MachineTimer(options.clock, this.#server)
    this.#server.restore(options.clock.now(), records)
    this.#timer.update()
    this.#port.onFrame((frame) => this.#receive(frame))
  }

  /**
   * A service whose leases survive in the file `journalPath`; nothing is served before they have been read.
   * @throws LeaseJournalError when the file cannot be used
   */
  static async open(options: DhcpServiceOptions, journalPath: string): Promise<DhcpService> {
    let service: DhcpService | undefined
    const { journal, replayed } = await LeaseJournal.open({
      path: journalPath,
      snapshot: () => service?.records() ?? replayed.records,
      size: () => service?.size ?? replayed.records.length,
      onFailure: (error) => {
        if (error === undefined) options.log('info', `the lease journal ${journalPath} is written again`)
        else options.log('error', `${error.message}; no address is granted until it can be written`)
      },
    })
    if (replayed.damaged > 0) {
      options.log(
        'warn',
        `${replayed.damaged} damaged bytes of the lease journal ${journalPath} were passed over`,
      )
    }
    service = new DhcpService(options, journal, replayed.records)
    return service
  }

  get counters(): Readonly<DhcpServerCounters> {
    return this.#server.counters
  }

  /** Leases and offers, by address. */
  leases(): LeaseRow[] {
    return this.#server.leases().sort((a, b) => a.address - b.address)
  }

  /** What a compacted journal holds. */
  records(): Iterable<LeaseRecord> {
    return this.#server.records(this.#clock.now())
  }

  /** How many records those are. */
  get size(): number {
    return this.#server.size
  }

  /** Works on by another configuration; all leases stay. */
  reconfigure(config: DhcpServerConfig): void {
    this.#server.reconfigure(this.#clock.now(), config)
    this.#timer.update()
  }

  /** Stops answering, waits for the store and closes it. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer.stop()
    await this.#store.close()
  }

  #receive(frame: Uint8Array): void {
    if (this.#closed) return
    if (!ethernet.check(frame, 0, frame.length) || ethernet.type(frame, 0) !== ethernet.TYPE_IPV4) return
    const l3 = ethernet.HEADER_LEN
    if (!ipv4.check(frame, l3, frame.length) || ipv4.isFragment(frame, l3)) return
    if (ipv4.protocol(frame, l3) !== ipv4.PROTO_UDP) return
    const l4 = ipv4.payload(frame, l3)
    // The checksum is not looked at: the dataplane has, or has the frame from a kernel that left it to be filled in.
    if (!udp.check(frame, l4, ipv4.end(frame, l3)) || udp.dstPort(frame, l4) !== SERVER_PORT) return
    const payload = frame.subarray(l4 + udp.HEADER_LEN, l4 + udp.length(frame, l4))
    this.#server.receive(this.#clock.now(), payload, {
      sourceIp: ipv4.src(frame, l3),
      destinationIp: ipv4.dst(frame, l3),
    })
    this.#timer.update()
  }

  #probe(address: number): void {
    this.#port.probe(address, (inUse) => {
      if (this.#closed) return
      this.#server.probeResult(this.#clock.now(), address, inUse)
      this.#timer.update()
    })
  }

  #commit(record: LeaseRecord, token: number): void {
    this.#store.append(record, (error) => {
      if (token === 0 || this.#closed) return
      if (error === undefined) this.#server.committed(token)
      else this.#server.commitFailed(token)
      this.#timer.update()
    })
  }

  #send(reply: Reply): void {
    if (this.#closed) return
    const length = buildFrame(reply, this.#port.mac, this.#frame)
    if (reply.destMac === undefined) this.#port.sendVia(this.#frame.subarray(ethernet.HEADER_LEN, length))
    else this.#port.send(this.#frame.subarray(0, length))
  }
}

/** Puts the reply in UDP, IPv4 and Ethernet, checksums filled in, and says how long that is. */
function buildFrame(reply: Reply, sourceMac: number, frame: Uint8Array): number {
  const { payload, srcIp, destIp, destMac, destPort } = reply
  const udpLength = udp.HEADER_LEN + payload.length
  const l3 = ethernet.HEADER_LEN
  const l4 = l3 + ipv4.HEADER_LEN
  ethernet.emit({ dst: destMac ?? 0, src: sourceMac, type: ethernet.TYPE_IPV4 }, frame, 0)
  ipv4.emit(
    { src: srcIp, dst: destIp, protocol: ipv4.PROTO_UDP, ttl: TTL, payloadLength: udpLength },
    frame,
    l3,
  )
  udp.emit({ srcPort: SERVER_PORT, dstPort: destPort, length: udpLength }, frame, l4)
  frame.set(payload, l4 + udp.HEADER_LEN)
  udp.fillChecksum(frame, l4, pseudoHeader4(srcIp, destIp, ipv4.PROTO_UDP, udpLength))
  return l4 + udpLength
}

function describe(event: DhcpServerEvent): string {
  switch (event.type) {
    case 'pool-exhausted': {
      const subnet = ipv4.formatPrefix({ address: event.subnet, prefixLength: event.prefixLength })
      return `DHCP: no address left in the pools of ${subnet}; clients get no answer until leases end`
    }
    case 'address-in-use': {
      const who = event.seenBy === 'probe' ? 'a host that has no lease' : 'another host, says a client'
      return `DHCP: ${ipv4.formatIpv4(event.address)} is in use by ${who}; it is set aside`
    }
    case 'no-subnet':
      return event.giaddr === 0
        ? 'DHCP: the interface has no subnet to serve'
        : `DHCP: no subnet is configured for the relay agent ${ipv4.formatIpv4(event.giaddr)}`
  }
}
