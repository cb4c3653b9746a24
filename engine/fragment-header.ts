/** What a fragment says of itself: RFC 791 §3.1, RFC 8200 §4.5. */
import { u16, u32 } from '../protocols/wire/big-endian.ts'
import * as ipv4 from '../protocols/wire/ipv4.ts'
import * as ipv6 from '../protocols/wire/ipv6.ts'

const FRAGMENT_HEADER = 8
const MORE = 1
const OFFSET = 0xfff8

export interface Fragment {
  /** Names the datagram it is of. */
  key: string
  /** Index of the first byte of its part of the payload, their number, and where they belong. */
  payload: number
  size: number
  offset: number
  more: boolean
  /** Index behind the headers that every fragment has. */
  headerEnd: number
  /** IPv6: index of the byte that announces the fragment header, and what that header announces; else 0. */
  nextAt: number
  nextHeader: number
}

export function makeFragment(): Fragment {
  return { key: '', payload: 0, size: 0, offset: 0, more: false, headerEnd: 0, nextAt: 0, nextHeader: 0 }
}

/** @returns false for what is no fragment, or whose header is wrong */
export function readFragment(b: Uint8Array, ip: number, frameEnd: number, out: Fragment): boolean {
  return b[ip] >>> 4 === 6 ? readFragment6(b, ip, frameEnd, out) : readFragment4(b, ip, frameEnd, out)
}

function readFragment4(b: Uint8Array, ip: number, frameEnd: number, out: Fragment): boolean {
  if (!ipv4.check(b, ip, frameEnd)) return false
  out.payload = ipv4.payload(b, ip)
  out.size = ipv4.end(b, ip) - out.payload
  out.offset = ipv4.fragmentOffset(b, ip)
  out.more = ipv4.moreFragments(b, ip)
  out.headerEnd = out.payload
  out.nextAt = 0
  out.key = `${ipv4.src(b, ip)} ${ipv4.dst(b, ip)} ${ipv4.protocol(b, ip)} ${ipv4.identification(b, ip)}`
  return true
}

function readFragment6(b: Uint8Array, ip: number, frameEnd: number, out: Fragment): boolean {
  if (!ipv6.check(b, ip, frameEnd)) return false
  const end = ipv6.end(b, ip)
  let nextAt = ip + ipv6.NEXT_HEADER
  let at = ip + ipv6.HEADER_LEN
  for (let n = 0; n < ipv6.MAX_EXTENSIONS && end - at >= FRAGMENT_HEADER; n++) {
    const next = b[nextAt]
    if (next === ipv6.FRAGMENT) {
      out.payload = at + FRAGMENT_HEADER
      out.size = end - out.payload
      out.offset = u16(b, at + 2) & OFFSET
      out.more = (b[at + 3] & MORE) !== 0
      out.headerEnd = at
      out.nextAt = nextAt
      out.nextHeader = b[at]
      let key = `${u32(b, at + 4)}`
      for (let i = 0; i < 4; i++) key += ` ${ipv6.srcWord(b, ip, i)} ${ipv6.dstWord(b, ip, i)}`
      out.key = key
      return true
    }
    if (next !== ipv6.HOP_BY_HOP && next !== ipv6.ROUTING && next !== ipv6.DESTINATION_OPTIONS) return false
    nextAt = at
    at += (b[at + 1] + 1) << 3
  }
  return false
}
