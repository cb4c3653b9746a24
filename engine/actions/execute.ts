/**
 * Runs a megaflow's program on a packet: the last step of the hot path.
 */
import { DROP_METER, DROP_NO_CELLS, DROP_OUTPUT_TOO_BIG, DROP_ROUTER_BAD_CHECKSUM } from '../drops.ts'
import { GSO_NONE, type PacketPool } from '../memory/packet-pool.ts'
import { finishChecksum } from '../netdev/checksum-offload.ts'
import { putSegment, segmentCount, segmentHeaderLen } from '../netdev/segmentation.ts'
import {
  OP_ADD_MPLS,
  OP_CHECK_IP,
  OP_CHECK_LEN,
  OP_CHECK_MTU,
  OP_CHECK_TTL,
  OP_CLONE,
  OP_COLLECT,
  OP_CONTROLLER,
  OP_CT,
  OP_DEC_TTL,
  OP_DROP,
  OP_END,
  OP_ENQUEUE,
  OP_HELP,
  OP_METER,
  OP_OUTPUT,
  OP_POP_ETH,
  OP_POP_LABEL,
  OP_POP_NSH,
  OP_POP_VLAN,
  OP_PREPEND,
  OP_PUSH_ETH,
  OP_PUSH_MPLS,
  OP_PUSH_NSH,
  OP_PUSH_VLAN,
  OP_QUOTED,
  OP_RECIRC,
  OP_SAMPLE,
  OP_SET_ETH,
  OP_SET_ICMP_ID,
  OP_SET_NW_DST,
  OP_SET_NW_SRC,
  OP_SET_NW_TOS,
  OP_SET_TP_DST,
  OP_SET_TP_SRC,
  OP_SET_VLAN,
  OP_SLOW,
  OP_TRACK,
  OP_TRACK_ASIDE,
  OP_TRUNC,
  OPERANDS,
  SLOW_RETRANSLATE,
  SLOW_TOO_BIG,
  SLOW_TTL_EXPIRED,
} from './ops.ts'
import {
  decTtl,
  ipChecksumIsRight,
  popVlan,
  pushVlan,
  setEth,
  setIcmpId,
  setNwDst,
  setNwSrc,
  setNwTos,
  setTpDst,
  setTpSrc,
  setVlan,
} from './rewrite.ts'
import { changeType } from './rewrite-encap.ts'
import { rewriteHeader } from './rewrite-header.ts'
import { pushMpls } from './rewrite-mpls.ts'

/** What few packets need: those at odds with their connection, or with a helper, ICMP errors and fragments. */
export interface CtOperations {
  /** Goes on with the translation kept under a number, after `trackInZone` has said false. */
  retrack(id: number, h: number): void
  /** Shows the packet to the helper of its connection; false when it goes no further here. */
  help(connection: number, direction: number, id: number, h: number): boolean
  /** Translates what an ICMP error about a connection quotes. */
  quoted(connection: number, direction: number, h: number): void
  /** Keeps a copy of a fragment until all are there, and then goes on with each. */
  collect(zone: number, id: number, h: number): void
}

/** What programs act upon. */
export interface ExecutionHost {
  readonly pool: PacketPool
  /** Sends by a port; the packet stays the caller's. */
  output(portNo: number, h: number): void
  /** Sends by a queue of a port; the packet stays the caller's. */
  enqueue(portNo: number, queue: number, h: number): void
  /** Counts a drop; the packet stays the caller's. */
  drop(reason: number, h: number): void
  /** Lends the packet to the slow path. */
  slow(reason: number, arg: number, h: number): void
  /** Shows the packet to the connection tracker; false when the cached decision no longer holds. */
  track(connection: number, direction: number, h: number): boolean
  /** Whether a meter lets the packet pass. */
  meter(slot: number, h: number): boolean
  /** Sends the packet to controllers, with the facts kept under a number. */
  controller(id: number, h: number): void
  /** Takes the sample that the operation at `pc` describes, if chance will have it. */
  sample(code: Int32Array, pc: number, h: number): void
  /** Reads a packet's headers anew, by its type, and goes on with the translation kept under a number. */
  recirculate(id: number, packetType: number, h: number): void
  /** Shows the packet to the tracker on behalf of ct(); false when the cached decision does not hold for it. */
  trackInZone(connection: number, direction: number, h: number): boolean
  /** What ct() does to single packets beyond showing them to the tracker. */
  readonly ctOperations: CtOperations
}

/** Runs the program at `pc`. The packet is changed as the program says and stays the caller's. */
export function execute(host: ExecutionHost, code: Int32Array, pc: number, h: number): void {
  const pool = host.pool
  for (;;) {
    switch (code[pc]) {
      case OP_OUTPUT:
        host.output(code[pc + 1], h)
        pc += 2
        break
      case OP_CT:
        if (!host.track(code[pc + 1], code[pc + 2], h)) {
          host.slow(SLOW_RETRANSLATE, code[pc + 3], h)
          return
        }
        pc += 4
        break
      case OP_CHECK_IP:
        if (!ipChecksumIsRight(pool, h)) {
          host.drop(DROP_ROUTER_BAD_CHECKSUM, h)
          return
        }
        pc += 2
        break
      case OP_CHECK_TTL:
        if (pool.u8[pool.l3[h] + 8] <= 1) {
          host.slow(SLOW_TTL_EXPIRED, code[pc + 1], h)
          return
        }
        pc += 2
        break
      case OP_CHECK_MTU:
        if (exceeds(pool, h, code[pc + 1])) {
          host.slow(SLOW_TOO_BIG, code[pc + 2], h)
          return
        }
        pc += 3
        break
      case OP_DEC_TTL:
        decTtl(pool, h)
        pc += 1
        break
      case OP_SET_ETH:
        setEth(pool, h, code[pc + 1], code[pc + 2], code[pc + 3])
        pc += 4
        break
      case OP_SET_NW_SRC:
        setNwSrc(pool, h, code[pc + 1])
        pc += 2
        break
      case OP_SET_NW_DST:
        setNwDst(pool, h, code[pc + 1])
        pc += 2
        break
      case OP_SET_TP_SRC:
        setTpSrc(pool, h, code[pc + 1])
        pc += 2
        break
      case OP_SET_TP_DST:
        setTpDst(pool, h, code[pc + 1])
        pc += 2
        break
      case OP_SET_ICMP_ID:
        setIcmpId(pool, h, code[pc + 1])
        pc += 2
        break
      case OP_SET_NW_TOS:
        setNwTos(pool, h, code[pc + 1])
        pc += 2
        break
      case OP_PUSH_VLAN:
        pushVlan(pool, h, code[pc + 1], code[pc + 2])
        pc += 3
        break
      case OP_POP_VLAN:
        popVlan(pool, h)
        pc += 1
        break
      case OP_SET_VLAN:
        setVlan(pool, h, code[pc + 1])
        pc += 2
        break
      case OP_SLOW:
        host.slow(code[pc + 1], code[pc + 2], h)
        pc += 3
        break
      case OP_CLONE: {
        const words = code[pc + 1]
        const copy = pool.clone(h)
        if (copy < 0) host.drop(DROP_NO_CELLS, h)
        else {
          execute(host, code, pc + 2, copy)
          pool.free(copy)
        }
        pc += 2 + words
        break
      }
      case OP_DROP:
        host.drop(code[pc + 1], h)
        pc += 2
        break
      case OP_TRACK:
        if (!host.trackInZone(code[pc + 1], code[pc + 2], h)) {
          host.ctOperations.retrack(code[pc + 3], h)
          return
        }
        pc += 4
        break
      case OP_TRACK_ASIDE:
        if (!host.trackInZone(code[pc + 1], code[pc + 2], h)) retrackAside(host, code[pc + 3], h)
        pc += 4
        break
      case OP_HELP:
        if (!host.ctOperations.help(code[pc + 1], code[pc + 2], code[pc + 3], h)) return
        pc += 4
        break
      case OP_QUOTED:
        host.ctOperations.quoted(code[pc + 1], code[pc + 2], h)
        pc += 3
        break
      case OP_COLLECT:
        host.ctOperations.collect(code[pc + 1], code[pc + 2], h)
        return
      case OP_METER:
        if (!host.meter(code[pc + 1], h)) {
          host.drop(DROP_METER, h)
          return
        }
        pc += 2
        break
      case OP_CONTROLLER:
        host.controller(code[pc + 1], h)
        pc += 2
        break
      case OP_ENQUEUE:
        host.enqueue(code[pc + 1], code[pc + 2], h)
        pc += 3
        break
      case OP_SAMPLE:
        host.sample(code, pc, h)
        pc += 8
        break
      case OP_RECIRC:
        host.recirculate(code[pc + 1], code[pc + 2], h)
        return
      case OP_TRUNC:
        if (pool.gsoType[h] !== GSO_NONE) {
          forEachSegment(host, code, pc, h)
          return
        }
        truncate(pool, h, code[pc + 1])
        pc += 2
        break
      case OP_PUSH_MPLS:
        if (pool.gsoType[h] !== GSO_NONE) {
          forEachSegment(host, code, pc, h)
          return
        }
        finishChecksum(pool, h)
        pushMpls(pool, h, code[pc + 1], code[pc + 2])
        pc += 3
        break
      case OP_PUSH_ETH:
      case OP_POP_ETH:
      case OP_PREPEND:
      case OP_PUSH_NSH:
      case OP_POP_NSH:
      case OP_ADD_MPLS:
      case OP_POP_LABEL:
        if (pool.gsoType[h] !== GSO_NONE) {
          forEachSegment(host, code, pc, h)
          return
        }
        finishChecksum(pool, h)
        if (!changeType(pool, code, pc, h)) {
          host.drop(DROP_OUTPUT_TOO_BIG, h)
          return
        }
        pc += 1 + OPERANDS[code[pc]]
        break
      case OP_CHECK_LEN: {
        const larger = code[pc + 2]
        const end = pc + 4 + larger + code[pc + 3]
        runBranch(host, code, frameLength(pool, h) > code[pc + 1] ? pc + 4 : pc + 4 + larger, end, h)
        pc = end
        break
      }
      case OP_END:
        return
      default:
        rewriteHeader(pool, code, pc, h)
        pc += 1 + OPERANDS[code[pc]]
    }
  }
}

/** Runs one branch: on the packet itself if nothing comes after, else on a copy. */
function runBranch(host: ExecutionHost, code: Int32Array, pc: number, end: number, h: number): void {
  if (code[end] === OP_END) {
    execute(host, code, pc, h)
    return
  }
  const copy = host.pool.clone(h)
  if (copy < 0) {
    host.drop(DROP_NO_CELLS, h)
    return
  }
  execute(host, code, pc, copy)
  host.pool.free(copy)
}

function retrackAside(host: ExecutionHost, id: number, h: number): void {
  const copy = host.pool.clone(h)
  if (copy < 0) {
    host.drop(DROP_NO_CELLS, h)
    return
  }
  host.ctOperations.retrack(id, copy)
  host.pool.free(copy)
}

/** Length of a frame, or of the longest segment that a GSO frame stands for. */
function frameLength(pool: PacketPool, h: number): number {
  if (pool.gsoType[h] === GSO_NONE) return pool.len[h]
  return Math.min(pool.len[h], segmentHeaderLen(pool, h) + pool.gsoSize[h])
}

/** What cannot be done to a GSO frame is done to its segments, one by one, and with it the rest. */
function forEachSegment(host: ExecutionHost, code: Int32Array, pc: number, h: number): void {
  const { pool } = host
  const count = segmentCount(pool, h)
  for (let i = 0; i < count; i++) {
    const c = pool.alloc()
    if (c < 0) {
      host.drop(DROP_NO_CELLS, h)
      return
    }
    putSegment(pool, h, i, c)
    pool.inPort[c] = pool.inPort[h]
    pool.l3[c] = pool.l3[h] === 0 ? 0 : pool.l3[h] - pool.off[h] + pool.off[c]
    pool.l4[c] = pool.l4[h] === 0 ? 0 : pool.l4[h] - pool.off[h] + pool.off[c]
    execute(host, code, pc, c)
    pool.free(c)
  }
}

/** Cuts a packet to a length; what is left of it needs a checksum before that. */
function truncate(pool: PacketPool, h: number, length: number): void {
  finishChecksum(pool, h)
  if (pool.len[h] > length) pool.len[h] = length
}

/** Whether a datagram, or the segments a GSO frame stands for, are longer than an MTU. */
function exceeds(pool: PacketPool, h: number, mtu: number): boolean {
  const l3 = pool.l3[h]
  if (pool.dv.getUint16(l3 + 2) <= mtu) return false
  if (pool.gsoType[h] === GSO_NONE) return true
  const l4 = pool.l4[h]
  if (l4 === 0) return true
  const header = pool.u8[l3 + 9] === 6 ? (pool.u8[l4 + 12] >>> 4) << 2 : 8
  return l4 - l3 + header + pool.gsoSize[h] > mtu
}
