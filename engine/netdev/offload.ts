/**
 * The one place where a frame is made fit for the device it leaves by. What the device can do itself stays
 * with it; the rest (checksums, segmentation) is done here in software.
 */
import { DROP_NO_CELLS, DROP_OUTPUT_TOO_BIG } from '../drops.ts'
import {
  GSO_ECN,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP_L4,
  type PacketPool,
  VNET_NEEDS_CSUM,
} from '../memory/packet-pool.ts'
import { finishChecksum } from './checksum-offload.ts'
import { linkHeaderLen } from './headers.ts'
import { type Netdev, OFFLOAD_CSUM, OFFLOAD_TSO4, OFFLOAD_TSO6, OFFLOAD_USO, TX_DROPPED } from './netdev.ts'
import { putSegment, segmentCount, segmentHeaderLen } from './segmentation.ts'

/** Sends a frame; one that needs nothing done is on its way at once. Otherwise as `sendFinished`. */
export function transmit(pool: PacketPool, dev: Netdev, h: number): number {
  if (
    pool.gsoType[h] === GSO_NONE &&
    (pool.vnetFlags[h] & VNET_NEEDS_CSUM) === 0 &&
    pool.len[h] - 14 <= dev.mtu
  ) {
    dev.tx(h)
    return 0
  }
  return sendFinished(pool, dev, h)
}

/**
 * Sends a frame of at least 14 bytes by `dev`, finished as far as the device needs it. The handle stays the
 * caller's, and the frame good for further outputs: at most its checksum is complete afterwards.
 * @returns 0, or the reason (DROP_*) why nothing was sent, counted in the device's tx_dropped
 */
export function sendFinished(pool: PacketPool, dev: Netdev, h: number): number {
  const type = pool.gsoType[h]
  if (type !== GSO_NONE) return sendLarge(pool, dev, h, type & ~GSO_ECN)
  const len = pool.len[h]
  if (len - 14 > dev.mtu && len - linkHeaderLen(pool.u8, pool.off[h], len) > dev.mtu) {
    dev.stats[TX_DROPPED]++
    return DROP_OUTPUT_TOO_BIG
  }
  if ((pool.vnetFlags[h] & VNET_NEEDS_CSUM) !== 0 && (dev.offloads & OFFLOAD_CSUM) === 0) {
    finishChecksum(pool, h)
  }
  dev.tx(h)
  return 0
}

function sendLarge(pool: PacketPool, dev: Netdev, h: number, kind: number): number {
  const o = pool.off[h]
  const unit = segmentHeaderLen(pool, h) + pool.gsoSize[h] - linkHeaderLen(pool.u8, o, pool.len[h])
  const count = segmentCount(pool, h)
  if (unit > dev.mtu || count === 0) {
    dev.stats[TX_DROPPED] += count
    return DROP_OUTPUT_TOO_BIG
  }
  const wanted = OFFLOAD_CSUM | offloadOf(kind)
  if ((dev.offloads & wanted) === wanted) {
    dev.tx(h)
    return 0
  }
  // The device takes the bytes before it returns, so one cell serves all segments and stays in the cache.
  const c = pool.alloc()
  if (c < 0) {
    dev.stats[TX_DROPPED] += count
    return DROP_NO_CELLS
  }
  for (let i = 0; i < count; i++) {
    putSegment(pool, h, i, c)
    dev.tx(c)
  }
  pool.free(c)
  return 0
}

function offloadOf(kind: number): number {
  if (kind === GSO_TCPV4) return OFFLOAD_TSO4
  if (kind === GSO_TCPV6) return OFFLOAD_TSO6
  return kind === GSO_UDP_L4 ? OFFLOAD_USO : 0
}
