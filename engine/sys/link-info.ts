/**
 * Network interfaces as the kernel describes them, by one question to rtnetlink(7). Asked in the namespace of the
 * calling thread.
 */
import { checked, close, recv, SOCK_CLOEXEC, SOCK_RAW, send, socket } from './libc.ts'
import { MAX_NAME } from './link.ts'
import { SCRATCH, SCRATCH_BYTES, scratch8, scratch32 } from './memory.ts'

const AF_NETLINK = 16
const NETLINK_ROUTE = 0
const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const NLM_F_REQUEST = 1
const NLM_F_DUMP = 0x300

/** struct nlmsghdr, then struct ifinfomsg. */
const HEADER = 16
const IFINFOMSG = 16

const IFLA_ADDRESS = 1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_MASTER = 10
const IFLA_CARRIER = 33
const IFLA_EXT_MASK = 29
const RTEXT_FILTER_SKIP_STATS = 8

export interface LinkInfo {
  readonly index: number
  /** IFF_* bits. */
  readonly flags: number
  /** 48-bit number; 0 for an interface without one of six bytes. */
  readonly mac: number
  readonly mtu: number
  /** Index of the bridge, bond or other switch that it is a port of; 0 for none. */
  readonly master: number
  /** Whether there is a link. */
  readonly carrier: boolean
}

const align = (length: number) => (length + 3) & ~3

/** Undefined when there is no interface of that name. */
export function linkInfo(name: string): LinkInfo | undefined {
  if (name.length === 0 || name.length > MAX_NAME || !/^[!-~]+$/.test(name)) return undefined
  return withSocket((fd) => {
    checked(send(fd, SCRATCH, putRequest(NLM_F_REQUEST, name), 0), 'send', 'rtnetlink')
    const end = Math.min(receive(fd), scratch32[0]!)
    return end >= HEADER + IFINFOMSG && get16(4) === RTM_NEWLINK ? readLink(0, end).info : undefined
  })
}

/** Every interface by its name. */
export function linkTable(): Map<string, LinkInfo> {
  const links = new Map<string, LinkInfo>()
  withSocket((fd) => {
    checked(send(fd, SCRATCH, putRequest(NLM_F_REQUEST | NLM_F_DUMP, undefined), 0), 'send', 'rtnetlink')
    for (;;) {
      const received = receive(fd)
      for (let at = 0; at + HEADER <= received; ) {
        const length = scratch32[at / 4]!
        // The end, or an error in its place.
        if (get16(at + 4) !== RTM_NEWLINK || length < HEADER + IFINFOMSG) return
        const { name, info } = readLink(at, Math.min(received, at + length))
        links.set(name, info)
        at += align(length)
      }
    }
  })
  return links
}

function withSocket<T>(action: (fd: number) => T): T {
  const fd = checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), 'socket', 'AF_NETLINK')
  try {
    return action(fd)
  } finally {
    close(fd)
  }
}

function receive(fd: number): number {
  return checked(recv(fd, SCRATCH, SCRATCH_BYTES, 0), 'recv', 'rtnetlink')
}

/** @param name undefined: of all; its length */
function putRequest(flags: number, name: string | undefined): number {
  const named = name === undefined ? 0 : align(4 + name.length + 1)
  const length = HEADER + IFINFOMSG + 8 + named
  scratch8.fill(0, 0, length)
  scratch32[0] = length
  put16(4, RTM_GETLINK)
  put16(6, flags)
  let at = HEADER + IFINFOMSG
  // Counters would not fit the page.
  put16(at, 8)
  put16(at + 2, IFLA_EXT_MASK)
  scratch32[(at + 4) / 4] = RTEXT_FILTER_SKIP_STATS
  at += 8
  if (name === undefined) return length
  put16(at, 4 + name.length + 1)
  put16(at + 2, IFLA_IFNAME)
  for (let i = 0; i < name.length; i++) scratch8[at + 4 + i] = name.charCodeAt(i)
  return length
}

/** The message from `start` to `end`. */
function readLink(start: number, end: number): { name: string; info: LinkInfo } {
  const index = scratch32[(start + HEADER + 4) / 4]!
  const flags = scratch32[(start + HEADER + 8) / 4]! >>> 0
  let name = ''
  let mac = 0
  let mtu = 0
  let master = 0
  let carrier = false
  for (let at = start + HEADER + IFINFOMSG; at + 4 <= end; ) {
    const length = get16(at)
    if (length < 4) break
    const value = (at + 4) / 4
    switch (get16(at + 2) & 0x3fff) {
      case IFLA_IFNAME:
        for (let i = at + 4; scratch8[i] !== 0; i++) name += String.fromCharCode(scratch8[i]!)
        break
      case IFLA_ADDRESS:
        if (length === 10) for (let i = 0; i < 6; i++) mac = mac * 256 + scratch8[at + 4 + i]!
        break
      case IFLA_MTU:
        mtu = scratch32[value]!
        break
      case IFLA_MASTER:
        master = scratch32[value]!
        break
      case IFLA_CARRIER:
        carrier = scratch8[at + 4] === 1
        break
    }
    at += align(length)
  }
  return { name, info: { index, flags, mac, mtu, master, carrier } }
}

function put16(at: number, value: number): void {
  scratch8[at] = value
  scratch8[at + 1] = value >>> 8
}

function get16(at: number): number {
  return scratch8[at]! | (scratch8[at + 1]! << 8)
}
