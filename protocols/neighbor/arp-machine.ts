/**
 * ARP on one interface with any number of addresses: RFC 826 with the probes, announcements and conflicts of
 * RFC 5227. It answers for its own addresses and for those it is told to answer for (proxy ARP, RFC 1027),
 * keeps the neighbour table, and claims its addresses when the interface comes up.
 */
import type { Machine } from '../machine.ts'
import type { Random } from '../random.ts'
import { earlier, type Instant } from '../time.ts'
import * as arp from '../wire/arp.ts'
import * as ethernet from '../wire/ethernet.ts'
import { broadcast, contains, network, type Prefix } from '../wire/ipv4.ts'
import { AddressClaim } from './address-claim.ts'
import { AddressProbes } from './address-probe.ts'
import { NeighborTable } from './neighbor-table.ts'

/** What `receive` made of a frame. */
export const ARP_TAKEN = 0
export const ARP_MALFORMED = 1
/** Well formed, but about addresses that are none of this interface's business. */
export const ARP_NOT_OURS = 2

/** Neighbours kept at the most, whatever the size of the subnets. */
export const MAX_NEIGHBORS = 4096

export interface ArpConfig {
  readonly mac: number
  readonly addresses: readonly Prefix[]
  /** Whether to answer for an address that is not ours but lies in one of our subnets. */
  readonly proxied: (address: number) => boolean
}

/** Where the machine's output goes. All may call back into it. */
export interface ArpSink {
  /** Send an Ethernet frame; the bytes are the machine's again on return. */
  send(frame: Uint8Array): void
  /** As in NeighborEvents. */
  resolved(slot: number): void
  unresolved(slot: number): void
  displaced(slot: number): void
  changed(address: number): void
  lastUsed(address: number): Instant
  /** Another station uses an address of ours. */
  conflict(address: number, mac: number): void
  /** The outcome of `probe`. */
  probed(address: number, inUse: boolean): void
}

export class ArpMachine implements Machine {
  readonly table: NeighborTable
  readonly #sink: ArpSink
  readonly #random: Random
  readonly #probes: AddressProbes
  readonly #frame = new Uint8Array(ethernet.HEADER_LEN + arp.LEN)
  #config: ArpConfig
  #claims: AddressClaim[] = []
  #up = false

  constructor(config: ArpConfig, sink: ArpSink, random: Random) {
    this.#config = config
    this.#sink = sink
    this.#random = random
    this.table = new NeighborTable(capacityFor(config.addresses), {
      request: (address, mac) => this.#request(address, mac),
      resolved: (slot) => sink.resolved(slot),
      unresolved: (slot) => sink.unresolved(slot),
      displaced: (slot) => sink.displaced(slot),
      changed: (address) => sink.changed(address),
      lastUsed: (address) => sink.lastUsed(address),
    })
    this.#probes = new AddressProbes({
      probe: (address) => this.#sendProbe(address),
      probed: (address, inUse) => sink.probed(address, inUse),
    })
    this.#claims = config.addresses.map((p) => this.#claim(p.address))
  }

  /** The interface came up, or the way to its link is a new one: claim the addresses. */
  up(now: Instant): void {
    this.#up = true
    for (const claim of this.#claims) claim.start(now)
  }

  down(): void {
    this.#up = false
    for (const claim of this.#claims) claim.stop()
  }

  /**
   * Takes on a configuration whose subnets are of the same size or smaller than those the table was made for
   * (`fits`). Neighbours off the new subnets are forgotten; new addresses are claimed.
   */
  configure(now: Instant, config: ArpConfig): void {
    const mac = this.#config.mac
    this.#config = config
    const old = this.#claims
    this.#claims = config.addresses.map((p) => {
      const kept = mac === config.mac ? old.find((c) => c.address === p.address) : undefined
      if (kept !== undefined) return kept
      const claim = this.#claim(p.address)
      if (this.#up) claim.start(now)
      return claim
    })
    this.table.forEach((slot) => {
      const address = this.table.address(slot)
      if (this.#subnet(address) === undefined || this.#isOurs(address)) this.table.remove(slot)
    })
  }

  /** Whether the table is large enough for these subnets. */
  fits(addresses: readonly Prefix[]): boolean {
    return capacityFor(addresses) <= this.table.capacity
  }

  /** Begins to find out whether an address is in use; ends in `probed`. @returns false when too many are */
  probe(now: Instant, address: number): boolean {
    if (this.#isOurs(address)) {
      this.#sink.probed(address, true)
      return true
    }
    return this.#probes.start(now, address)
  }

  /** @param frame an Ethernet frame of type ARP @returns ARP_TAKEN, ARP_MALFORMED or ARP_NOT_OURS */
  receive(now: Instant, _port: number, frame: Uint8Array): number {
    const o = ethernet.HEADER_LEN
    if (!arp.check(frame, o, frame.length)) return ARP_MALFORMED
    const operation = arp.operation(frame, o)
    const sha = arp.sha(frame, o)
    const spa = arp.spa(frame, o)
    const tpa = arp.tpa(frame, o)
    if (!ethernet.isStation(sha)) return ARP_MALFORMED
    if (operation !== arp.REQUEST && operation !== arp.REPLY) return ARP_NOT_OURS
    // Our own frame, come back by a loop or a reflecting switch.
    if (sha === this.#config.mac) return ARP_NOT_OURS

    const ours = this.#isOurs(tpa)
    if (spa === 0) this.#seeProbe(now, operation, tpa, sha)
    else if (this.#isOurs(spa)) {
      this.#seeConflict(now, spa, sha)
      return ARP_TAKEN
    } else if (!this.#isNeighbor(spa)) return ARP_NOT_OURS
    else {
      this.#probes.heard(spa)
      const solicited = operation === arp.REPLY && ours && ethernet.dst(frame, 0) === this.#config.mac
      this.table.update(now, spa, sha, solicited, operation === arp.REQUEST && ours)
    }
    if (operation === arp.REPLY) return ARP_TAKEN
    if (!ours && !this.#isProxied(tpa, spa)) return spa === tpa ? ARP_TAKEN : ARP_NOT_OURS
    this.#send(sha, arp.REPLY, tpa, sha, spa)
    return ARP_TAKEN
  }

  poll(now: Instant): void {
    for (const claim of this.#claims) claim.poll(now)
    this.#probes.poll(now)
    this.table.poll(now)
  }

  pollAt(): Instant | undefined {
    let due = earlier(this.table.pollAt(), this.#probes.pollAt())
    for (let i = 0; i < this.#claims.length; i++) due = earlier(due, this.#claims[i].pollAt())
    return due
  }

  /** RFC 5227 §2.1.1: a probe by somebody else for an address we are probing for is a conflict too. */
  #seeProbe(now: Instant, operation: number, tpa: number, sha: number): void {
    if (operation !== arp.REQUEST) return
    for (const claim of this.#claims) {
      if (claim.address === tpa && claim.probing) this.#seeConflict(now, tpa, sha)
    }
  }

  #seeConflict(now: Instant, address: number, mac: number): void {
    this.#sink.conflict(address, mac)
    for (const claim of this.#claims) if (claim.address === address) claim.conflict(now)
  }

  #claim(address: number): AddressClaim {
    return new AddressClaim(
      address,
      {
        probe: (a) => this.#sendProbe(a),
        announce: (a) => this.#send(ethernet.BROADCAST, arp.REQUEST, a, 0, a),
      },
      this.#random,
    )
  }

  #isOurs(address: number): boolean {
    for (const p of this.#config.addresses) if (p.address === address) return true
    return false
  }

  #subnet(address: number): Prefix | undefined {
    for (const p of this.#config.addresses) if (contains(p, address)) return p
    return undefined
  }

  /** Whether a station may have this address on our link. */
  #isNeighbor(address: number): boolean {
    const p = this.#subnet(address)
    return p !== undefined && (p.prefixLength >= 31 || (address !== broadcast(p) && address !== network(p)))
  }

  #isProxied(tpa: number, spa: number): boolean {
    return tpa !== spa && this.#subnet(tpa) !== undefined && this.#config.proxied(tpa)
  }

  #request(address: number, mac: number | undefined): void {
    const from = this.#subnet(address) ?? this.#config.addresses[0]
    if (from === undefined) return
    this.#send(mac ?? ethernet.BROADCAST, arp.REQUEST, from.address, 0, address)
  }

  #sendProbe(address: number): void {
    this.#send(ethernet.BROADCAST, arp.REQUEST, 0, 0, address)
  }

  #send(to: number, operation: number, spa: number, tha: number, tpa: number): void {
    const { mac } = this.#config
    ethernet.emit({ dst: to, src: mac, type: ethernet.TYPE_ARP }, this.#frame, 0)
    arp.emit({ operation, sha: mac, spa, tha, tpa }, this.#frame, ethernet.HEADER_LEN)
    this.#sink.send(this.#frame)
  }
}

/** As many neighbours as the subnets can hold, within bounds. */
function capacityFor(addresses: readonly Prefix[]): number {
  let hosts = 0
  for (const p of addresses) hosts += 2 ** (32 - p.prefixLength)
  return Math.max(16, Math.min(MAX_NEIGHBORS, hosts))
}
