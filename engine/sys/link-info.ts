/**
 * One network interface as the kernel describes it, by one question to rtnetlink(7). Asked in the namespace of the
 * calling thread.
 */
import { checked, close, recv, SOCK_CLOEXEC, SOCK_RAW, send, socket } from './libc.ts'
import { IFREQ_LEN, MAX_NAME } from './link.ts'
import { SCRATCH, SCRATCH_BYTES, scratch8, scratch32 } from './memory.ts'

const AF_NETLINK = 16
const NETLINK_ROUTE = 0
const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const NLM_F_REQUEST = 1

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
  const fd = checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), 'socket', 'AF_NETLINK')
  try {
    checked(send(fd, SCRATCH, putRequest(name), 0), 'send', 'rtnetlink')
    const length = checked(recv(fd, SCRATCH, SCRATCH_BYTES, 0), 'recv', 'rtnetlink')
    return readReply(length)
  } finally {
    close(fd)
  }
}

function putRequest(name: string): number {
  const nameLength = 4 + name.length + 1
  const length = HEADER + IFINFOMSG + 8 + align(nameLength)
  scratch8.fill(0, 0, IFREQ_LEN + length)
  scratch32[0] = length
  put16(4, RTM_GETLINK)
  put16(6, NLM_F_REQUEST)
  let at = HEADER + IFINFOMSG
  // Counters would not fit the page.
  put16(at, 8)
  put16(at + 2, IFLA_EXT_MASK)
  scratch32[(at + 4) / 4] = RTEXT_FILTER_SKIP_STATS
  at += 8
  put16(at, nameLength)
  put16(at + 2, IFLA_IFNAME)
  for (let i = 0; i < name.length; i++) scratch8[at + 4 + i] = name.charCodeAt(i)
  return length
}

function readReply(received: number): LinkInfo | undefined {
  if (received < HEADER + IFINFOMSG || get16(4) !== RTM_NEWLINK) return undefined
  const end = Math.min(received, scratch32[0]!)
  const index = scratch32[(HEADER + 4) / 4]!
  const flags = scratch32[(HEADER + 8) / 4]! >>> 0
  let mac = 0
  let mtu = 0
  let master = 0
  let carrier = false
  for (let at = HEADER + IFINFOMSG; at + 4 <= end; ) {
    const length = get16(at)
    if (length < 4) break
    const value = (at + 4) / 4
    switch (get16(at + 2) & 0x3fff) {
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
  return { index, flags, mac, mtu, master, carrier }
}

function put16(at: number, value: number): void {
  scratch8[at] = value
  scratch8[at + 1] = value >>> 8
}

function get16(at: number): number {
  return scratch8[at]! | (scratch8[at + 1]! << 8)
}
