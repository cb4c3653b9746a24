/**
 * What the server answers, byte by byte: RFC 2131 table 3 (fields and options of replies), §4.1 (where replies
 * go), §4.3.1 (which parameters, in which order); RFC 3046 §2.2 and RFC 6842 (options echoed).
 */

import {
  ACK,
  BOOTREPLY,
  bytesOfU32,
  CLIENT_PORT,
  DEFAULT_MAX_LENGTH,
  emitInto,
  NAK,
  OFFER,
  OPT_BROADCAST_ADDRESS,
  OPT_CLIENT_ID,
  OPT_HOST_NAME,
  OPT_LEASE_TIME,
  OPT_MAX_MESSAGE_SIZE,
  OPT_MESSAGE,
  OPT_MESSAGE_TYPE,
  OPT_PARAMETER_REQUEST_LIST,
  OPT_REBINDING_TIME,
  OPT_RELAY_AGENT,
  OPT_RENEWAL_TIME,
  OPT_ROUTER,
  OPT_SERVER_ID,
  OPT_SUBNET_MASK,
  type Options,
  optionU16,
  type Repr,
  SERVER_PORT,
} from '../wire/dhcpv4.ts'
import { BROADCAST as BROADCAST_MAC } from '../wire/ethernet.ts'
import { BROADCAST as BROADCAST_IP, broadcast, mask } from '../wire/ipv4.ts'
import { sameBytes } from '../wire/same-bytes.ts'
import type { AddressPool } from './address-pool.ts'
import type { ClientIdentity } from './client-identity.ts'
import {
  DEFAULT_MAX_MESSAGE_LENGTH,
  type DhcpServerConfig,
  INFINITE_LEASE,
  type Reservation,
  type SubnetConfig,
} from './config.ts'
import { encodeText } from './text.ts'

/** How a message came: what the headers below it said. */
export interface ReceiveMeta {
  readonly sourceIp: number
  readonly destinationIp: number
}

/** A message on its way out. */
export interface Reply {
  /** What follows the UDP header, until the next reply is made. */
  readonly payload: Uint8Array
  readonly srcIp: number
  readonly destIp: number
  /** The station to send to without asking ARP; `undefined`: route the datagram as any other. */
  readonly destMac: number | undefined
  readonly destPort: number
}

/** What an answer follows from in the message that it answers; nothing of it keeps the message alive. */
interface Question {
  readonly htype: number
  readonly xid: number
  readonly broadcast: boolean
  readonly ciaddr: number
  readonly giaddr: number
  readonly chaddr: Uint8Array
  /** The parameter request list. */
  readonly wanted: Uint8Array | undefined
  readonly maxSize: number | undefined
  readonly clientId: Uint8Array | undefined
  readonly agent: Uint8Array | undefined
}

/** Whom a reply is for and what is known of them. */
export interface ReplyContext {
  readonly config: DhcpServerConfig
  readonly subnet: SubnetConfig | undefined
  readonly reservation: Reservation | undefined
  readonly client: ClientIdentity
  readonly question: Question
}

export function contextOf(
  config: DhcpServerConfig,
  pool: AddressPool | undefined,
  message: Repr,
  client: ClientIdentity,
): ReplyContext {
  const reservation = pool?.reservationOf(client)
  return { config, subnet: pool?.subnet, reservation, client, question: questionOf(message, client) }
}

function questionOf(message: Repr, client: ClientIdentity): Question {
  const { htype, xid, broadcast, ciaddr, giaddr, options } = message
  return {
    htype,
    xid,
    broadcast,
    ciaddr,
    giaddr,
    // Mostly these bytes are kept already.
    chaddr: own(message.chaddr, client.chaddr),
    wanted: own(options.get(OPT_PARAMETER_REQUEST_LIST), last?.question.wanted),
    maxSize: optionU16(options, OPT_MAX_MESSAGE_SIZE),
    clientId: own(options.get(OPT_CLIENT_ID), client.clientId),
    agent: options.get(OPT_RELAY_AGENT)?.slice(),
  }
}

/** The bytes in memory of their own: a copy of them that is there, or a new one. */
function own<Bytes extends Uint8Array | undefined>(bytes: Bytes, kept: Uint8Array | undefined): Bytes {
  if (bytes === undefined) return bytes
  return (kept !== undefined && sameBytes(bytes, kept) ? kept : bytes.slice()) as Bytes
}

const NONE = new Uint8Array(0)
const OF_OFFER = Uint8Array.of(OFFER)
const OF_ACK = Uint8Array.of(ACK)
const MIN_DATAGRAM = 576
const IP_UDP_HEADERS = 28
/** Options that only a lease brings: RFC 2131 table 3 forbids the first in an answer to DHCPINFORM. */
const TIMES: ReadonlySet<number> = new Set([OPT_LEASE_TIME, OPT_RENEWAL_TIME, OPT_REBINDING_TIME])

/**
 * Seconds to grant, RFC 2131 §4.3.1: what the client asks for within the bounds of the subnet, the configured
 * time if it asks for none. A client that already holds a lease and asks for no time gets the configured time
 * as well, so that a changed configuration reaches everyone within one lease.
 */
export function grantedTime(
  subnet: SubnetConfig,
  reservation: Reservation | undefined,
  asked: number | undefined,
): number {
  const usual = reservation?.leaseTime ?? subnet.leaseTime
  if (asked === undefined) return usual
  const max = Math.max(usual, subnet.maxLeaseTime ?? 0)
  const min = Math.min(subnet.minLeaseTime ?? Math.min(60, subnet.leaseTime), max)
  return Math.min(Math.max(asked, min), max)
}

function header(message: Question, options: Options): Repr {
  return {
    op: BOOTREPLY,
    htype: message.htype,
    hops: 0,
    xid: message.xid,
    secs: 0,
    broadcast: message.broadcast,
    ciaddr: 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: message.giaddr,
    chaddr: message.chaddr,
    sname: NONE,
    file: NONE,
    options,
  }
}

/** Echoes what is to be echoed to this client (RFC 6842, RFC 3046 §2.2), in place of what was to another. */
function echo({ clientId, agent }: Question, to: Options): void {
  if (clientId !== undefined) to.set(OPT_CLIENT_ID, clientId)
  else if (last?.options === to) to.delete(OPT_CLIENT_ID)
  if (agent !== undefined) to.set(OPT_RELAY_AGENT, agent)
  else if (last?.options === to) to.delete(OPT_RELAY_AGENT)
}

/** Where messages are written. */
const written = new Uint8Array(0xffff)

function serialize(context: ReplyContext, reply: Repr): Uint8Array {
  const ceiling = context.config.maxMessageLength ?? DEFAULT_MAX_MESSAGE_LENGTH
  const asked = context.question.maxSize
  const max = asked === undefined || asked < MIN_DATAGRAM ? DEFAULT_MAX_LENGTH : asked - IP_UDP_HEADERS
  return written.subarray(0, emitInto(written, reply, Math.min(max, ceiling)))
}

/** The parameter of that number for this client; `undefined` when none is configured. */
function parameter(context: ReplyContext, code: number): Uint8Array | undefined {
  const { subnet, reservation } = context
  if (subnet === undefined) return undefined
  if (code === OPT_HOST_NAME && reservation?.hostname !== undefined) return encodeText(reservation.hostname)
  const configured = reservation?.options?.get(code) ?? subnet.options?.get(code)
  if (configured !== undefined) return configured
  if (code === OPT_SUBNET_MASK) return bytesOfU32(mask(subnet.prefixLength))
  if (code === OPT_BROADCAST_ADDRESS && subnet.prefixLength < 31) return bytesOfU32(broadcast(subnet))
  return undefined
}

/**
 * Appends the parameters in the order the client lists them, or all that are configured if it lists none. The
 * subnet mask always goes, and before the routers (RFC 2132 §3.3).
 */
function addParameters(
  context: ReplyContext,
  options: Options,
  times: ReadonlyMap<number, Uint8Array>,
  leased: boolean,
): void {
  const list = context.question.wanted
  const wanted = new Set<number>(
    list ?? [
      OPT_SUBNET_MASK,
      ...(context.reservation?.hostname === undefined ? [] : [OPT_HOST_NAME]),
      ...(context.reservation?.options?.keys() ?? []),
      ...(context.subnet?.options?.keys() ?? []),
    ],
  )
  const add = (code: number) => {
    if (options.has(code) || (TIMES.has(code) && !leased)) return
    const data = parameter(context, code) ?? times.get(code)
    if (data !== undefined) options.set(code, data)
  }
  for (const code of wanted) {
    if (code === OPT_ROUTER) add(OPT_SUBNET_MASK)
    add(code)
  }
  add(OPT_SUBNET_MASK)
  for (const code of times.keys()) add(code)
}

function bootFields(context: ReplyContext, reply: Repr): void {
  const { subnet } = context
  reply.siaddr = subnet?.nextServer ?? 0
  if (subnet?.serverName !== undefined) reply.sname = encodeText(subnet.serverName).subarray(0, 63)
  if (subnet?.bootFile !== undefined) reply.file = encodeText(subnet.bootFile).subarray(0, 127)
}

function start(type: number, context: ReplyContext): Repr {
  const options: Options = new Map()
  options.set(OPT_MESSAGE_TYPE, Uint8Array.of(type))
  options.set(OPT_SERVER_ID, bytesOfU32(context.config.serverId))
  return header(context.question, options)
}

/** The times that follow from that of a lease. RFC 2131 §4.4.5: 1/2 and 7/8 of it. */
function timesOf(leaseTime: number): ReadonlyMap<number, Uint8Array> {
  if (leaseTime === INFINITE_LEASE) return new Map()
  return new Map([
    [OPT_RENEWAL_TIME, bytesOfU32(Math.floor(leaseTime / 2))],
    [OPT_REBINDING_TIME, bytesOfU32(Math.floor((leaseTime * 7) / 8))],
  ])
}

/** Options of a lease, and what they follow from. */
interface LeaseOptions extends ReplyContext {
  readonly leaseTime: number
  readonly options: Options
}

/** Those of the last answer: the next client mostly asks for the same, and only type and what is echoed differ. */
let last: LeaseOptions | undefined

function isFor(l: LeaseOptions, context: ReplyContext, leaseTime: number): boolean {
  return (
    l.leaseTime === leaseTime &&
    l.config === context.config &&
    l.subnet === context.subnet &&
    l.reservation === context.reservation &&
    // Lists that say the same are the same, see `questionOf`.
    l.question.wanted === context.question.wanted
  )
}

/** All options of an OFFER or ACK but its type and what is echoed; the map is the caller's until it asks again. */
function leaseOptions(context: ReplyContext, leaseTime: number): Options {
  if (last !== undefined && isFor(last, context, leaseTime)) return last.options
  const options: Options = new Map()
  options.set(OPT_MESSAGE_TYPE, NONE)
  options.set(OPT_SERVER_ID, bytesOfU32(context.config.serverId))
  options.set(OPT_LEASE_TIME, bytesOfU32(leaseTime))
  addParameters(context, options, timesOf(leaseTime), true)
  // What would be echoed may be configured, too: then it is not to be taken out again.
  const configured = options.has(OPT_CLIENT_ID) || options.has(OPT_RELAY_AGENT)
  last = configured ? undefined : { ...context, leaseTime, options }
  return options
}

/** The message of a DHCPOFFER, or of a DHCPACK to a DHCPREQUEST. */
export function leaseReply(
  type: typeof OFFER | typeof ACK,
  context: ReplyContext,
  address: number,
  leaseTime: number,
): Reply {
  const { question } = context
  const options = leaseOptions(context, leaseTime)
  options.set(OPT_MESSAGE_TYPE, type === ACK ? OF_ACK : OF_OFFER)
  echo(question, options)
  const reply = header(question, options)
  if (type === ACK) reply.ciaddr = question.ciaddr
  reply.yiaddr = address
  bootFields(context, reply)
  return toClient(context, reply, address)
}

/** The DHCPACK to a DHCPINFORM: parameters, but neither an address nor a time (RFC 2131 §4.3.5). */
export function informReply(context: ReplyContext, meta: ReceiveMeta): Reply {
  const { question } = context
  const reply = start(ACK, context)
  reply.ciaddr = question.ciaddr
  bootFields(context, reply)
  addParameters(context, reply.options, new Map(), false)
  echo(question, reply.options)
  const payload = serialize(context, reply)
  const srcIp = context.config.serverId
  // Some hosts leave ciaddr empty; their datagram still says where they are.
  const destIp = question.ciaddr !== 0 ? question.ciaddr : meta.sourceIp
  if (destIp !== 0) return { payload, srcIp, destIp, destMac: undefined, destPort: CLIENT_PORT }
  if (question.giaddr !== 0) {
    return { payload, srcIp, destIp: question.giaddr, destMac: undefined, destPort: SERVER_PORT }
  }
  return { payload, srcIp, destIp: BROADCAST_IP, destMac: BROADCAST_MAC, destPort: CLIENT_PORT }
}

/** A DHCPNAK: no parameters, only why (RFC 2131 table 3). */
export function nakReply(context: ReplyContext, why: string): Reply {
  const { question } = context
  const reply = start(NAK, context)
  reply.options.set(OPT_MESSAGE, encodeText(why))
  echo(question, reply.options)
  const srcIp = context.config.serverId
  if (question.giaddr !== 0) {
    // §4.3.2: the broadcast bit makes the relay agent broadcast it, since the client may have no usable address.
    reply.broadcast = true
    const payload = serialize(context, reply)
    return { payload, srcIp, destIp: question.giaddr, destMac: undefined, destPort: SERVER_PORT }
  }
  const payload = serialize(context, reply)
  return { payload, srcIp, destIp: BROADCAST_IP, destMac: BROADCAST_MAC, destPort: CLIENT_PORT }
}

/** RFC 2131 §4.1: to the relay agent, else to ciaddr, else broadcast if the client must have it so, else to yiaddr. */
function toClient(context: ReplyContext, reply: Repr, address: number): Reply {
  const { question, client } = context
  const payload = serialize(context, reply)
  const srcIp = context.config.serverId
  if (question.giaddr !== 0) {
    return { payload, srcIp, destIp: question.giaddr, destMac: undefined, destPort: SERVER_PORT }
  }
  if (question.ciaddr !== 0) {
    return { payload, srcIp, destIp: question.ciaddr, destMac: undefined, destPort: CLIENT_PORT }
  }
  if (question.broadcast || client.mac === undefined) {
    return { payload, srcIp, destIp: BROADCAST_IP, destMac: BROADCAST_MAC, destPort: CLIENT_PORT }
  }
  return { payload, srcIp, destIp: address, destMac: client.mac, destPort: CLIENT_PORT }
}
