/**
 * Headers put in front of a whole packet, or taken off it: Ethernet, NSH and labels of generic encapsulation. What
 * is behind them stays where it is, and so do `l3` and `l4`.
 */
import { put32 } from '../../protocols/wire/big-endian.ts'
import * as nsh from '../../protocols/wire/nsh.ts'
import { CELL_STRIDE, HEADROOM, type PacketPool } from '../memory/packet-pool.ts'
import {
  OP_ADD_MPLS,
  OP_POP_ETH,
  OP_POP_LABEL,
  OP_POP_NSH,
  OP_PREPEND,
  OP_PUSH_ETH,
  OP_PUSH_NSH,
} from './ops.ts'

const ETHERNET_LEN = 14
const LABEL_LEN = 4
/** Left free in front for what devices put there: tags and the virtio-net header. */
const RESERVE = 64

/**
 * Carries out the operation at `pc`. The packet is no GSO frame and its checksum is whole.
 * @returns false when the header finds no room in the cell; then nothing has been done
 */
export function changeType(pool: PacketPool, code: Int32Array, pc: number, h: number): boolean {
  switch (code[pc]) {
    case OP_PREPEND:
      return prependWord(pool, h, code[pc + 1])
    case OP_ADD_MPLS:
      return prependWord(pool, h, code[pc + 2])
    case OP_PUSH_ETH:
      return pushEth(pool, h, code, pc + 1)
    case OP_PUSH_NSH:
      return pushNsh(pool, h, code, pc + 1)
    case OP_POP_ETH:
      strip(pool, h, ETHERNET_LEN)
      return true
    case OP_POP_LABEL:
      strip(pool, h, LABEL_LEN)
      return true
    case OP_POP_NSH:
      strip(pool, h, nsh.length(pool.u8, pool.off[h]))
      return true
    default:
      throw new Error(`no such operation: ${code[pc]} at ${pc}`)
  }
}

function strip(pool: PacketPool, h: number, bytes: number): void {
  const n = Math.min(bytes, pool.len[h])
  pool.off[h] = pool.off[h] + n
  pool.len[h] = pool.len[h] - n
}

/** Moves the front of the packet by some bytes; the packet as a whole moves back when it stands too far in front. */
function extend(pool: PacketPool, h: number, bytes: number): boolean {
  const cell = h * CELL_STRIDE
  if (pool.off[h] - bytes < cell + RESERVE) {
    const to = cell + HEADROOM + bytes
    if (to + pool.len[h] > cell + CELL_STRIDE) return false
    const by = to - pool.off[h]
    pool.u8.copyWithin(to, pool.off[h], pool.off[h] + pool.len[h])
    pool.off[h] = to
    if (pool.l3[h] !== 0) pool.l3[h] = pool.l3[h] + by
    if (pool.l4[h] !== 0) pool.l4[h] = pool.l4[h] + by
  }
  pool.off[h] = pool.off[h] - bytes
  pool.len[h] = pool.len[h] + bytes
  return true
}

function prependWord(pool: PacketPool, h: number, word: number): boolean {
  if (!extend(pool, h, 4)) return false
  put32(pool.u8, pool.off[h], word)
  return true
}

/** Operands: the words of both addresses as the key holds them, and the type. */
function pushEth(pool: PacketPool, h: number, code: Int32Array, at: number): boolean {
  if (!extend(pool, h, ETHERNET_LEN)) return false
  const { dv } = pool
  const off = pool.off[h]
  for (let i = 0; i < 3; i++) dv.setInt32(off + 4 * i, code[at + i])
  dv.setUint16(off + 12, code[at + 3])
  return true
}

/** Operands: base header, path and context as the key holds them, and bytes of TLVs that stand in front already. */
function pushNsh(pool: PacketPool, h: number, code: Int32Array, at: number): boolean {
  const { dv } = pool
  const base = code[at]
  const mdType = (base >>> 8) & 0xff
  const bytes = mdType === 1 ? nsh.MD1_LEN : nsh.BASE_LEN
  if (!extend(pool, h, bytes)) return false
  const off = pool.off[h]
  const words = (bytes + code[at + 6]) >>> 2
  dv.setUint16(off + nsh.FIRST, (((base >>> 24) & 3) << 12) | (((base >>> 16) & 0x3f) << 6) | words)
  dv.setUint8(off + nsh.MD_TYPE, mdType)
  dv.setUint8(off + nsh.NEXT_PROTOCOL, base & 0xff)
  dv.setInt32(off + nsh.SERVICE_PATH, code[at + 1])
  if (mdType === 1) for (let i = 0; i < 4; i++) dv.setInt32(off + nsh.CONTEXT + 4 * i, code[at + 2 + i])
  return true
}
