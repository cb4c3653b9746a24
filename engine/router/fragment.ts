/**
 * Cutting datagrams to an MTU: RFC 791 §3.2. Whether a datagram may be cut is the caller's affair.
 */
import { put16, u16 } from '../../protocols/wire/big-endian.ts'
import { HEADER_LEN as ETHERNET } from '../../protocols/wire/ethernet.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import { GSO_NONE, type PacketPool } from '../memory/packet-pool.ts'
import { finishChecksum } from '../netdev/checksum-offload.ts'
import { putSegment, segmentCount } from '../netdev/segmentation.ts'

/** An option's kind has this bit if every fragment carries it (RFC 791 §3.1). */
const COPIED = 0x80

/**
 * Calls `send` with frames that together are the datagram in the untagged Ethernet frame `h`, none longer than
 * `mtu` behind its Ethernet header. A GSO frame is first cut into its segments. `send` only borrows; `h` is
 * the caller's and is at most given its checksum.
 * @returns false when cells ran out on the way
 */
export function fragment(pool: PacketPool, h: number, mtu: number, send: (piece: number) => void): boolean {
  if (pool.gsoType[h] !== GSO_NONE) {
    const segments = segmentCount(pool, h)
    for (let i = 0; i < segments; i++) {
      const c = pool.alloc()
      if (c < 0) return false
      putSegment(pool, h, i, c)
      const whole = cut(pool, c, mtu, send)
      pool.free(c)
      if (!whole) return false
    }
    // A datagram whose fragments the sender left to its card: fragmented here like any other.
    if (segments > 0) return true
    pool.gsoType[h] = GSO_NONE
  }
  finishChecksum(pool, h)
  return cut(pool, h, mtu, send)
}

function cut(pool: PacketPool, h: number, mtu: number, send: (piece: number) => void): boolean {
  const b = pool.u8
  const frame = pool.off[h]
  const ip = frame + ETHERNET
  const total = ipv4.totalLength(b, ip)
  if (total <= mtu) {
    send(h)
    return true
  }
  const header = ipv4.headerLength(b, ip)
  const end = ip + total
  const field = u16(b, ip + ipv4.FRAGMENT)
  const df = field & ipv4.DF
  const first = (field & ipv4.OFFSET_MASK) << 3
  let offset = first
  for (let at = ip + header; at < end; ) {
    const c = pool.alloc()
    if (c < 0) return false
    const to = pool.off[c]
    const leading = offset === first
    b.copyWithin(to, frame, ip + header)
    const headerLen = leading ? header : keepCopied(b, to + ETHERNET, header)
    const room = (mtu - headerLen) & ~7
    const last = end - at <= mtu - headerLen
    const size = last ? end - at : room
    b.copyWithin(to + ETHERNET + headerLen, at, at + size)
    at += size
    put16(b, to + ETHERNET + ipv4.TOTAL_LENGTH, headerLen + size)
    const more = last ? field & ipv4.MF : ipv4.MF
    put16(b, to + ETHERNET + ipv4.FRAGMENT, df | more | (offset >>> 3))
    ipv4.fillChecksum(b, to + ETHERNET)
    offset += size
    pool.len[c] = ETHERNET + headerLen + size
    pool.inPort[c] = pool.inPort[h]
    send(c)
    pool.free(c)
  }
  return true
}

/** Reduces a header's options to those that every fragment carries. @returns the header's new length */
function keepCopied(b: Uint8Array, ip: number, header: number): number {
  const stop = ip + header
  let to = ip + ipv4.HEADER_LEN
  let at = to
  while (at < stop && b[at] !== ipv4.OPTION_END) {
    const len = b[at] === ipv4.OPTION_NOP ? 1 : b[at + 1]
    if (len === 0 || at + len > stop) break
    if ((b[at] & COPIED) !== 0) {
      b.copyWithin(to, at, at + len)
      to += len
    }
    at += len
  }
  while (((to - ip) & 3) !== 0) b[to++] = ipv4.OPTION_END
  b[ip] = 0x40 | ((to - ip) >>> 2)
  return to - ip
}
