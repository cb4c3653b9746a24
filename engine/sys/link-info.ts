/** Network interfaces as the kernel describes them, in the namespace of the calling thread. */
import { MAX_NAME } from './link.ts'
import { scratch8, scratch32 } from './memory.ts'
import { align, askAll, askOne, forEachAttribute, get16, HEADER, put16 } from './rtnetlink.ts'

const RTM_NEWLINK = 16
const RTM_GETLINK = 18

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

/** Undefined when there is no interface of that name. */
export function linkInfo(name: string): LinkInfo | undefined {
  if (name.length === 0 || name.length > MAX_NAME || !/^[!-~]+$/.test(name)) return undefined
  const end = askOne(RTM_GETLINK, putQuestion(name))
  return end >= HEADER + IFINFOMSG && get16(4) === RTM_NEWLINK ? readLink(0, end).info : undefined
}

/** Every interface by its name. */
export function linkTable(): Map<string, LinkInfo> {
  const links = new Map<string, LinkInfo>()
  askAll(RTM_GETLINK, putQuestion(undefined), RTM_NEWLINK, (start, end) => {
    if (end - start < HEADER + IFINFOMSG) return
    const { name, info } = readLink(start, end)
    links.set(name, info)
  })
  return links
}

/** @param name undefined: of all; its length, that of the header included */
function putQuestion(name: string | undefined): number {
  const named = name === undefined ? 0 : align(4 + name.length + 1)
  const length = HEADER + IFINFOMSG + 8 + named
  scratch8.fill(0, HEADER, length)
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
  forEachAttribute(start + HEADER + IFINFOMSG, end, (type, at, length) => {
    switch (type) {
      case IFLA_IFNAME:
        for (let i = at; i < at + length && scratch8[i] !== 0; i++) name += String.fromCharCode(scratch8[i]!)
        break
      case IFLA_ADDRESS:
        if (length === 6) for (let i = 0; i < 6; i++) mac = mac * 256 + scratch8[at + i]!
        break
      case IFLA_MTU:
        mtu = scratch32[at / 4]!
        break
      case IFLA_MASTER:
        master = scratch32[at / 4]!
        break
      case IFLA_CARRIER:
        carrier = scratch8[at] === 1
        break
    }
  })
  return { name, info: { index, flags, mac, mtu, master, carrier } }
}
