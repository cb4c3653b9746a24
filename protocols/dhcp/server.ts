/**
 * The DHCP server of one interface: RFC 2131 §4.3.
 *
 * It takes in the payload of datagrams for UDP port 67 and the time. What it wants done goes to a sink: replies
 * to send, addresses to probe, leases to make durable. A DHCPACK is handed out only when the sink's owner has
 * said that its lease is durable (`committed`), so that no client ever uses an address that a crash would make
 * us forget; until then the lease is not in the table either. Commits may be grouped, reordered and refused.
 *
 * Work per message does not depend on the number of leases. Everything kept for strangers is bounded: offers
 * by `maxOffers`, commits on their way by MAX_PENDING, leases by the addresses there are and `maxLeases`, what is kept
 * of other addresses by as many offers and leases as there were at a time.
 */

import { earlier, type Instant, SECOND } from '../time.ts'
import {
  ACK,
  BOOTREQUEST,
  DECLINE,
  DISCOVER,
  INFORM,
  OPT_LEASE_TIME,
  OPT_MESSAGE_TYPE,
  OPT_REQUESTED_ADDRESS,
  OPT_SERVER_ID,
  optionU8,
  optionU32,
  RELEASE,
  REQUEST,
  type Repr,
  view,
} from '../wire/dhcpv4.ts'
import { BROADCAST, broadcast } from '../wire/ipv4.ts'
import { AddressPool, type Offer } from './address-pool.ts'
import { type ClientIdentity, identify, identityOf } from './client-identity.ts'
import { checkDhcpServerConfig, type DhcpServerConfig, INFINITE_LEASE } from './config.ts'
import { hostnameOf } from './hostname.ts'
import type { LeaseRecord } from './lease-record.ts'
import type { Lease, LeaseTable } from './lease-table.ts'
import { Numbered } from './numbered.ts'
import { Offering } from './offering.ts'
import {
  contextOf,
  grantedTime,
  informReply,
  leaseReply,
  nakReply,
  type ReceiveMeta,
  type ReplyContext,
} from './reply.ts'
import { classifyRequest, judge, type Request } from './request.ts'
import { type DhcpServerSink, type LeaseRow, newCounters } from './server-sink.ts'
import { encodeText, printableText } from './text.ts'

/** Leases on their way into the journal at the most; more requests are dropped, and come again. */
export const MAX_PENDING = 16_384
/** Relay agents of unknown subnets that are reported. */
const MAX_STRANGE_RELAYS = 64

const NEVER = Number.NEGATIVE_INFINITY

/** An ACK that waits for its lease to be durable. */
interface Pending {
  readonly pool: AddressPool
  readonly offer: Offer
  readonly record: LeaseRecord
  readonly context: ReplyContext
  readonly leaseTime: number
}

export class DhcpServer {
  readonly counters = newCounters()
  readonly #sink: DhcpServerSink
  #config: DhcpServerConfig
  #pools: AddressPool[]
  #offering: Offering
  /** By token less one. A token is given again when its commit, wanted or not, has been answered. */
  readonly #pending = new Numbered<Pending>()
  /** Leases of addresses that no pool covers: kept until they end, in case their subnet comes back. */
  #foreign = new Map<number, LeaseRecord>()
  readonly #strangeRelays = new Set<number>()

  /** @throws RangeError for a configuration in which `checkDhcpServerConfig` finds a problem */
  constructor(config: DhcpServerConfig, sink: DhcpServerSink) {
    this.#sink = sink
    this.#config = config
    this.#pools = poolsOf(config)
    this.#offering = new Offering(config, sink, this.counters)
  }

  /** Takes back leases from before a restart, in the order in which they were committed. */
  restore(now: Instant, records: Iterable<LeaseRecord>): void {
    for (const record of records) {
      const pool = this.#pools.find((p) => p.covers(record.address))
      if (pool !== undefined) pool.leases.put(record)
      else if (record.expires > now) this.#foreign.set(record.address, record)
    }
    for (const pool of this.#pools) pool.expire(now)
  }

  /** Works on by another configuration. All leases stay; offers are forgotten, their clients ask again. */
  reconfigure(now: Instant, config: DhcpServerConfig): void {
    const pools = poolsOf(config)
    const records = [...this.records(now)]
    this.#pending.clearAll()
    this.#config = config
    this.#pools = pools
    this.#offering = new Offering(config, this.#sink, this.counters)
    this.#foreign = new Map()
    this.restore(now, records)
  }

  /** Leases remembered. */
  get size(): number {
    return this.#pools.reduce((n, pool) => n + pool.leases.size, this.#foreign.size)
  }

  /** All there is to remember: what a compacted journal holds. */
  *records(now: Instant): IterableIterator<LeaseRecord> {
    for (const pool of this.#pools) {
      for (const lease of pool.leases.values()) yield pool.leases.recordOf(lease)
    }
    for (const record of this.#foreign.values()) {
      if (record.expires > now) yield record
    }
  }

  /** Leases and offers for display, one row an address, in no particular order. */
  leases(): LeaseRow[] {
    const rows: LeaseRow[] = []
    for (const pool of this.#pools) {
      const { leases } = pool
      for (const lease of leases.values()) {
        const onOffer = pool.offerAt(leases.addressOf(lease))?.state === 'offered'
        if (leases.isActive(lease) || !onOffer) rows.push(rowOf(leases, lease))
      }
      for (const offer of pool.allOffers()) {
        if (offer.state !== 'offered' || leases.isActive(leases.at(offer.address))) continue
        const { mac, clientId } = offer.client
        rows.push({
          address: offer.address,
          mac,
          clientId,
          hostname: '',
          state: 'offered',
          expires: pool.deadlineOf(offer),
        })
      }
    }
    return rows
  }

  /** Takes in the payload of a datagram for port 67. The bytes belong to the caller again on return. */
  receive(now: Instant, payload: Uint8Array, meta: ReceiveMeta): void {
    this.counters.received++
    const message = view(payload, 0, payload.length)
    if (message === undefined) {
      this.counters.malformed++
      return
    }
    const type = optionU8(message.options, OPT_MESSAGE_TYPE)
    const client = identityOf(message)
    if (message.op !== BOOTREQUEST || type === undefined || client === undefined) {
      this.counters.ignored++
      return
    }
    this.poll(now)
    if (type === DISCOVER) this.#discover(now, message, client)
    else if (type === REQUEST) this.#request(now, message, meta, client)
    else if (type === DECLINE) this.#decline(now, message, client)
    else if (type === RELEASE) this.#release(message, client)
    else if (type === INFORM) this.#inform(message, meta, client)
    else this.counters.ignored++
  }

  /**
   * Says what a probe found. An address that turns out to be in use after PROBE_TIME is still withdrawn as long
   * as it is only offered; after that its client would answer probes itself.
   */
  probeResult(now: Instant, address: number, inUse: boolean): void {
    for (const pool of this.#pools) {
      const offer = pool.offerAt(address)
      if (offer === undefined) continue
      const late = offer.state === 'offered' && inUse && !pool.leases.isBound(pool.leases.at(address))
      if (offer.state === 'probing' || late) this.#offering.probed(now, pool, offer, inUse)
    }
  }

  /** The record of `token` is durable: its lease begins and its reply leaves. */
  committed(token: number): void {
    const pending = this.#pending.get(token - 1)
    this.#pending.giveBack(token - 1)
    if (pending === undefined) return
    const { pool, offer, record, context, leaseTime } = pending
    pool.settle(offer)
    const { leases } = pool
    const before = leases.of(offer.client.key)
    leases.put(record, offer.client.key)
    if (leases.isBound(before) && leases.addressOf(before) !== record.address) {
      // The client moved: it uses one address per subnet.
      leases.end(before, 'released')
      this.#sink.commit(leases.recordOf(before), 0)
    }
    this.counters.ack++
    this.#sink.send(leaseReply(ACK, context, record.address, leaseTime))
  }

  /** The record of `token` could not be made durable: no reply leaves, and the client asks again. */
  commitFailed(token: number): void {
    const pending = this.#pending.get(token - 1)
    this.#pending.giveBack(token - 1)
    if (pending === undefined) return
    this.counters.commitFailed++
    pending.pool.withdraw(pending.offer)
  }

  poll(now: Instant): void {
    for (const pool of this.#pools) {
      pool.expire(now)
      for (let offer = pool.popDueOffer(now); offer !== undefined; offer = pool.popDueOffer(now)) {
        if (offer.state === 'probing') this.#offering.probed(now, pool, offer, false)
        else pool.withdraw(offer)
      }
    }
  }

  pollAt(): Instant | undefined {
    let at: Instant | undefined
    for (const pool of this.#pools) at = earlier(at, pool.nextDue())
    return at
  }

  /** RFC 2131 §4.3.1: the subnet of the relay agent's address, or of the interface if no agent stands between. */
  #poolFor(message: Repr): AddressPool | undefined {
    const address = message.giaddr === 0 ? this.#config.serverId : message.giaddr
    const pool = this.#pools.find((p) => p.contains(address))
    if (pool === undefined) {
      this.counters.noSubnet++
      const relays = this.#strangeRelays
      if (relays.size < MAX_STRANGE_RELAYS && !relays.has(message.giaddr)) {
        relays.add(message.giaddr)
        this.#sink.log({ type: 'no-subnet', giaddr: message.giaddr })
      }
    }
    return pool
  }

  #discover(now: Instant, message: Repr, client: ClientIdentity): void {
    this.counters.discover++
    const pool = this.#poolFor(message)
    if (pool !== undefined) this.#offering.discover(now, pool, message, client)
  }

  #request(now: Instant, message: Repr, meta: ReceiveMeta, client: ClientIdentity): void {
    this.counters.request++
    const request = classifyRequest(message, this.#broadcastOr(meta.destinationIp))
    if (request === undefined) {
      this.counters.ignored++
      return
    }
    if (request.kind === 'selecting' && request.serverId !== this.#config.serverId) {
      this.#declined(client)
      return
    }
    const pool =
      request.kind === 'renewing'
        ? this.#pools.find((p) => p.contains(request.address))
        : this.#poolFor(message)
    if (pool === undefined) {
      this.counters.silent++
      return
    }
    const verdict = judge(request, client, pool, this.#config.authoritative === true)
    if (verdict.act === 'ack') this.#grant(now, pool, message, client, request)
    else if (verdict.act === 'silence') this.counters.silent++
    else {
      const offer = pool.offerTo(client.key)
      if (offer?.state === 'offered' && offer.address === request.address) pool.withdraw(offer)
      this.counters.nak++
      this.#sink.send(nakReply(contextOf(this.#config, pool, message, client), verdict.why))
    }
  }

  /** The subnet's own broadcast address is as good as 255.255.255.255. */
  #broadcastOr(destinationIp: number): number {
    const { serverId } = this.#config
    const local = this.#pools.find((p) => p.contains(serverId))
    return local !== undefined && destinationIp === broadcast(local.subnet) ? BROADCAST : destinationIp
  }

  /** §4.3.2: a request for another server tells us that ours was not wanted. */
  #declined(client: ClientIdentity): void {
    for (const pool of this.#pools) {
      const offer = pool.offerTo(client.key)
      if (offer?.state === 'offered') pool.withdraw(offer)
    }
  }

  #grant(now: Instant, pool: AddressPool, message: Repr, client: ClientIdentity, request: Request): void {
    let offer = pool.offerTo(client.key)
    if (offer?.state === 'committing') {
      const pending = this.#pending.get(offer.token - 1)
      // A retransmission: the answer is on its way.
      if (pending?.context.question.xid === message.xid && offer.address === request.address) return
    }
    if (this.#pending.size >= MAX_PENDING || !pool.makeRoom(request.address)) {
      this.counters.busy++
      return
    }
    if (offer?.state === 'committing') this.#pending.clear(offer.token - 1)
    const context = contextOf(this.#config, pool, message, client)
    let asked = optionU32(message.options, OPT_LEASE_TIME)
    if (offer?.address !== request.address) offer = pool.offer(now, client, request.address, NEVER)
    else if (asked === undefined && offer.leaseTime > 0) asked = offer.leaseTime
    const leaseTime = grantedTime(pool.subnet, context.reservation, asked)
    const record: LeaseRecord = {
      address: request.address,
      state: 'bound',
      expires: leaseTime === INFINITE_LEASE ? Number.POSITIVE_INFINITY : now + leaseTime * SECOND,
      htype: client.htype,
      chaddr: client.chaddr,
      clientId: client.clientId,
      hostname: hostnameIn(context, message),
    }
    const id = this.#pending.take()
    this.#pending.set(id, { pool, offer, record, context, leaseTime })
    pool.hold(offer, id + 1)
    this.#sink.commit(record, id + 1)
  }

  /** §4.3.3: the client found its new address in use. */
  #decline(now: Instant, message: Repr, client: ClientIdentity): void {
    this.counters.decline++
    const address = optionU32(message.options, OPT_REQUESTED_ADDRESS)
    if (address === undefined || optionU32(message.options, OPT_SERVER_ID) !== this.#config.serverId) return
    for (const pool of this.#pools) {
      if (!isClients(pool.leases, pool.leases.at(address), client)) continue
      this.#cancelGrant(pool, client)
      this.#offering.setAside(now, pool, address, 'client')
    }
  }

  /** §4.3.4: the client gives its address back; its binding is remembered for its return. */
  #release(message: Repr, client: ClientIdentity): void {
    this.counters.release++
    if (optionU32(message.options, OPT_SERVER_ID) !== this.#config.serverId) return
    for (const pool of this.#pools) {
      const lease = pool.leases.at(message.ciaddr)
      if (!isClients(pool.leases, lease, client)) continue
      this.#cancelGrant(pool, client)
      pool.leases.end(lease, 'released')
      this.#sink.commit(pool.leases.recordOf(lease), 0)
    }
  }

  /** A grant on its way is void once the client has given its address up. */
  #cancelGrant(pool: AddressPool, client: ClientIdentity): void {
    const offer = pool.offerTo(client.key)
    if (offer === undefined) return
    this.#pending.clear(offer.token - 1)
    pool.withdraw(offer)
  }

  /** §4.3.5: parameters only; whether there is a lease does not matter. */
  #inform(message: Repr, meta: ReceiveMeta, client: ClientIdentity): void {
    this.counters.inform++
    const pool =
      message.giaddr === 0 && message.ciaddr !== 0
        ? this.#pools.find((p) => p.contains(message.ciaddr))
        : this.#poolFor(message)
    if (pool === undefined) return
    this.counters.ack++
    this.#sink.send(informReply(contextOf(this.#config, pool, message, client), meta))
  }
}

function poolsOf(config: DhcpServerConfig): AddressPool[] {
  const problems = checkDhcpServerConfig(config)
  if (problems.length > 0) {
    throw new RangeError(problems.map((p) => `${p.path}: ${p.message}`).join('; '))
  }
  return config.subnets.map((subnet) => new AddressPool(subnet, config))
}

function hostnameIn(context: ReplyContext, message: Repr): string {
  const given = context.reservation?.hostname
  return given === undefined ? hostnameOf(message) : printableText(encodeText(given))
}

/** Whether the lease runs and is the client's. */
function isClients(leases: LeaseTable, lease: Lease, client: ClientIdentity): boolean {
  return leases.isBound(lease) && leases.keyOf(lease) === client.key
}

function rowOf(leases: LeaseTable, lease: Lease): LeaseRow {
  const { address, expires, htype, chaddr, clientId, hostname } = leases.recordOf(lease)
  const mac = leases.keyOf(lease) === '' ? undefined : identify(clientId, htype, chaddr)?.mac
  return { address, mac, clientId, hostname, state: leases.stateOf(lease), expires }
}
