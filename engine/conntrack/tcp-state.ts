/**
 * TCP as somebody in the middle sees it.
 *
 * Problem: the tracker must know when a connection is established (its mapping then lives for hours) and when
 * it has ended (minutes), from segments that anyone can forge, and without ever standing in the way of a
 * connection that the two ends consider fine.
 *
 * What is remembered are facts that only accumulate: who has sent a SYN, who has acknowledged the other's,
 * who has sent a FIN, whose FIN has been acknowledged, whether there was a valid RST. The state is a function
 * of these facts (`stateOf`), so every legal order of segments leads to the right one: three-way handshake,
 * simultaneous open (RFC 9293 §3.5), half-close, simultaneous close, retransmissions of any of them.
 *
 * A fact is believed only if the segment fits the sequence numbers seen so far: an acknowledgment must
 * acknowledge something the peer has sent, a RST must lie in the window the peer offered (RFC 5961 §3,
 * RFC 7857 §2.2). A segment that does not fit is passed on all the same; it just proves nothing.
 */
import {
  F_ACKED,
  F_ASSURED,
  F_FIN,
  F_FIN_ACKED,
  F_PICKED_UP,
  F_REPLIED,
  F_RESET,
  F_SYN,
  R_ACK,
  R_EDGE,
  R_END,
  R_FLAGS,
  R_SCALE,
  R_STATE,
  SCALE_NONE,
} from './connection-record.ts'

export const TCP_NONE = 0
export const TCP_SYN_SENT = 1
export const TCP_SYN_RECV = 2
export const TCP_ESTABLISHED = 3
export const TCP_FIN_WAIT = 4
export const TCP_CLOSE_WAIT = 5
export const TCP_LAST_ACK = 6
export const TCP_TIME_WAIT = 7
export const TCP_CLOSE = 8
/** Both ends have sent a SYN and neither has acknowledged the other's. */
export const TCP_SYN_SENT2 = 9

export const TCP_STATE_NAMES = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
] as const

/** Whether no more than stragglers are to come. */
export function isOver(state: number): boolean {
  return state === TCP_TIME_WAIT || state === TCP_CLOSE
}

/** Verdicts of `trackTcp`. */
/** The segment belongs to the connection and prolongs its life. */
export const TRACK_OK = 0
/** It says nothing about the connection and does not prolong its life. */
export const TRACK_IGNORE = 1
/** A new connection between the same endpoints; the old one is over. */
export const TRACK_REOPEN = 2

const FIN = 0x01
const SYN = 0x02
const RST = 0x04
const ACK = 0x10

/** Window scale assumed of a connection whose SYNs were not seen: the largest there is (RFC 7323 §2.3). */
const SCALE_MAX = 14

/** The state that the accumulated facts amount to. */
export function stateOf(flags: number): number {
  if ((flags & F_RESET) !== 0) return TCP_CLOSE
  if ((flags & F_PICKED_UP) === 0) {
    const acked = flags & (F_ACKED | (F_ACKED << 1))
    if (acked === 0) {
      const syn = flags & (F_SYN | (F_SYN << 1))
      return syn === 0 ? TCP_NONE : syn === (F_SYN | (F_SYN << 1)) ? TCP_SYN_SENT2 : TCP_SYN_SENT
    }
    if (acked !== (F_ACKED | (F_ACKED << 1))) return TCP_SYN_RECV
  }
  const fin0 = (flags & F_FIN) !== 0
  const fin1 = (flags & (F_FIN << 1)) !== 0
  if (!fin0 && !fin1) return TCP_ESTABLISHED
  const acked0 = (flags & F_FIN_ACKED) !== 0
  const acked1 = (flags & (F_FIN_ACKED << 1)) !== 0
  if (fin0 && fin1) return acked0 && acked1 ? TCP_TIME_WAIT : TCP_LAST_ACK
  return acked0 || acked1 ? TCP_CLOSE_WAIT : TCP_FIN_WAIT
}

/**
 * Shows a segment to the connection whose record begins at `r[at]`.
 * @param dir which way it goes: 0 as the first packet went
 * @param l3 offset in `dv` of a whole IPv4 header, `l4` of a whole TCP header
 */
export function trackTcp(
  r: Int32Array,
  at: number,
  dir: number,
  dv: DataView,
  l3: number,
  l4: number,
): number {
  const control = dv.getUint16(l4 + 12)
  const state = r[at + R_STATE]
  if ((control & (SYN | FIN | RST | ACK)) === ACK && state === TCP_ESTABLISHED) {
    if ((r[at + R_FLAGS] & F_ASSURED) !== 0) {
      trackData(r, at, dir, dv, l3, l4)
      return TRACK_OK
    }
  }
  if ((control & RST) !== 0) return trackReset(r, at, dir, dv, l4, control)
  if ((control & (SYN | ACK)) === 0) return TRACK_IGNORE
  if ((control & (SYN | ACK)) === SYN && (state === TCP_TIME_WAIT || state === TCP_CLOSE)) return TRACK_REOPEN

  const before = r[at + R_FLAGS]
  let flags = before | (dir !== 0 ? F_REPLIED : 0)
  const peer = dir ^ 1
  const seq = dv.getInt32(l4 + 4)
  const payload = dv.getUint16(l3 + 2) - ((dv.getUint8(l3) & 15) << 2) - ((control >>> 12) << 2)
  const end = (seq + payload + ((control & SYN) !== 0 ? 1 : 0) + ((control & FIN) !== 0 ? 1 : 0)) | 0

  if ((control & SYN) !== 0) flags = noteSyn(r, at, dir, dv, l4, control, flags, seq, end)
  else if (state === TCP_NONE) flags = pickUp(r, at, dir, flags, end, dv.getInt32(l4 + 8))

  // Beyond what the peer has offered to take, nothing is believed.
  const fits = (flags & (F_ACKED << peer)) === 0 || ((r[at + R_EDGE + peer] - end) | 0) >= 0
  if (fits && (flags & (F_SYN << dir)) !== 0) {
    if (((end - r[at + R_END + dir]) | 0) > 0) r[at + R_END + dir] = end
    if ((control & FIN) !== 0 && r[at + R_END + dir] === end) flags |= F_FIN << dir
  }
  if ((control & ACK) !== 0) flags = noteAck(r, at, dir, dv, l4, control, flags)

  if (flags !== before) {
    const both = F_ACKED | (F_ACKED << 1)
    if ((flags & both) === both) flags |= F_ASSURED
    r[at + R_FLAGS] = flags
    r[at + R_STATE] = stateOf(flags)
  }
  return TRACK_OK
}

/** What nearly every segment is: data or an acknowledgment of an established connection. No fact is added. */
function trackData(r: Int32Array, at: number, dir: number, dv: DataView, l3: number, l4: number): void {
  const peer = dir ^ 1
  const ip = dv.getInt32(l3)
  const tcp = dv.getInt32(l4 + 12)
  const end = (dv.getInt32(l4 + 4) + (ip & 0xffff) - ((ip >>> 22) & 60) - ((tcp >>> 26) & 60)) | 0
  if (((end - r[at + R_END + dir]) | 0) > 0 && ((r[at + R_EDGE + peer] - end) | 0) >= 0)
    r[at + R_END + dir] = end
  const ack = dv.getInt32(l4 + 8)
  if (((r[at + R_END + peer] - ack) | 0) < 0) return
  const edge = (ack + ((tcp & 0xffff) << scaleOf(r[at + R_SCALE], dir))) | 0
  if (((ack - r[at + R_ACK + dir]) | 0) > 0) r[at + R_ACK + dir] = ack
  if (((edge - r[at + R_EDGE + dir]) | 0) > 0) r[at + R_EDGE + dir] = edge
}

/** The shift of a direction's window: none unless both ends offered to scale (RFC 7323 §2.2). */
function scaleOf(scales: number, dir: number): number {
  return (scales & (SCALE_NONE | (SCALE_NONE << 8))) !== 0 ? 0 : (scales >>> (dir << 3)) & 15
}

/** A SYN counts while the connection is opening; later it is a stray, answered by the ends (RFC 5961 §4). */
function noteSyn(
  r: Int32Array,
  at: number,
  dir: number,
  dv: DataView,
  l4: number,
  control: number,
  flags: number,
  seq: number,
  end: number,
): number {
  if ((flags & (F_ACKED << (dir ^ 1))) !== 0 || (flags & F_PICKED_UP) !== 0) return flags
  // An answer must acknowledge the SYN it answers, or it is nobody's.
  if ((control & ACK) !== 0 && !acknowledges(r, at, dir, flags, dv.getInt32(l4 + 8))) return flags
  r[at + R_END + dir] = end
  // What the peer must at least acknowledge.
  r[at + R_ACK + (dir ^ 1)] = (seq + 1) | 0
  const shift = dir << 3
  r[at + R_SCALE] = (r[at + R_SCALE] & ~(0xff << shift)) | (windowScale(dv, l4, control) << shift)
  return flags | (F_SYN << dir)
}

/** A segment of a connection older than the tracker's memory of it. */
function pickUp(r: Int32Array, at: number, dir: number, flags: number, end: number, ack: number): number {
  r[at + R_END + dir] = end
  r[at + R_END + (dir ^ 1)] = ack
  r[at + R_ACK + dir] = ack
  r[at + R_ACK + (dir ^ 1)] = end
  r[at + R_SCALE] = SCALE_MAX | (SCALE_MAX << 8)
  return flags | F_PICKED_UP | F_SYN | (F_SYN << 1)
}

/** Whether an acknowledgment acknowledges what the peer has sent, and at least its SYN. */
function acknowledges(r: Int32Array, at: number, dir: number, flags: number, ack: number): boolean {
  if ((flags & (F_SYN << (dir ^ 1))) === 0) return false
  if (((r[at + R_END + (dir ^ 1)] - ack) | 0) < 0) return false
  return (flags & ((F_ACKED << dir) | F_PICKED_UP)) !== 0 || ((ack - r[at + R_ACK + dir]) | 0) >= 0
}

function noteAck(
  r: Int32Array,
  at: number,
  dir: number,
  dv: DataView,
  l4: number,
  control: number,
  flags: number,
): number {
  const ack = dv.getInt32(l4 + 8)
  if (!acknowledges(r, at, dir, flags, ack)) return flags
  const scale = (control & SYN) !== 0 ? 0 : scaleOf(r[at + R_SCALE], dir)
  const edge = (ack + (dv.getUint16(l4 + 14) << scale)) | 0
  const first = (flags & (F_ACKED << dir)) === 0
  if (first || ((ack - r[at + R_ACK + dir]) | 0) > 0) r[at + R_ACK + dir] = ack
  if (first || ((edge - r[at + R_EDGE + dir]) | 0) > 0) r[at + R_EDGE + dir] = edge
  flags |= F_ACKED << dir
  const peer = dir ^ 1
  if ((flags & (F_FIN << peer)) !== 0 && ack === r[at + R_END + peer]) flags |= F_FIN_ACKED << peer
  return flags
}

/**
 * A RST is believed if the receiver would take it: inside the window it last offered, or, before it offered
 * one, if it acknowledges the SYN (RFC 9293 §3.10.7.3) or follows on it.
 */
function trackReset(
  r: Int32Array,
  at: number,
  dir: number,
  dv: DataView,
  l4: number,
  control: number,
): number {
  const flags = r[at + R_FLAGS]
  if ((flags & F_RESET) !== 0) return TRACK_IGNORE
  const peer = dir ^ 1
  const seq = dv.getInt32(l4 + 4)
  let valid: boolean
  if ((flags & (F_ACKED << peer)) !== 0) {
    valid = ((seq - r[at + R_ACK + peer]) | 0) >= 0 && ((r[at + R_EDGE + peer] - seq) | 0) >= 0
  } else if ((control & ACK) !== 0 && (flags & (F_SYN << dir)) === 0) {
    valid = acknowledges(r, at, dir, flags, dv.getInt32(l4 + 8))
  } else {
    valid = (flags & (F_SYN << dir)) !== 0 && seq === r[at + R_END + dir]
  }
  if (!valid) return TRACK_IGNORE
  r[at + R_FLAGS] = flags | F_RESET | (dir !== 0 ? F_REPLIED : 0)
  r[at + R_STATE] = TCP_CLOSE
  return TRACK_OK
}

/** The window scale option (RFC 7323 §2.2) of a SYN, or SCALE_NONE. The header is known to be whole. */
function windowScale(dv: DataView, l4: number, control: number): number {
  const stop = l4 + ((control >>> 12) << 2)
  let p = l4 + 20
  while (p < stop) {
    const kind = dv.getUint8(p)
    if (kind === 0) break
    if (kind === 1) {
      p++
      continue
    }
    if (p + 1 >= stop) break
    const length = dv.getUint8(p + 1)
    if (length < 2 || p + length > stop) break
    if (kind === 3 && length === 3) return Math.min(dv.getUint8(p + 2), SCALE_MAX)
    p += length
  }
  return SCALE_NONE
}
