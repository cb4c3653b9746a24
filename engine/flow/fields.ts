/**
 * Header fields inside a FlowKey, one pair of functions a field. Hot code uses the words directly; translation
 * code reads better with these. Sources are unsigned numbers.
 */
import {
  FLAG_FRAG,
  FLAG_LATER,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_L4,
  W_NW,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'

export type Words = Uint32Array

/** High 16 bits of a 48-bit address. */
export function macHigh(mac: number): number {
  return Math.floor(mac / 0x1_0000_0000)
}

/** Low 32 bits of a 48-bit address. */
export function macLow(mac: number): number {
  return mac >>> 0
}

export function dlDst(k: Words): number {
  return k[W_DL_DST] * 0x1_0000 + (k[W_DL_MIX] >>> 16)
}

export function dlSrc(k: Words): number {
  return (k[W_DL_MIX] & 0xffff) * 0x1_0000_0000 + k[W_DL_SRC]
}

export function setDlDst(k: Words, mac: number): void {
  k[W_DL_DST] = Math.floor(mac / 0x1_0000)
  k[W_DL_MIX] = (((mac & 0xffff) << 16) | (k[W_DL_MIX] & 0xffff)) >>> 0
}

export function setDlSrc(k: Words, mac: number): void {
  k[W_DL_MIX] = ((k[W_DL_MIX] & 0xffff0000) | macHigh(mac)) >>> 0
  k[W_DL_SRC] = macLow(mac)
}

/** Whether dl_dst is a group address (IEEE 802-2014 §8.2.2). */
export function dlDstIsMulticast(k: Words): boolean {
  return (k[W_DL_DST] & 0x0100_0000) !== 0
}

export function dlDstIsBroadcast(k: Words): boolean {
  return k[W_DL_DST] === 0xffff_ffff && k[W_DL_MIX] >>> 16 === 0xffff
}

export function dlSrcIsMulticast(k: Words): boolean {
  return (k[W_DL_MIX] & 0x0100) !== 0
}

export function dlType(k: Words): number {
  return k[W_TYPE] >>> 16
}

/** Outer TCI with VLAN_PRESENT, or 0 for an untagged frame. */
export function vlanTci(k: Words): number {
  return k[W_VLAN] >>> 16
}

export function innerVlanTci(k: Words): number {
  return k[W_VLAN] & 0xffff
}

export function setVlanTci(k: Words, tci: number): void {
  k[W_VLAN] = ((tci << 16) | (k[W_VLAN] & 0xffff)) >>> 0
}

export function nwProto(k: Words): number {
  return k[W_NW] >>> 24
}

export function nwTos(k: Words): number {
  return (k[W_NW] >>> 16) & 0xff
}

export function nwTtl(k: Words): number {
  return (k[W_NW] >>> 8) & 0xff
}

export function tpSrc(k: Words): number {
  return k[W_TP] >>> 16
}

export function tpDst(k: Words): number {
  return k[W_TP] & 0xffff
}

export function setTpSrc(k: Words, port: number): void {
  k[W_TP] = ((port << 16) | (k[W_TP] & 0xffff)) >>> 0
}

export function setTpDst(k: Words, port: number): void {
  k[W_TP] = ((k[W_TP] & 0xffff0000) | port) >>> 0
}

export function tcpFlags(k: Words): number {
  return k[W_L4] >>> 16
}

export function icmpId(k: Words): number {
  return k[W_L4] & 0xffff
}

export function setIcmpId(k: Words, id: number): void {
  k[W_L4] = ((k[W_L4] & 0xffff0000) | id) >>> 0
}

export function isFragment(k: Words): boolean {
  return (k[W_TYPE] & FLAG_FRAG) !== 0
}

export function isLaterFragment(k: Words): boolean {
  return (k[W_TYPE] & FLAG_LATER) !== 0
}
