/** The fixed match of OpenFlow 1.0, struct ofp_match (OpenFlow 1.0 §5.2.3): 40 bytes. */

import {
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_IN_PORT,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_PACKET_TYPE,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../flow-key.ts'
import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { emptyMatch, type Match, setMatchBits } from './match.ts'
import { setDefaultPacketType } from './match-field.ts'
import { portFromOf10, portToOf10 } from './port.ts'

export const OF10_MATCH_LEN = 40

const FW_IN_PORT = 1 << 0
const FW_DL_VLAN = 1 << 1
const FW_DL_SRC = 1 << 2
const FW_DL_DST = 1 << 3
const FW_DL_TYPE = 1 << 4
const FW_NW_PROTO = 1 << 5
const FW_TP_SRC = 1 << 6
const FW_TP_DST = 1 << 7
const FW_NW_SRC_SHIFT = 8
const FW_NW_DST_SHIFT = 14
const FW_DL_VLAN_PCP = 1 << 20
const FW_NW_TOS = 1 << 21
const FW_ALL = (1 << 22) - 1

const VLAN_NONE = 0xffff

/** 0 wildcarded low bits: all; 32 and more: none. */
function netmask(wildBits: number): number {
  return wildBits >= 32 ? 0 : (0xffff_ffff << wildBits) >>> 0
}

function wildBits(mask: number): number {
  return 32 - Math.clz32(~mask)
}

/** Decodes the 40 bytes at `o`, which must be there. */
export function decodeOf10Match(b: Uint8Array, o: number): Match {
  const fw = u32(b, o) & FW_ALL
  const m = emptyMatch()
  const matters = (bit: number): boolean => (fw & bit) === 0
  const srcMask = netmask((fw >>> FW_NW_SRC_SHIFT) & 0x3f)
  const dstMask = netmask((fw >>> FW_NW_DST_SHIFT) & 0x3f)
  const data =
    FW_NW_TOS |
    FW_NW_PROTO |
    FW_TP_SRC |
    FW_TP_DST |
    FW_DL_SRC |
    FW_DL_DST |
    FW_DL_TYPE |
    FW_DL_VLAN |
    FW_DL_VLAN_PCP
  if ((fw & data) !== data || srcMask !== 0 || dstMask !== 0) setDefaultPacketType(m)
  if (matters(FW_IN_PORT)) setMatchBits(m, W_IN_PORT, portFromOf10(u16(b, o + 4)), 0xffff_ffff)
  if (matters(FW_DL_SRC)) {
    setMatchBits(m, W_DL_MIX, u16(b, o + 6), 0xffff)
    setMatchBits(m, W_DL_SRC, u32(b, o + 8), 0xffff_ffff)
  }
  if (matters(FW_DL_DST)) {
    setMatchBits(m, W_DL_DST, u32(b, o + 12), 0xffff_ffff)
    setMatchBits(m, W_DL_MIX, u16(b, o + 16) << 16, 0xffff_0000)
  }
  const vlan = u16(b, o + 18)
  if (matters(FW_DL_VLAN) && vlan === VLAN_NONE) setMatchBits(m, W_VLAN, 0, 0xffff_0000)
  else {
    if (matters(FW_DL_VLAN)) setMatchBits(m, W_VLAN, ((vlan & 0xfff) | 0x1000) << 16, 0x1fff_0000)
    if (matters(FW_DL_VLAN_PCP)) setMatchBits(m, W_VLAN, (b[o + 20] << 29) | 0x1000_0000, 0xf000_0000)
  }
  if (matters(FW_DL_TYPE)) setMatchBits(m, W_TYPE, u16(b, o + 22) << 16, 0xffff_0000)
  if (matters(FW_NW_TOS)) setMatchBits(m, W_NW, (b[o + 24] & 0xfc) << 16, 0xfc_0000)
  if (matters(FW_NW_PROTO)) setMatchBits(m, W_NW, b[o + 25] << 24, 0xff00_0000)
  setMatchBits(m, W_NW_SRC, u32(b, o + 28), srcMask)
  setMatchBits(m, W_NW_DST, u32(b, o + 32), dstMask)
  if (matters(FW_TP_SRC)) setMatchBits(m, W_TP, u16(b, o + 36) << 16, 0xffff_0000)
  if (matters(FW_TP_DST)) setMatchBits(m, W_TP, u16(b, o + 38), 0xffff)
  return m
}

/** Writes 40 bytes. What 1.0 cannot say is left out: ask fitsOf10 first. */
export function encodeOf10Match(w: ByteWriter, { value, mask }: Match): void {
  let fw = 0
  const need = (bits: number, bit: number): void => {
    if (bits === 0) fw |= bit
  }
  need(mask[W_IN_PORT], FW_IN_PORT)
  need(mask[W_TYPE] >>> 16, FW_DL_TYPE)
  need(mask[W_NW] >>> 24, FW_NW_PROTO)
  need(mask[W_NW] & 0xfc_0000, FW_NW_TOS)
  need(mask[W_TP] >>> 16, FW_TP_SRC)
  need(mask[W_TP] & 0xffff, FW_TP_DST)
  need((mask[W_DL_MIX] & 0xffff) | mask[W_DL_SRC], FW_DL_SRC)
  need(mask[W_DL_DST] | (mask[W_DL_MIX] >>> 16), FW_DL_DST)
  fw |= (wildBits(mask[W_NW_SRC]) << FW_NW_SRC_SHIFT) | (wildBits(mask[W_NW_DST]) << FW_NW_DST_SHIFT)
  const tci = value[W_VLAN] >>> 16
  const tciMask = mask[W_VLAN] >>> 16
  let vlan = 0
  let pcp = 0
  if (tciMask === 0) fw |= FW_DL_VLAN | FW_DL_VLAN_PCP
  else if ((tciMask & 0x1000) !== 0 && (tci & 0x1000) === 0) vlan = VLAN_NONE
  else {
    if ((tciMask & 0xfff) === 0) fw |= FW_DL_VLAN
    else vlan = tci & 0xfff
    if (tciMask >>> 13 === 0) fw |= FW_DL_VLAN_PCP
    else pcp = tci >>> 13
  }
  w.u32(fw).u16(portToOf10(value[W_IN_PORT]) ?? 0)
  w.u16(value[W_DL_MIX]).u32(value[W_DL_SRC])
  w.u32(value[W_DL_DST]).u16(value[W_DL_MIX] >>> 16)
  w.u16(vlan).u8(pcp).u8(0)
  w.u16(value[W_TYPE] >>> 16)
  w.u8((value[W_NW] >>> 16) & 0xfc)
    .u8(value[W_NW] >>> 24)
    .u16(0)
  w.u32(value[W_NW_SRC]).u32(value[W_NW_DST])
  w.u16(value[W_TP] >>> 16).u16(value[W_TP])
}

const isCidr = (mask: number): boolean => ((~mask + 1) & ~mask) === 0

/** Whether OpenFlow 1.0's own match can say all of it (else NXM is needed). */
export function fitsOf10({ value, mask, tunMetadata }: Match): boolean {
  if ((tunMetadata?.length ?? 0) > 0) return false
  const spoken = new Map<number, number>([
    [W_IN_PORT, 0xffff_ffff],
    [W_DL_DST, 0xffff_ffff],
    [W_DL_MIX, 0xffff_ffff],
    [W_DL_SRC, 0xffff_ffff],
    [W_VLAN, 0xffff_0000],
    [W_TYPE, 0xffff_0000],
    [W_NW_SRC, 0xffff_ffff],
    [W_NW_DST, 0xffff_ffff],
    [W_NW, 0xfffc_0000],
    [W_TP, 0xffff_ffff],
    [W_PACKET_TYPE, 0xffff_ffff],
  ])
  for (let i = 0; i < mask.length; i++) if ((mask[i] & ~(spoken.get(i) ?? 0)) !== 0) return false
  if (value[W_PACKET_TYPE] !== 0) return false
  const whole = (bits: number, all: number): boolean => bits === 0 || bits === all
  const src = [mask[W_DL_MIX] & 0xffff, mask[W_DL_SRC]]
  const dst = [mask[W_DL_DST], mask[W_DL_MIX] >>> 16]
  const address = ([a, b]: number[], x: number, y: number): boolean =>
    (a === 0 && b === 0) || (a === x && b === y)
  if (!address(src, 0xffff, 0xffff_ffff) || !address(dst, 0xffff_ffff, 0xffff)) return false
  if (!isCidr(mask[W_NW_SRC]) || !isCidr(mask[W_NW_DST])) return false
  if (!whole(mask[W_TP] >>> 16, 0xffff) || !whole(mask[W_TP] & 0xffff, 0xffff)) return false
  // IPv6 and its transport have no place in 1.0's match; only what Ethernet says of them has.
  if (value[W_TYPE] >>> 16 === 0x86dd && (mask[W_NW] !== 0 || mask[W_TP] !== 0)) return false
  return vlanFits(value[W_VLAN] >>> 16, mask[W_VLAN] >>> 16)
}

function vlanFits(tci: number, mask: number): boolean {
  if (mask === 0) return true
  if ((mask & 0x1000) === 0) return false
  if ((tci & 0x1000) === 0) return tci === 0 && (mask === 0xffff || mask === 0x1000)
  const vid = mask & 0xfff
  const pcp = mask >>> 13
  return (vid === 0 || vid === 0xfff) && (pcp === 0 || pcp === 7) && (vid !== 0 || pcp !== 0)
}
