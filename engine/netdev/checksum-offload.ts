/**
 * Completing in software what a sender left to its network card: the Internet checksum of TCP and UDP, and
 * the CRC-32c of SCTP (RFC 9260 appendix A), which a virtio-net header announces in the same words.
 */
import { put16 } from '../../protocols/wire/big-endian.ts'
import { sum } from '../../protocols/wire/checksum.ts'
import { GSO_NONE, type PacketPool, VNET_DATA_VALID, VNET_NEEDS_CSUM } from '../memory/packet-pool.ts'
import { datagramEnd, findTransport, NO_TRANSPORT, transportOffset, transportProtocol } from './headers.ts'

const SCTP = 132
const SCTP_CHECKSUM = 8
const UDP_CHECKSUM = 6

/**
 * Completes a partial checksum in place. The frame then means the same to every later reader, so one that is
 * flooded may be finished for one port and go on to the next. A GSO frame keeps its partial checksum: each of
 * its segments will have one of its own.
 */
export function finishChecksum(pool: PacketPool, h: number): void {
  if ((pool.vnetFlags[h] & VNET_NEEDS_CSUM) === 0 || pool.gsoType[h] !== GSO_NONE) return
  const o = pool.off[h]
  const len = pool.len[h]
  finishChecksumAt(pool.u8, o, len, findTransport(pool.u8, o, len), pool.csumStart[h], pool.csumOffset[h])
  pool.vnetFlags[h] = VNET_DATA_VALID
}

/**
 * The same for bytes: `o` index of the frame, `t` what `findTransport` says of it, `start` and `offset` as in a
 * virtio-net header and within the frame.
 * @returns false when the checksum cannot be put where it is asked for
 */
export function finishChecksumAt(
  b: Uint8Array,
  o: number,
  len: number,
  t: number,
  start: number,
  offset: number,
): boolean {
  const outermost = t !== NO_TRANSPORT && transportOffset(t) === start
  const end = outermost ? datagramEnd(b, o, len, t) : len
  if (outermost && transportProtocol(t) === SCTP && offset === SCTP_CHECKSUM) {
    if (start + 12 > end) return false
    putCrc32c(b, o + start, end - start, SCTP_CHECKSUM)
    return true
  }
  if (start + offset + 2 > end) return false
  // The field holds the sum of the pseudo-header and so adds it.
  const c = ~sum(b, o + start, end - start) & 0xffff
  // RFC 768: a computed zero is sent as all ones, for zero says that there is no checksum.
  put16(b, o + start + offset, c === 0 && offset === UDP_CHECKSUM ? 0xffff : c)
  return true
}

const crcTable = new Uint32Array(256)
for (let i = 0; i < 256; i++) {
  let c = i
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
  crcTable[i] = c
}

/** Of `len` bytes, of which the four at `at` count as zero. */
export function crc32c(b: Uint8Array, o: number, len: number, at: number): number {
  let c = 0xffffffff
  for (let i = 0; i < len; i++) {
    const byte = i >= at && i < at + 4 ? 0 : b[o + i]
    c = (c >>> 8) ^ crcTable[(c ^ byte) & 0xff]
  }
  return ~c
}

/** Puts the CRC-32c of `len` bytes into the four at `at`, which count as zero. */
function putCrc32c(b: Uint8Array, o: number, len: number, at: number): void {
  const c = crc32c(b, o, len, at)
  // The CRC's least significant byte goes first, unlike every other field.
  for (let i = 0; i < 4; i++) b[o + at + i] = c >>> (8 * i)
}
