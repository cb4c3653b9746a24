/** MPLS label stack entries, behind the VLAN tags (RFC 3032 §2.1); NSH headers. */
import type { PacketPool } from '../memory/packet-pool.ts'

const TPID_Q = 0x8100
const TPID_AD = 0x88a8

/** Index of the type that tells what stands behind Ethernet and its tags. */
function typeIndex(pool: PacketPool, h: number): number {
  const { dv } = pool
  const end = pool.off[h] + pool.len[h]
  let at = pool.off[h] + 12
  for (let type = dv.getUint16(at); (type === TPID_Q || type === TPID_AD) && at + 6 <= end; ) {
    at += 4
    type = dv.getUint16(at)
  }
  return at
}

/** Moves all up to index `end` by some bytes to the front (or, negative, to the back) of the cell. */
function moveFront(pool: PacketPool, h: number, end: number, bytes: number): void {
  const off = pool.off[h]
  pool.u8.copyWithin(off - bytes, off, end)
  pool.off[h] = off - bytes
  pool.len[h] = pool.len[h] + bytes
}

/** The frame holds no partial checksum and is no GSO frame: nobody could finish it behind a label. */
export function pushMpls(pool: PacketPool, h: number, ethertype: number, entry: number): void {
  const type = typeIndex(pool, h)
  moveFront(pool, h, type + 2, 4)
  pool.dv.setUint16(type - 4, ethertype)
  pool.dv.setInt32(type - 2, entry)
}

export function popMpls(pool: PacketPool, h: number, ethertype: number): void {
  const type = typeIndex(pool, h)
  if (type + 6 > pool.off[h] + pool.len[h]) return
  pool.dv.setUint16(type, ethertype)
  moveFront(pool, h, type + 2, -4)
}

export function setMpls(pool: PacketPool, h: number, entry: number): void {
  const type = typeIndex(pool, h)
  if (type + 6 <= pool.off[h] + pool.len[h]) pool.dv.setInt32(type + 2, entry)
}

/** Where an NSH header is: behind Ethernet and its tags, or in front. */
function nshIndex(pool: PacketPool, h: number, ethernet: number): number {
  return ethernet === 1 ? typeIndex(pool, h) + 2 : pool.off[h]
}

/** Flags, TTL, service path and index of an NSH header (RFC 8300 §2.2, §2.3), as the key's words hold them. */
export function setNsh(pool: PacketPool, h: number, base: number, path: number, ethernet: number): void {
  const { dv } = pool
  const at = nshIndex(pool, h, ethernet)
  const flags = (base >>> 24) & 3
  const ttl = (base >>> 16) & 0x3f
  dv.setUint16(at, (dv.getUint16(at) & 0xc03f) | (flags << 12) | (ttl << 6))
  dv.setInt32(at + 4, path)
}

/** The four context words of MD type 1 (RFC 8300 §2.4). */
export function setNshContext(pool: PacketPool, h: number, code: Int32Array, pc: number): void {
  const at = nshIndex(pool, h, code[pc + 4])
  for (let i = 0; i < 4; i++) pool.dv.setInt32(at + 8 + 4 * i, code[pc + i])
}
