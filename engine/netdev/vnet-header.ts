/**
 * The virtio-net header that TAPs and packet sockets put in front of a frame, VIRTIO 1.2 §5.1.6, struct
 * virtio_net_hdr; multi-byte fields are little-endian.
 *
 * What a device says about a frame is checked once, on its way in. The rest of the engine may then rely on:
 *  - VNET_NEEDS_CSUM: `csumStart` is the transport header of the outermost IP header, which is TCP or UDP,
 *    `csumOffset` its checksum field, and the field holds the sum of the pseudo-header, not complemented;
 *  - a GSO type: VNET_NEEDS_CSUM as well, `gsoSize` > 0, the type fits the headers, the IP length is that of
 *    the frame, and there is more payload than fits one segment.
 * What the kernel may hand over beyond that (an inner checksum of a tunnel, the CRC of SCTP, a GSO frame whose
 * checksum is complete) is brought into that form here.
 */
import { put16, u16, u32 } from '../../protocols/wire/big-endian.ts'
import { pseudoHeader4, pseudoHeader6 } from '../../protocols/wire/checksum.ts'
import {
  GSO_ECN,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP_L4,
  type PacketPool,
  VNET_DATA_VALID,
  VNET_NEEDS_CSUM,
} from '../memory/packet-pool.ts'
import { finishChecksumAt } from './checksum-offload.ts'
import {
  findTransport,
  isVersion6,
  linkHeaderLen,
  NO_TRANSPORT,
  transportOffset,
  transportProtocol,
} from './headers.ts'

const FLAGS = 0
const GSO_TYPE = 1
const HDR_LEN = 2
const GSO_SIZE = 4
const CSUM_START = 6
const CSUM_OFFSET = 8
/** struct virtio_net_hdr, as packet sockets have it. */
export const VNET_LEN = 10
/** struct virtio_net_hdr_v1: num_buffers, unused here, follows. */
export const VNET_V1_LEN = 12

const TCP = 6
const UDP = 17

/**
 * Takes the header at index `at` of the slab over into the packet's metadata. `off` and `len` of the packet
 * are set and it is at least 14 bytes long.
 * @param shift bytes that were put into the frame in front of where checksumming starts (a VLAN tag the kernel
 *   had stripped)
 * @returns false when the header contradicts the frame, which is then to be dropped
 */
export function takeVnetHeader(pool: PacketPool, h: number, at: number, shift: number): boolean {
  const b = pool.u8
  const flags = b[at + FLAGS]
  const type = b[at + GSO_TYPE]
  if ((flags & VNET_NEEDS_CSUM) === 0 && type === GSO_NONE) {
    pool.vnetFlags[h] = flags & VNET_DATA_VALID
    pool.gsoType[h] = GSO_NONE
    return true
  }
  return takeOffload(
    pool,
    h,
    flags,
    type,
    b[at + GSO_SIZE] | (b[at + GSO_SIZE + 1] << 8),
    (b[at + CSUM_START] | (b[at + CSUM_START + 1] << 8)) + shift,
    b[at + CSUM_OFFSET] | (b[at + CSUM_OFFSET + 1] << 8),
  )
}

/** The same with the header's fields as numbers; also for devices that have no such header. */
export function takeOffload(
  pool: PacketPool,
  h: number,
  flags: number,
  type: number,
  gsoSize: number,
  csumStart: number,
  csumOffset: number,
): boolean {
  const b = pool.u8
  const o = pool.off[h]
  const len = pool.len[h]
  const t = findTransport(b, o, len)
  const l4 = transportOffset(t)
  const protocol = transportProtocol(t)
  pool.vnetFlags[h] = flags & VNET_DATA_VALID
  pool.gsoType[h] = GSO_NONE

  if ((flags & VNET_NEEDS_CSUM) !== 0) {
    if (csumStart < 14 || csumStart + csumOffset + 2 > len) return false
    const usual =
      t !== NO_TRANSPORT &&
      csumStart === l4 &&
      ((protocol === TCP && csumOffset === 16) || (protocol === UDP && csumOffset === 6))
    if (!usual) {
      // Only segments of plain TCP and UDP can be cut later.
      if (type !== GSO_NONE || !finishChecksumAt(b, o, len, t, csumStart, csumOffset)) return false
      pool.vnetFlags[h] = VNET_DATA_VALID
      return true
    }
    pool.vnetFlags[h] = VNET_NEEDS_CSUM
    pool.csumStart[h] = csumStart
    pool.csumOffset[h] = csumOffset
    if (type === GSO_NONE) return true
  }

  if (t === NO_TRANSPORT || gsoSize === 0) return false
  const v6 = isVersion6(t)
  const kind = type & ~GSO_ECN
  if (kind === GSO_TCPV4 ? v6 || protocol !== TCP : kind === GSO_TCPV6 ? !v6 || protocol !== TCP : false) {
    return false
  }
  if (kind === GSO_UDP_L4 ? protocol !== UDP : kind !== GSO_TCPV4 && kind !== GSO_TCPV6) return false
  const l3 = linkHeaderLen(b, o, len)
  if ((v6 ? l3 + 40 + u16(b, o + l3 + 4) : l3 + u16(b, o + l3 + 2)) !== len) return false
  const header = protocol === TCP ? tcpHeaderEnd(b, o, len, l4) : l4 + 8
  if (header < 0 || header >= len) return false

  if ((flags & VNET_NEEDS_CSUM) === 0) {
    const field = protocol === TCP ? 16 : 6
    const total = len - l4
    const pseudo = v6
      ? pseudoHeader6(b, o + l3 + 8, protocol, total)
      : pseudoHeader4(u32(b, o + l3 + 12), u32(b, o + l3 + 16), protocol, total)
    put16(b, o + l4 + field, pseudo)
    pool.vnetFlags[h] = VNET_NEEDS_CSUM
    pool.csumStart[h] = l4
    pool.csumOffset[h] = field
  }
  if (len - header <= gsoSize) return true
  pool.gsoType[h] = type
  pool.gsoSize[h] = gsoSize
  return true
}

/**
 * Where there is no virtio-net header all that is known of a missing checksum is that it is missing, and of a segment
 * too large for the device that it stands for several; they are taken to be as large as the device allows.
 * @param mtu of the device
 * @returns false when the frame has no checksum that could be missing
 */
export function takeMissingChecksum(pool: PacketPool, h: number, mtu: number): boolean {
  const o = pool.off[h]
  const len = pool.len[h]
  const t = findTransport(pool.u8, o, len)
  if (t === NO_TRANSPORT) return false
  const l4 = transportOffset(t)
  const protocol = transportProtocol(t)
  const field = protocol === TCP ? 16 : protocol === UDP ? 6 : 8
  const room = mtu + linkHeaderLen(pool.u8, o, len)
  if (len <= room || protocol !== TCP || l4 + 20 > len) {
    return takeOffload(pool, h, VNET_NEEDS_CSUM, GSO_NONE, 0, l4, field)
  }
  const type = isVersion6(t) ? GSO_TCPV6 : GSO_TCPV4
  const size = room - l4 - (pool.u8[o + l4 + 12] >>> 4) * 4
  return size > 0 && takeOffload(pool, h, VNET_NEEDS_CSUM, type, size, l4, field)
}

/** Offset of the end of the TCP header, or -1 when it contradicts itself or the frame. */
function tcpHeaderEnd(b: Uint8Array, o: number, len: number, l4: number): number {
  if (l4 + 20 > len) return -1
  const end = l4 + (b[o + l4 + 12] >>> 4) * 4
  return end < l4 + 20 || end > len ? -1 : end
}

/**
 * Writes the header at index `at`, without num_buffers.
 * @param linear how much of the frame the kernel shall keep in one piece: for frames that are to be copied
 *   whole, their length; 0 lets the headers decide
 */
export function putVnetHeader(pool: PacketPool, h: number, at: number, linear: number): void {
  const b = pool.u8
  const flags = pool.vnetFlags[h] & VNET_NEEDS_CSUM
  const type = pool.gsoType[h]
  b[at + FLAGS] = flags
  b[at + GSO_TYPE] = type
  if (flags === 0) {
    b[at + HDR_LEN] = linear
    b[at + HDR_LEN + 1] = linear >>> 8
    b[at + GSO_SIZE] = 0
    b[at + GSO_SIZE + 1] = 0
    b[at + CSUM_START] = 0
    b[at + CSUM_START + 1] = 0
    b[at + CSUM_OFFSET] = 0
    b[at + CSUM_OFFSET + 1] = 0
    return
  }
  const start = pool.csumStart[h]
  const offset = pool.csumOffset[h]
  const size = type === GSO_NONE ? 0 : pool.gsoSize[h]
  if (linear === 0) linear = offset === 16 ? start + (b[pool.off[h] + start + 12] >>> 4) * 4 : start + 8
  b[at + HDR_LEN] = linear
  b[at + HDR_LEN + 1] = linear >>> 8
  b[at + GSO_SIZE] = size
  b[at + GSO_SIZE + 1] = size >>> 8
  b[at + CSUM_START] = start
  b[at + CSUM_START + 1] = start >>> 8
  b[at + CSUM_OFFSET] = offset
  b[at + CSUM_OFFSET + 1] = offset >>> 8
}
