/**
 * A DHCP client for one interface: RFC 2131 §4.4 and its figure 5.
 *
 * It is given datagrams for UDP port 68 and the time; messages and results go to a sink. The first acceptable
 * offer is taken. Whoever applies the configuration may find the address in use (RFC 5227) and says so by
 * `decline`.
 */

import type { Random } from '../random.ts'
import { type Duration, type Instant, MINUTE, SECOND } from '../time.ts'
import { put48 } from '../wire/big-endian.ts'
import {
  ACK,
  BOOTREPLY,
  BOOTREQUEST,
  bytesOfU32,
  DECLINE,
  DISCOVER,
  emit,
  HTYPE_ETHERNET,
  NAK,
  OFFER,
  OPT_CLIENT_ID,
  OPT_HOST_NAME,
  OPT_LEASE_TIME,
  OPT_MAX_MESSAGE_SIZE,
  OPT_MESSAGE_TYPE,
  OPT_PARAMETER_REQUEST_LIST,
  OPT_REQUESTED_ADDRESS,
  OPT_SERVER_ID,
  type Options,
  optionU8,
  optionU32,
  parse,
  RELEASE,
  REQUEST,
  type Repr,
} from '../wire/dhcpv4.ts'
import { type ClientLease, leaseOf, PARAMETERS_WANTED } from './client-lease.ts'
import { INFINITE_LEASE } from './config.ts'
import { encodeText } from './text.ts'

/** §4.1: the first retransmission after 4 s, doubled up to 64 s, each ± 1 s. */
const FIRST_RETRY: Duration = 4 * SECOND
const MAX_RETRY: Duration = 64 * SECOND
/** §4.4.5: renewals are repeated after half of what is left, but not sooner than this. */
const MIN_RENEW_RETRY: Duration = MINUTE
/** §3.1: requests before the client starts over; the fourth has been out for 60 s then. */
const MAX_REQUESTS = 4
/** §4.4.2: an INIT-REBOOT that nobody answers ends in INIT; by table 4 that server may have to be silent. */
const MAX_REBOOT_REQUESTS = 3
/** §3.1 (5). */
const DECLINE_PAUSE: Duration = 10 * SECOND
/** A server that refuses what it has offered must not be asked in a tight loop. */
const NAK_PAUSE: Duration = SECOND
const MAX_DATAGRAM = 1500

export type DhcpClientState =
  | 'stopped'
  | 'init'
  | 'selecting'
  | 'requesting'
  | 'init-reboot'
  | 'rebooting'
  | 'bound'
  | 'renewing'
  | 'rebinding'

export interface DhcpClientConfig {
  readonly mac: number
  /** Data of option 61, see `clientIdFromMac`; none by default, so that the MAC address is the identity. */
  readonly clientId?: Uint8Array
  readonly hostname?: string
  /** Seconds to ask for. */
  readonly leaseTime?: number
  /** Ask for broadcast replies: needed where the system takes in no unicast before it has an address. Default true. */
  readonly broadcast?: boolean
}

export interface DhcpClientSink {
  /** Send to port 67 of `to`, from the leased address; or broadcast, from 0.0.0.0 unless bound. */
  send(payload: Uint8Array, to: number | 'broadcast'): void
  /** Configure the interface like this; also after each renewal. */
  configured(lease: ClientLease): void
  /** The address must not be used any longer. */
  lost(): void
}

export class DhcpClient {
  readonly #config: DhcpClientConfig
  readonly #sink: DhcpClientSink
  readonly #random: Random
  readonly #chaddr = new Uint8Array(6)
  #state: DhcpClientState = 'stopped'
  #xid = 0
  /** When the exchange began: `secs`, and the lease counts from the first request of the exchange. */
  #began: Instant = 0
  #requestedAt: Instant = 0
  #tries = 0
  #due: Instant | undefined
  /** Address and server asked for. */
  #wanted: { address: number; serverId: number } | undefined
  #lease: ClientLease | undefined
  #leasedAt: Instant = 0

  constructor(config: DhcpClientConfig, sink: DhcpClientSink, random: Random) {
    this.#config = config
    this.#sink = sink
    this.#random = random
    put48(this.#chaddr, 0, config.mac)
  }

  get state(): DhcpClientState {
    return this.#state
  }

  /** The lease in use. */
  get lease(): ClientLease | undefined {
    return this.#lease
  }

  /** Begins. With an address from before, that one is asked for first (INIT-REBOOT). */
  start(now: Instant, previous?: number): void {
    if (this.#state !== 'stopped') return
    if (previous === undefined) this.#init(now, 0)
    else {
      this.#wanted = { address: previous, serverId: 0 }
      this.#state = 'init-reboot'
      this.#due = now
    }
  }

  /** Gives the lease back, if there is one, and stops. */
  release(now: Instant): void {
    if (this.#lease !== undefined) {
      const { address, serverId } = this.#lease
      this.#sink.send(emit(this.#farewell(now, RELEASE, address, serverId)), serverId)
    }
    this.stop()
  }

  /** Stops without a word; the lease runs on at the server. */
  stop(): void {
    this.#drop()
    this.#state = 'stopped'
    this.#due = undefined
  }

  /** Someone else uses the address (§3.1 (5)): it is given up, and after ten seconds another one looked for. */
  decline(now: Instant): void {
    if (this.#lease === undefined) return
    const { address, serverId } = this.#lease
    const message = this.#farewell(now, DECLINE, 0, serverId)
    message.options.set(OPT_REQUESTED_ADDRESS, bytesOfU32(address))
    this.#sink.send(emit(message), 'broadcast')
    this.#drop()
    this.#init(now, DECLINE_PAUSE)
  }

  /** Takes in the payload of a datagram for port 68. The bytes belong to the caller again on return. */
  receive(now: Instant, payload: Uint8Array): void {
    const message = parse(payload, 0, payload.length)
    if (message === undefined || message.op !== BOOTREPLY || message.xid !== this.#xid) return
    if (!this.#isForUs(message)) return
    this.poll(now)
    const type = optionU8(message.options, OPT_MESSAGE_TYPE)
    if (type === OFFER) this.#offered(now, message)
    else if (type === ACK) this.#acknowledged(message)
    else if (type === NAK) this.#refused(now, message)
  }

  poll(now: Instant): void {
    while (this.#due !== undefined && this.#due <= now) {
      this.#due = undefined
      this.#act(now)
    }
  }

  pollAt(): Instant | undefined {
    return this.#due
  }

  #act(now: Instant): void {
    switch (this.#state) {
      case 'init':
        this.#newExchange(now)
        this.#state = 'selecting'
        this.#discover(now)
        break
      case 'selecting':
        this.#discover(now)
        break
      case 'init-reboot':
        this.#newExchange(now)
        this.#requestedAt = now
        this.#state = 'rebooting'
        this.#request(now)
        break
      case 'requesting':
        if (this.#tries >= MAX_REQUESTS) this.#init(now, 0)
        else this.#request(now)
        break
      case 'rebooting':
        if (this.#tries >= MAX_REBOOT_REQUESTS) this.#init(now, 0)
        else this.#request(now)
        break
      case 'bound':
      case 'renewing':
      case 'rebinding':
        this.#extend(now)
        break
      case 'stopped':
        break
    }
  }

  #init(now: Instant, pause: Duration): void {
    this.#state = 'init'
    this.#wanted = undefined
    this.#due = now + pause
  }

  #drop(): void {
    if (this.#lease === undefined) return
    this.#lease = undefined
    this.#sink.lost()
  }

  #newExchange(now: Instant): void {
    this.#xid = this.#random()
    this.#began = now
    this.#tries = 0
  }

  #retryDelay(): Duration {
    const base = Math.min(FIRST_RETRY * 2 ** (this.#tries - 1), MAX_RETRY)
    return base - SECOND + (this.#random() / 0x1_0000_0000) * 2 * SECOND
  }

  #discover(now: Instant): void {
    this.#tries++
    const message = this.#message(now, DISCOVER, 0)
    this.#parameters(message.options)
    this.#sink.send(emit(message), 'broadcast')
    this.#due = now + this.#retryDelay()
  }

  /** DHCPREQUEST in REQUESTING and REBOOTING. */
  #request(now: Instant): void {
    const { address, serverId } = this.#wanted!
    this.#tries++
    const message = this.#message(now, REQUEST, 0)
    message.options.set(OPT_REQUESTED_ADDRESS, bytesOfU32(address))
    if (serverId !== 0) message.options.set(OPT_SERVER_ID, bytesOfU32(serverId))
    this.#parameters(message.options)
    this.#sink.send(emit(message), 'broadcast')
    this.#due = now + this.#retryDelay()
  }

  /** T1, T2, their retransmissions, or the end of the lease: §4.4.5. */
  #extend(now: Instant): void {
    const lease = this.#lease!
    const t2 = this.#leasedAt + lease.rebindingTime * SECOND
    const end = this.#leasedAt + lease.leaseTime * SECOND
    if (now >= end) {
      this.#drop()
      this.#init(now, 0)
      return
    }
    const state = now >= t2 ? 'rebinding' : 'renewing'
    if (state !== this.#state) this.#newExchange(now)
    this.#state = state
    this.#requestedAt = now
    this.#tries++
    const message = this.#message(now, REQUEST, lease.address)
    message.broadcast = false
    this.#parameters(message.options)
    this.#sink.send(emit(message), state === 'renewing' ? lease.serverId : 'broadcast')
    const limit = state === 'renewing' ? t2 : end
    this.#due = Math.min(limit, now + Math.max(MIN_RENEW_RETRY, (limit - now) / 2))
  }

  #message(now: Instant, type: number, ciaddr: number): Repr {
    const secs = Math.min(0xffff, Math.floor((now - this.#began) / SECOND))
    return {
      op: BOOTREQUEST,
      htype: HTYPE_ETHERNET,
      hops: 0,
      xid: this.#xid,
      secs,
      broadcast: this.#config.broadcast !== false,
      ciaddr,
      yiaddr: 0,
      siaddr: 0,
      giaddr: 0,
      chaddr: this.#chaddr,
      sname: new Uint8Array(0),
      file: new Uint8Array(0),
      options: new Map([[OPT_MESSAGE_TYPE, Uint8Array.of(type)]]),
    }
  }

  /** A message that no answer is expected to. */
  #farewell(now: Instant, type: number, ciaddr: number, serverId: number): Repr {
    this.#newExchange(now)
    const message = this.#message(now, type, ciaddr)
    message.broadcast = false
    message.options.set(OPT_SERVER_ID, bytesOfU32(serverId))
    this.#identify(message.options)
    return message
  }

  #identify(options: Options): void {
    if (this.#config.clientId !== undefined) options.set(OPT_CLIENT_ID, this.#config.clientId)
  }

  #parameters(options: Options): void {
    const { hostname, leaseTime } = this.#config
    this.#identify(options)
    if (leaseTime !== undefined) options.set(OPT_LEASE_TIME, bytesOfU32(leaseTime))
    options.set(OPT_MAX_MESSAGE_SIZE, Uint8Array.of(MAX_DATAGRAM >> 8, MAX_DATAGRAM & 255))
    options.set(OPT_PARAMETER_REQUEST_LIST, PARAMETERS_WANTED)
    if (hostname !== undefined && hostname !== '') options.set(OPT_HOST_NAME, encodeText(hostname))
  }

  /** Whether a reply names this hardware address, and this client identifier if it names one (RFC 6842). */
  #isForUs(message: Repr): boolean {
    if (message.chaddr.length !== 6 || message.chaddr.some((v, i) => v !== this.#chaddr[i])) return false
    const echoed = message.options.get(OPT_CLIENT_ID)
    const own = this.#config.clientId
    if (echoed === undefined || own === undefined) return true
    return echoed.length === own.length && echoed.every((v, i) => v === own[i])
  }

  #offered(now: Instant, message: Repr): void {
    if (this.#state !== 'selecting') return
    const offer = leaseOf(message)
    if (offer === undefined) return
    // §4.4.1: the request has the xid of the offer; its answer is told from further offers by its type.
    this.#wanted = { address: offer.address, serverId: offer.serverId }
    this.#state = 'requesting'
    this.#tries = 0
    this.#requestedAt = now
    this.#request(now)
  }

  #acknowledged(message: Repr): void {
    const { state } = this
    const lease = leaseOf(message)
    if (lease === undefined) return
    if (state === 'requesting') {
      if (lease.serverId !== this.#wanted!.serverId || lease.address !== this.#wanted!.address) return
    } else if (state === 'rebooting') {
      if (lease.address !== this.#wanted!.address) return
    } else if (state === 'renewing' || state === 'rebinding') {
      if (lease.address !== this.#lease!.address) return
    } else return
    this.#lease = lease
    // §4.4.1: the lease runs from the time at which the request was sent.
    this.#leasedAt = this.#requestedAt
    this.#state = 'bound'
    this.#due = lease.leaseTime === INFINITE_LEASE ? undefined : this.#leasedAt + lease.renewalTime * SECOND
    this.#sink.configured(lease)
  }

  #refused(now: Instant, message: Repr): void {
    const { state } = this
    if (state !== 'requesting' && state !== 'rebooting' && state !== 'renewing' && state !== 'rebinding')
      return
    const serverId = optionU32(message.options, OPT_SERVER_ID)
    if (serverId === undefined) return
    if (state === 'requesting' && serverId !== this.#wanted!.serverId) return
    this.#drop()
    this.#init(now, state === 'requesting' ? NAK_PAUSE : 0)
  }
}
