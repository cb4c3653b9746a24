import type { DhcpServerConfig, SubnetConfig } from '../../protocols/dhcp/config.ts'
import type { LeaseRecord } from '../../protocols/dhcp/lease-record.ts'
import type { Reply } from '../../protocols/dhcp/reply.ts'
import { DhcpServer } from '../../protocols/dhcp/server.ts'
import type { DhcpServerEvent } from '../../protocols/dhcp/server-sink.ts'
import type { Instant } from '../../protocols/time.ts'
import { put48 } from '../../protocols/wire/big-endian.ts'
import * as dhcp from '../../protocols/wire/dhcpv4.ts'
import { parseIpv4 } from '../../protocols/wire/ipv4.ts'

export function ip(text: string): number {
  const address = parseIpv4(text)
  if (address === undefined) throw new Error(`${text} is no address`)
  return address
}

export function hardware(mac: number): Uint8Array {
  const b = new Uint8Array(6)
  put48(b, 0, mac)
  return b
}

export const SERVER_ID = ip('10.0.0.254')
export const ANY = 0
export const ALL = 0xffff_ffff

export function subnet(over: Partial<SubnetConfig> = {}): SubnetConfig {
  return {
    address: ip('10.0.0.0'),
    prefixLength: 24,
    ranges: [{ first: ip('10.0.0.151'), last: ip('10.0.0.160') }],
    leaseTime: 86400,
    options: new Map([[dhcp.OPT_ROUTER, dhcp.bytesOfU32(SERVER_ID)]]),
    ...over,
  }
}

export function serverConfig(over: Partial<DhcpServerConfig> = {}): DhcpServerConfig {
  return { serverId: SERVER_ID, subnets: [subnet()], ...over }
}

export interface Ask {
  mac?: number
  xid?: number
  ciaddr?: number
  giaddr?: number
  broadcast?: boolean
  requested?: number
  serverId?: number
  clientId?: Uint8Array
  parameters?: number[]
  options?: [number, Uint8Array][]
}

export const MAC = 0x0200_0000_0001

/** A client's message, as a record to bend further. */
export function ask(type: number, a: Ask = {}): dhcp.Repr {
  const options: dhcp.Options = new Map([[dhcp.OPT_MESSAGE_TYPE, Uint8Array.of(type)]])
  if (a.clientId !== undefined) options.set(dhcp.OPT_CLIENT_ID, a.clientId)
  if (a.requested !== undefined) options.set(dhcp.OPT_REQUESTED_ADDRESS, dhcp.bytesOfU32(a.requested))
  if (a.serverId !== undefined) options.set(dhcp.OPT_SERVER_ID, dhcp.bytesOfU32(a.serverId))
  if (a.parameters !== undefined) {
    options.set(dhcp.OPT_PARAMETER_REQUEST_LIST, Uint8Array.from(a.parameters))
  }
  for (const [code, data] of a.options ?? []) options.set(code, data)
  return {
    op: dhcp.BOOTREQUEST,
    htype: dhcp.HTYPE_ETHERNET,
    hops: 0,
    xid: a.xid ?? 0x1234_5678,
    secs: 0,
    broadcast: a.broadcast ?? false,
    ciaddr: a.ciaddr ?? 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: a.giaddr ?? 0,
    chaddr: hardware(a.mac ?? MAC),
    sname: new Uint8Array(0),
    file: new Uint8Array(0),
    options,
  }
}

export interface Answer extends dhcp.Repr {
  readonly type: number
  readonly reply: Reply
}

/** A server with a hand-driven clock, a medium that commits at once unless told otherwise, and silent neighbours. */
export class ServerBench {
  now: Instant = 1_000_000
  readonly server: DhcpServer
  readonly answers: Answer[] = []
  readonly events: DhcpServerEvent[] = []
  readonly probes: number[] = []
  /** What has become durable. */
  readonly journal: LeaseRecord[] = []
  /** Commits not yet durable. */
  readonly uncommitted: { record: LeaseRecord; token: number }[] = []
  /** Whether commits are answered after each message. */
  autoCommit = true
  /** Addresses that answer a probe. */
  readonly inUse = new Set<number>()

  constructor(config: DhcpServerConfig = serverConfig(), records: Iterable<LeaseRecord> = []) {
    this.server = new DhcpServer(config, {
      send: (reply) => {
        const message = dhcp.parse(reply.payload, 0, reply.payload.length)
        if (message === undefined) throw new Error('the server sent what nobody can read')
        const type = dhcp.optionU8(message.options, dhcp.OPT_MESSAGE_TYPE) ?? 0
        this.answers.push({ ...message, type, reply: { ...reply, payload: reply.payload.slice() } })
      },
      probe: (address) => this.probes.push(address),
      commit: (record, token) => this.uncommitted.push({ record, token }),
      log: (event) => this.events.push(event),
    })
    this.server.restore(this.now, records)
  }

  /** Hands the server a message and returns the answers that come while no time passes. */
  give(message: dhcp.Repr, destinationIp = ALL, sourceIp = message.ciaddr): Answer[] {
    const from = this.answers.length
    const payload = dhcp.emit(message, 1472)
    this.server.receive(this.now, payload, { sourceIp, destinationIp })
    // The bytes are ours again.
    payload.fill(0xff)
    this.settle()
    return this.answers.slice(from)
  }

  settle(): void {
    while (this.autoCommit && this.uncommitted.length > 0) this.commitOne()
  }

  commitOne(): void {
    const { record, token } = this.uncommitted.shift()!
    this.journal.push(record)
    if (token !== 0) this.server.committed(token)
  }

  /** Lets time pass, with everything that falls due on the way. */
  pass(ms: number): Answer[] {
    const from = this.answers.length
    const until = this.now + ms
    this.#answerProbes()
    for (let at = this.server.pollAt(); at !== undefined && at <= until; at = this.server.pollAt()) {
      this.now = Math.max(this.now, at)
      this.server.poll(this.now)
      this.settle()
      this.#answerProbes()
    }
    this.now = until
    return this.answers.slice(from)
  }

  #answerProbes(): void {
    for (let address = this.probes.shift(); address !== undefined; address = this.probes.shift()) {
      if (this.inUse.has(address)) this.server.probeResult(this.now, address, true)
    }
    this.settle()
  }

  /** DHCPDISCOVER, with the time a probe takes. */
  discover(a: Ask = {}): Answer | undefined {
    const at = this.answers.length
    this.give(ask(dhcp.DISCOVER, a))
    this.pass(600)
    const own = hardware(a.mac ?? MAC).join()
    return this.answers.slice(at).find((m) => m.type === dhcp.OFFER && m.chaddr.join() === own)
  }

  /** The whole way to a lease. */
  lease(a: Ask = {}): Answer {
    const offer = this.discover(a)
    if (offer === undefined) throw new Error('no offer')
    const serverId = dhcp.optionU32(offer.options, dhcp.OPT_SERVER_ID)!
    const request = { ...a, requested: offer.yiaddr, serverId }
    const ack = this.give(ask(dhcp.REQUEST, request)).at(-1)
    if (ack?.type !== dhcp.ACK) throw new Error('no ack')
    return ack
  }
}
