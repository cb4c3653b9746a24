/** Addresses and routes as the kernel has them, in the namespace of the calling thread; both versions of IP. */
import { AF_INET } from './libc.ts'
import { scratch8, scratch32 } from './memory.ts'
import { askAll, forEachAttribute, HEADER } from './rtnetlink.ts'

const RTM_NEWADDR = 20
const RTM_GETADDR = 22
const RTM_NEWROUTE = 24
const RTM_GETROUTE = 26

const IFADDRMSG = 8
const IFA_ADDRESS = 1
const IFA_LOCAL = 2

const RTMSG = 12
const RTA_DST = 1
const RTA_OIF = 4
const RTA_GATEWAY = 5
const RTN_UNICAST = 1
const RTN_LOCAL = 2

const AF_INET6 = 10
/** Those behind are not read. */
const MAX_ROUTES = 65_536

export interface KernelAddress {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array
  /** Bits of it that are those of its subnet. */
  readonly prefixLength: number
  /** Index of the interface. */
  readonly device: number
}

export interface KernelRoute {
  /** 4 or 16 bytes. */
  readonly to: Uint8Array
  readonly prefixLength: number
  /** Index of the interface that it leads to. */
  readonly device: number
  /** As long as `to`; undefined for what is on the link. */
  readonly gateway: Uint8Array | undefined
  /** Leads to the machine itself. */
  readonly local: boolean
}

/** Bytes of an address; 0 for a family that is neither version of IP. */
const widthOf = (family: number) => (family === AF_INET ? 4 : family === AF_INET6 ? 16 : 0)

export function addressTable(): KernelAddress[] {
  const all: KernelAddress[] = []
  askAll(RTM_GETADDR, putQuestion(IFADDRMSG), RTM_NEWADDR, (start, end) => {
    const body = start + HEADER
    const width = widthOf(scratch8[body])
    if (body + IFADDRMSG > end || width === 0) return
    let address: Uint8Array | undefined
    forEachAttribute(body + IFADDRMSG, end, (type, at, length) => {
      // Where both are there, IFA_ADDRESS is the other end's.
      const own = type === IFA_LOCAL || (type === IFA_ADDRESS && address === undefined)
      if (own && length === width) address = scratch8.slice(at, at + width)
    })
    if (address === undefined) return
    all.push({ address, prefixLength: scratch8[body + 1], device: scratch32[(body + 4) / 4] })
  })
  return all
}

/** Routes of all tables that lead by one interface, be it to the machine itself. */
export function routeTable(): KernelRoute[] {
  const all: KernelRoute[] = []
  askAll(RTM_GETROUTE, putQuestion(RTMSG), RTM_NEWROUTE, (start, end) => {
    const body = start + HEADER
    const width = widthOf(scratch8[body])
    const kind = scratch8[body + 7]
    if (body + RTMSG > end || width === 0 || (kind !== RTN_UNICAST && kind !== RTN_LOCAL)) return
    let to = new Uint8Array(width)
    let gateway: Uint8Array | undefined
    let device = 0
    forEachAttribute(body + RTMSG, end, (type, at, length) => {
      if (type === RTA_OIF && length === 4) device = scratch32[at / 4]
      if (type === RTA_DST && length === width) to = scratch8.slice(at, at + width)
      if (type === RTA_GATEWAY && length === width) gateway = scratch8.slice(at, at + width)
    })
    if (device === 0 || all.length === MAX_ROUTES) return
    all.push({ to, prefixLength: scratch8[body + 1], device, gateway, local: kind === RTN_LOCAL })
  })
  return all
}

/** @returns its length, that of the header included */
function putQuestion(body: number): number {
  scratch8.fill(0, HEADER, HEADER + body)
  return HEADER + body
}
