/**
 * DHCP for IPv4: RFC 2131 §2 (the message), RFC 2132 §2 (options), RFC 3396 (options longer than 255 bytes),
 * RFC 3046 §2.1 (the relay agent option stands last).
 *
 * A message is what follows the UDP header. Options may spill over into the `file` and `sname` fields ("option
 * overload", RFC 2132 §9.3); that and the splitting of long options are framing: `parse` undoes them, `emit`
 * applies them where they are needed, and the record knows neither.
 */

import { put16, put32, u16, u32 } from './big-endian.ts'

export const OP = 0
export const HTYPE = 1
export const HLEN = 2
export const HOPS = 3
export const XID = 4
export const SECS = 8
export const FLAGS = 10
export const CIADDR = 12
export const YIADDR = 16
export const SIADDR = 20
export const GIADDR = 24
export const CHADDR = 28
export const SNAME = 44
export const FILE = 108
export const COOKIE = 236
export const OPTIONS = 240

export const CHADDR_LEN = 16
export const SNAME_LEN = FILE - SNAME
export const FILE_LEN = COOKIE - FILE

export const MAGIC_COOKIE = 0x63825363
export const FLAG_BROADCAST = 0x8000
export const HTYPE_ETHERNET = 1

export const SERVER_PORT = 67
export const CLIENT_PORT = 68

/** RFC 951 §3 and RFC 1542 §2.1: no message is shorter, for the sake of BOOTP relays. */
export const MIN_LENGTH = 300
/** What everyone must accept: a datagram of 576 bytes less the IPv4 and UDP headers (RFC 2131 §2). */
export const DEFAULT_MAX_LENGTH = 576 - 28

export const BOOTREQUEST = 1
export const BOOTREPLY = 2

/** Message types, RFC 2132 §9.6. */
export const DISCOVER = 1
export const OFFER = 2
export const REQUEST = 3
export const DECLINE = 4
export const ACK = 5
export const NAK = 6
export const RELEASE = 7
export const INFORM = 8

/** Options that the protocol itself works with; all others are data, see dhcp/option-table.ts. */
export const OPT_PAD = 0
export const OPT_SUBNET_MASK = 1
export const OPT_ROUTER = 3
export const OPT_DOMAIN_NAME_SERVERS = 6
export const OPT_HOST_NAME = 12
export const OPT_DOMAIN_NAME = 15
export const OPT_INTERFACE_MTU = 26
export const OPT_BROADCAST_ADDRESS = 28
export const OPT_NTP_SERVERS = 42
export const OPT_REQUESTED_ADDRESS = 50
export const OPT_LEASE_TIME = 51
export const OPT_OVERLOAD = 52
export const OPT_MESSAGE_TYPE = 53
export const OPT_SERVER_ID = 54
export const OPT_PARAMETER_REQUEST_LIST = 55
export const OPT_MESSAGE = 56
export const OPT_MAX_MESSAGE_SIZE = 57
export const OPT_RENEWAL_TIME = 58
export const OPT_REBINDING_TIME = 59
export const OPT_CLIENT_ID = 61
export const OPT_FQDN = 81
export const OPT_RELAY_AGENT = 82
export const OPT_CLASSLESS_ROUTES = 121
export const OPT_END = 255

/** Option data by code, in the order of the message, pieces of one option joined (RFC 3396 §7). */
export type Options = Map<number, Uint8Array>

export interface Repr {
  /** BOOTREQUEST or BOOTREPLY. */
  op: number
  htype: number
  hops: number
  xid: number
  secs: number
  /** The client cannot take in unicast before it has an address. */
  broadcast: boolean
  ciaddr: number
  yiaddr: number
  siaddr: number
  giaddr: number
  /** Hardware address, 0 to 16 bytes: its length is `hlen`. */
  chaddr: Uint8Array
  /** Server name without its NUL; empty also where the field carries options. */
  sname: Uint8Array
  /** Boot file name without its NUL; empty also where the field carries options. */
  file: Uint8Array
  options: Options
}

/** Whether a fixed header, a possible hardware address length and the DHCP cookie are there. */
export function check(b: Uint8Array, o: number, end: number): boolean {
  return end - o >= OPTIONS && b[o + HLEN] <= CHADDR_LEN && u32(b, o + COOKIE) === MAGIC_COOKIE
}

export function op(b: Uint8Array, o: number): number {
  return b[o + OP]
}

export function xid(b: Uint8Array, o: number): number {
  return u32(b, o + XID)
}

/** Those bytes of the same memory; this way is faster than by `subarray`. */
function part(b: Uint8Array, from: number, length: number): Uint8Array {
  return new Uint8Array(b.buffer, b.byteOffset + from, length)
}

type Pieces = Map<number, Uint8Array | Uint8Array[]>

const NONE = new Uint8Array(0)

/** Collects the options of one field; false when one runs over its end. A missing end option is forgiven. */
function walk(b: Uint8Array, from: number, end: number, into: Pieces): boolean {
  let at = from
  while (at < end) {
    const code = b[at++]
    if (code === OPT_PAD) continue
    if (code === OPT_END) return true
    if (at >= end) return false
    const stop = at + 1 + b[at]
    if (stop > end) return false
    const piece = part(b, at + 1, b[at])
    const before = into.get(code)
    if (before === undefined) into.set(code, piece)
    else if (Array.isArray(before)) before.push(piece)
    else into.set(code, [before, piece])
    at = stop
  }
  return true
}

function join(pieces: Uint8Array[]): Uint8Array {
  let length = 0
  for (const p of pieces) length += p.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const p of pieces) {
    whole.set(p, at)
    at += p.length
  }
  return whole
}

/** The options whole: the same map, since hardly any came in pieces. */
function joined(pieces: Pieces): Options {
  pieces.forEach((p, code) => {
    if (Array.isArray(p)) pieces.set(code, join(p))
  })
  return pieces as Options
}

function cString(b: Uint8Array, from: number, length: number): Uint8Array {
  if (b[from] === 0) return NONE
  const whole = part(b, from, length)
  const nul = whole.indexOf(0)
  return nul < 0 ? whole : part(b, from, nul)
}

/**
 * The record of the message at `o`, whose byte strings are parts of `b`. `undefined` when it is not DHCP or an option
 * runs over the end of its field.
 */
export function view(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end)) return undefined
  const pieces: Pieces = new Map()
  if (!walk(b, o + OPTIONS, end, pieces)) return undefined
  let overload = 0
  const overloadOption = pieces.get(OPT_OVERLOAD)
  if (overloadOption !== undefined) {
    if (overloadOption instanceof Uint8Array && overloadOption.length === 1) overload = overloadOption[0]
    pieces.delete(OPT_OVERLOAD)
  }
  const fileUsed = overload === 1 || overload === 3
  const snameUsed = overload === 2 || overload === 3
  // RFC 3396 §5: the aggregate is the options field, then file, then sname.
  if (fileUsed && !walk(b, o + FILE, o + FILE + FILE_LEN, pieces)) return undefined
  if (snameUsed && !walk(b, o + SNAME, o + SNAME + SNAME_LEN, pieces)) return undefined
  if (overload !== 0) pieces.delete(OPT_OVERLOAD)
  const options = joined(pieces)
  return {
    op: b[o + OP],
    htype: b[o + HTYPE],
    hops: b[o + HOPS],
    xid: u32(b, o + XID),
    secs: u16(b, o + SECS),
    broadcast: (u16(b, o + FLAGS) & FLAG_BROADCAST) !== 0,
    ciaddr: u32(b, o + CIADDR),
    yiaddr: u32(b, o + YIADDR),
    siaddr: u32(b, o + SIADDR),
    giaddr: u32(b, o + GIADDR),
    chaddr: part(b, o + CHADDR, b[o + HLEN]),
    sname: snameUsed ? NONE : cString(b, o + SNAME, SNAME_LEN),
    file: fileUsed ? NONE : cString(b, o + FILE, FILE_LEN),
    options,
  }
}

/** As `view`, with bytes of its own. */
export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  return view(new Uint8Array(b.subarray(o, end)), 0, end - o)
}

/** The same record with bytes of its own. */
export function detached(r: Repr): Repr {
  const options: Options = new Map()
  for (const [code, data] of r.options) options.set(code, data.slice())
  return { ...r, chaddr: r.chaddr.slice(), sname: r.sname.slice(), file: r.file.slice(), options }
}

/** A one-byte option, or `undefined` if it is absent or of another length. */
export function optionU8(options: Options, code: number): number | undefined {
  const data = options.get(code)
  return data?.length === 1 ? data[0] : undefined
}

/** A two-byte option in network order, or `undefined` if it is absent or of another length. */
export function optionU16(options: Options, code: number): number | undefined {
  const data = options.get(code)
  return data?.length === 2 ? u16(data, 0) : undefined
}

/** A four-byte option (an address, a time) in network order, or `undefined` if it is absent or of another length. */
export function optionU32(options: Options, code: number): number | undefined {
  const data = options.get(code)
  return data?.length === 4 ? u32(data, 0) : undefined
}

export function bytesOfU32(v: number): Uint8Array {
  const b = new Uint8Array(4)
  put32(b, 0, v)
  return b
}

/** Bytes an option takes on the wire, split into pieces of 255. */
function wireLength(dataLength: number): number {
  return dataLength <= 255 ? dataLength + 2 : dataLength + 2 * Math.ceil(dataLength / 255)
}

/** A stretch of the message that options are written into. */
interface Field {
  readonly start: number
  at: number
  end: number
  /** Its bit in the overload option. */
  readonly overload: number
}

function room(f: Field): number {
  return Math.max(0, f.end - f.at)
}

function writePiece(b: Uint8Array, f: Field, code: number, data: Uint8Array): void {
  const { at } = f
  const { length } = data
  b[at] = code
  b[at + 1] = length
  // Most are of a few bytes, for which a loop is faster.
  for (let i = 0; i < length; i++) b[at + 2 + i] = data[i]
  f.at = at + 2 + length
}

/** Writes an option whole if one field holds it, else in pieces over the fields in order; false if it fits nowhere. */
function writeOption(b: Uint8Array, fields: Field[], code: number, data: Uint8Array): boolean {
  if (data.length <= 255) {
    for (const f of fields) {
      if (room(f) < 2 + data.length) continue
      writePiece(b, f, code, data)
      return true
    }
  }
  let capacity = 0
  for (const f of fields) {
    const full = Math.floor(room(f) / 257)
    capacity += 255 * full + Math.max(0, room(f) - 257 * full - 2)
  }
  if (data.length === 0 || capacity < data.length) return false
  let from = 0
  for (const f of fields) {
    while (from < data.length && room(f) > 2) {
      const to = Math.min(data.length, from + 255, from + room(f) - 2)
      writePiece(b, f, code, data.subarray(from, to))
      from = to
    }
  }
  return true
}

/**
 * Writes a message of at most `maxLength` bytes (at least 300). Options go in the order of the map, the relay
 * agent option last; when the options field is full the others go on in `file` and `sname`, as far as those are
 * empty. What then still does not fit is left out, and its code appended to `omitted`.
 */
export function emit(r: Repr, maxLength = DEFAULT_MAX_LENGTH, omitted?: number[]): Uint8Array {
  const b = new Uint8Array(Math.max(MIN_LENGTH, maxLength))
  return b.subarray(0, emitInto(b, r, maxLength, omitted))
}

/** As `emit`, at the beginning of `b`, which has room for it. @returns bytes written */
export function emitInto(b: Uint8Array, r: Repr, maxLength: number, omitted?: number[]): number {
  const limit = Math.max(MIN_LENGTH, maxLength)
  let agent = r.options.get(OPT_RELAY_AGENT)
  if (agent !== undefined && wireLength(agent.length) > limit - OPTIONS - 1) {
    omitted?.push(OPT_RELAY_AGENT)
    agent = undefined
  }
  const agentLength = agent === undefined ? 0 : wireLength(agent.length)
  let needed = 1 + agentLength
  // Going through a map by `for` would make an array for each of its entries.
  r.options.forEach((data, code) => {
    if (code !== OPT_RELAY_AGENT) needed += wireLength(data.length)
  })
  const length = Math.min(limit, Math.max(MIN_LENGTH, OPTIONS + needed))
  b.fill(0, 0, length)
  b[OP] = r.op
  b[HTYPE] = r.htype
  b[HLEN] = r.chaddr.length
  b[HOPS] = r.hops
  put32(b, XID, r.xid)
  put16(b, SECS, r.secs)
  put16(b, FLAGS, r.broadcast ? FLAG_BROADCAST : 0)
  put32(b, CIADDR, r.ciaddr)
  put32(b, YIADDR, r.yiaddr)
  put32(b, SIADDR, r.siaddr)
  put32(b, GIADDR, r.giaddr)
  for (let i = 0; i < r.chaddr.length; i++) b[CHADDR + i] = r.chaddr[i]
  if (r.sname.length > 0) b.set(r.sname, SNAME)
  if (r.file.length > 0) b.set(r.file, FILE)
  put32(b, COOKIE, MAGIC_COOKIE)

  const main: Field = { start: OPTIONS, at: OPTIONS, end: length - 1 - agentLength, overload: 0 }
  const fields = [main]
  if (OPTIONS + needed > limit) {
    main.end -= 3
    if (r.file.length === 0) fields.push({ start: FILE, at: FILE, end: COOKIE - 1, overload: 1 })
    if (r.sname.length === 0) fields.push({ start: SNAME, at: SNAME, end: FILE - 1, overload: 2 })
  }
  r.options.forEach((data, code) => {
    if (code !== OPT_RELAY_AGENT && !writeOption(b, fields, code, data)) omitted?.push(code)
  })
  main.end = length - 1
  let overload = 0
  for (const f of fields) {
    if (f !== main && f.at > f.start) overload |= f.overload
  }
  if (overload !== 0) writePiece(b, main, OPT_OVERLOAD, Uint8Array.of(overload))
  if (agent !== undefined) writeOption(b, [main], OPT_RELAY_AGENT, agent)
  for (const f of fields) {
    if (f.at > f.start) b[f.at] = OPT_END
  }
  return length
}
