import { GSO_NONE, type PacketPool } from '../memory/packet-pool.ts'
import { segmentCount, segmentHeaderLen } from '../netdev/segmentation.ts'

/** Bytes of a frame on the wire, without FCS: of a GSO frame, those of all the segments it stands for. */
export function wireLength(pool: PacketPool, h: number): number {
  if (pool.gsoType[h] === GSO_NONE) return pool.len[h]
  const segments = segmentCount(pool, h)
  return segments === 0 ? pool.len[h] : pool.len[h] + (segments - 1) * segmentHeaderLen(pool, h)
}
