/**
 * Where the headers of a frame lie, for offloads. This is asked only of frames that need something done, so it
 * reads the bytes anew instead of trusting what an earlier stage found before headers were pushed or changed.
 */
import { u16 } from '../../protocols/wire/big-endian.ts'

const ETH_IPV4 = 0x0800
const ETH_IPV6 = 0x86dd
const ETH_DOT1Q = 0x8100
const ETH_DOT1AD = 0x88a8

/** Tags looked behind at the most. */
const MAX_TAGS = 4
/** IPv6 extension headers looked behind at the most. */
const MAX_EXTENSIONS = 8

const IPV6_HOP_BY_HOP = 0
const IPV6_ROUTING = 43
const IPV6_DESTINATION = 60

/**
 * Length of the link header with all its VLAN tags, bytes; the type stands in its last two.
 * @param o index of the frame, which is at least 14 bytes long
 */
export function linkHeaderLen(b: Uint8Array, o: number, len: number): number {
  let at = 14
  for (let tags = 0; tags < MAX_TAGS && at + 4 <= len; tags++) {
    const type = u16(b, o + at - 2)
    if (type !== ETH_DOT1Q && type !== ETH_DOT1AD) break
    at += 4
  }
  return at
}

/** What `findTransport` answers for a frame that has no transport header to be found. */
export const NO_TRANSPORT = -1
const VERSION6 = 1 << 24

/** Offset of the transport header from the start of the frame. */
export function transportOffset(t: number): number {
  return t & 0xffff
}

/** IP protocol number. */
export function transportProtocol(t: number): number {
  return (t >>> 16) & 0xff
}

/** Whether the network header is IPv6 rather than IPv4. */
export function isVersion6(t: number): boolean {
  return (t & VERSION6) !== 0
}

/**
 * Finds the transport header behind the outermost IP header: an integer to be read by the functions above, or
 * NO_TRANSPORT for what is not IP, is a fragment, is cut short, or hides it behind headers unknown here.
 */
export function findTransport(b: Uint8Array, o: number, len: number): number {
  const l3 = linkHeaderLen(b, o, len)
  const type = u16(b, o + l3 - 2)
  if (type === ETH_IPV4) {
    if (l3 + 20 > len || b[o + l3] >>> 4 !== 4) return NO_TRANSPORT
    const l4 = l3 + (b[o + l3] & 15) * 4
    // More fragments, or a fragment offset.
    if (l4 < l3 + 20 || l4 >= len || (u16(b, o + l3 + 6) & 0x3fff) !== 0) return NO_TRANSPORT
    return (b[o + l3 + 9] << 16) | l4
  }
  if (type !== ETH_IPV6 || l3 + 40 > len || b[o + l3] >>> 4 !== 6) return NO_TRANSPORT
  let next = b[o + l3 + 6]
  let l4 = l3 + 40
  for (let i = 0; i <= MAX_EXTENSIONS; i++) {
    if (l4 + 8 > len) return NO_TRANSPORT
    if (next !== IPV6_HOP_BY_HOP && next !== IPV6_ROUTING && next !== IPV6_DESTINATION) {
      return VERSION6 | (next << 16) | l4
    }
    next = b[o + l4]
    l4 += (b[o + l4 + 1] + 1) * 8
  }
  return NO_TRANSPORT
}

/**
 * Bytes from the start of the frame to the end of its IP datagram, by the length field: Ethernet may have
 * padded the frame. The frame's own length if the field says more than there is.
 */
export function datagramEnd(b: Uint8Array, o: number, len: number, t: number): number {
  const l3 = linkHeaderLen(b, o, len)
  const end = l3 + (isVersion6(t) ? 40 + u16(b, o + l3 + 4) : u16(b, o + l3 + 2))
  return end > len || end < transportOffset(t) ? len : end
}
