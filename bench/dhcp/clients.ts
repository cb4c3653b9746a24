/**
 * DHCP clients behind a relay agent, ever new ones at a rate:
 * node clients.js ADDRESS DEVICE RATE SECONDS FIRST
 *
 * Each begins an exchange when it is time, whether others have ended or not; nothing is sent twice. An answer is
 * matched by its transaction. FIRST is the number of the first client. Messages go many to a system call, so that an
 * exchange costs this program a fraction of what it costs any server. Prints
 * `{"begun":…,"offered":…,"done":…,"refused":…,"busy":…}`, the last in microseconds of an exchange that this program
 * took for it.
 */
import { put32, u32 } from '../../protocols/wire/big-endian.ts'
import * as dhcp from '../../protocols/wire/dhcpv4.ts'
import { parseIpv4 } from '../../protocols/wire/ipv4.ts'
import { MessageSocket } from './message-socket.ts'

const [address, device, ...numbers] = process.argv.slice(2) as [string, string, ...string[]]
const [rate, seconds, first] = numbers.map(Number) as [number, number, number]
/** How long after the last exchange has begun answers are waited for, in milliseconds. */
const PATIENCE = 300
/** Exchanges that begin together at the most, when some are late. */
const TOGETHER = 32

const DISCOVERED = 1
const REQUESTED = 2
const DONE = 3

const relay = parseIpv4(address) as number
const total = Math.round(rate * seconds)
const state = new Uint8Array(total)
/** What the clients ask for: what perfdhcp does. */
const WANTED = Uint8Array.of(1, 28, 2, 3, 15, 6, 12)

function template(type: number, more: [code: number, data: Uint8Array][] = []): Uint8Array {
  const none = new Uint8Array(0)
  return dhcp.emit({
    ...{ op: dhcp.BOOTREQUEST, htype: dhcp.HTYPE_ETHERNET, hops: 1, xid: 0, secs: 0, broadcast: false },
    ...{ ciaddr: 0, yiaddr: 0, siaddr: 0, giaddr: relay, chaddr: Uint8Array.of(2, 0, 0, 0, 0, 0) },
    ...{ sname: none, file: none },
    options: new Map([
      [dhcp.OPT_MESSAGE_TYPE, Uint8Array.of(type)],
      ...more,
      [dhcp.OPT_PARAMETER_REQUEST_LIST, WANTED],
    ]),
  })
}
const unknown = new Uint8Array(4)
const discover = template(dhcp.DISCOVER)
const request = template(dhcp.REQUEST, [
  [dhcp.OPT_REQUESTED_ADDRESS, unknown],
  [dhcp.OPT_SERVER_ID, unknown],
])
/** Where the values of the request's two options stand: behind the type's three bytes, each behind its head. */
const REQUESTED_AT = dhcp.OPTIONS + 3 + 2
const SERVER_AT = REQUESTED_AT + 4 + 2

const socket = new MessageSocket(device, address, dhcp.SERVER_PORT)
const counts = { begun: 0, offered: 0, done: 0, refused: 0 }

function fill(bytes: Uint8Array, at: number, exchange: number): void {
  put32(bytes, at + dhcp.XID, exchange)
  put32(bytes, at + dhcp.CHADDR + 2, first + exchange)
}

/** Where the data of an option stands in the message at `from`; -1 for nowhere. */
function option(bytes: Uint8Array, code: number, from: number, end: number): number {
  for (let at = from + dhcp.OPTIONS; at + 1 < end && bytes[at] !== dhcp.OPT_END; ) {
    if (bytes[at] === dhcp.OPT_PAD) at++
    else if (bytes[at] === code) return at + 2
    else at += 2 + bytes[at + 1]!
  }
  return -1
}

function receive(bytes: Uint8Array, from: number, length: number): void {
  const end = from + length
  const exchange = u32(bytes, from + dhcp.XID)
  const type = option(bytes, dhcp.OPT_MESSAGE_TYPE, from, end)
  if (exchange >= total || type < 0) return
  if (bytes[type] === dhcp.OFFER && state[exchange] === DISCOVERED) {
    const server = option(bytes, dhcp.OPT_SERVER_ID, from, end)
    if (server < 0) return
    counts.offered++
    state[exchange] = REQUESTED
    socket.send(request, (to, at) => {
      fill(to, at, exchange)
      put32(to, at + REQUESTED_AT, u32(bytes, from + dhcp.YIADDR))
      put32(to, at + SERVER_AT, u32(bytes, server))
    })
  } else if (state[exchange] === REQUESTED) {
    state[exchange] = DONE
    if (bytes[type] === dhcp.ACK) counts.done++
    else if (bytes[type] === dhcp.NAK) counts.refused++
  }
}

const begin = performance.now()
let busy = 0
let last = begin
for (let now = begin; counts.begun < total || (now - last < PATIENCE && counts.done < total); ) {
  const due = Math.min(total, Math.floor(((now - begin) * rate) / 1000), counts.begun + TOGETHER)
  const worked = socket.receive(receive) > 0 || counts.begun < due
  if (counts.begun < due) last = now
  while (counts.begun < due) {
    const exchange = counts.begun++
    state[exchange] = DISCOVERED
    socket.send(discover, (to, at) => fill(to, at, exchange))
  }
  socket.flush()
  const then = now
  now = performance.now()
  if (worked) busy += now - then
}
console.log(JSON.stringify({ ...counts, busy: (busy * 1000) / total }))
