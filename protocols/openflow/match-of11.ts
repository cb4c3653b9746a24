/** The standard match of OpenFlow 1.1, struct ofp_match of type OFPMT_STANDARD (OpenFlow 1.1 §A.2.3): 88 bytes. */

import {
  ETH_IPV4,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_IN_PORT,
  W_METADATA,
  W_MPLS,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../flow-key.ts'
import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, type OfFault } from './error.ts'
import { emptyMatch, type Match, setMatchBits } from './match.ts'
import { setDefaultPacketType } from './match-field.ts'
import { portFromOf11 } from './port.ts'
import { isArp, isMpls } from './prerequisites.ts'

export const OF11_MATCH_LEN = 88

const FW_IN_PORT = 1 << 0
const FW_DL_VLAN = 1 << 1
const FW_DL_VLAN_PCP = 1 << 2
const FW_DL_TYPE = 1 << 3
const FW_NW_TOS = 1 << 4
const FW_NW_PROTO = 1 << 5
const FW_TP_SRC = 1 << 6
const FW_TP_DST = 1 << 7
const FW_MPLS_LABEL = 1 << 8
const FW_MPLS_TC = 1 << 9

const VID_ANY = 0xfffe
const VID_NONE = 0xffff

function decodeVlan(m: Match, vid: number, pcp: number, pcpMatters: boolean): boolean {
  setDefaultPacketType(m)
  if (vid === VID_NONE) {
    setMatchBits(m, W_VLAN, 0, 0xffff_0000)
    return true
  }
  if (vid === VID_ANY) setMatchBits(m, W_VLAN, 0x1000_0000, 0x1000_0000)
  else if (vid < 4096) setMatchBits(m, W_VLAN, (vid | 0x1000) << 16, 0x1fff_0000)
  else return false
  if (!pcpMatters) return true
  if (pcp > 7) return false
  setMatchBits(m, W_VLAN, pcp << 29, 0xe000_0000)
  return true
}

/** Decodes the 88 bytes at `o`, which must be there. */
export function decodeOf11Match(b: Uint8Array, o: number): Match | OfFault {
  if (u16(b, o) !== 0) return fault('OFPBMC_BAD_TYPE')
  if (u16(b, o + 2) !== OF11_MATCH_LEN) return fault('OFPBMC_BAD_LEN')
  const m = emptyMatch()
  const fw = u32(b, o + 8)
  const matters = (bit: number): boolean => (fw & bit) === 0
  if (matters(FW_IN_PORT)) {
    const port = portFromOf11(u32(b, o + 4))
    if (port === undefined) return fault('OFPBMC_BAD_VALUE')
    setMatchBits(m, W_IN_PORT, port, 0xffff_ffff)
  }
  const srcHigh = ~u16(b, o + 18) & 0xffff
  const srcLow = ~u32(b, o + 20) >>> 0
  const dstHigh = ~u32(b, o + 30) >>> 0
  const dstLow = ~u16(b, o + 34) & 0xffff
  if ((srcHigh | srcLow | dstHigh | dstLow) !== 0) {
    setMatchBits(m, W_DL_MIX, u16(b, o + 12), srcHigh)
    setMatchBits(m, W_DL_SRC, u32(b, o + 14), srcLow)
    setMatchBits(m, W_DL_DST, u32(b, o + 24), dstHigh)
    setMatchBits(m, W_DL_MIX, u16(b, o + 28) << 16, dstLow << 16)
    setDefaultPacketType(m)
  }
  if (matters(FW_DL_VLAN) && !decodeVlan(m, u16(b, o + 36), b[o + 38], matters(FW_DL_VLAN_PCP))) {
    return fault('OFPBMC_BAD_VALUE')
  }
  if (matters(FW_DL_TYPE)) {
    setMatchBits(m, W_TYPE, u16(b, o + 40) << 16, 0xffff_0000)
    setDefaultPacketType(m)
  }
  const ethType = m.value[W_TYPE] >>> 16
  if (ethType === ETH_IPV4 && matters(FW_NW_TOS)) {
    if ((b[o + 42] & 3) !== 0) return fault('OFPBMC_BAD_VALUE')
    setMatchBits(m, W_NW, b[o + 42] << 16, 0xfc_0000)
  }
  if (ethType === ETH_IPV4 || isArp(ethType)) {
    if (matters(FW_NW_PROTO)) setMatchBits(m, W_NW, b[o + 43] << 24, 0xff00_0000)
    setMatchBits(m, W_NW_SRC, u32(b, o + 44), ~u32(b, o + 48))
    setMatchBits(m, W_NW_DST, u32(b, o + 52), ~u32(b, o + 56))
  }
  if (ethType === ETH_IPV4) {
    const protocol = m.value[W_NW] >>> 24
    const src = u16(b, o + 60)
    const dst = u16(b, o + 62)
    const srcMatters = matters(FW_TP_SRC)
    const dstMatters = matters(FW_TP_DST)
    // ICMP's type and code stand here too, although the specification forgot them.
    if (protocol === 1 && ((srcMatters && src > 0xff) || (dstMatters && dst > 0xff)))
      return fault('OFPBMC_BAD_FIELD')
    if (protocol === 1 || protocol === 6 || protocol === 17 || protocol === 132) {
      if (srcMatters) setMatchBits(m, W_TP, src << 16, 0xffff_0000)
      if (dstMatters) setMatchBits(m, W_TP, dst, 0xffff)
    }
  }
  if (isMpls(ethType)) {
    if (matters(FW_MPLS_LABEL)) setMatchBits(m, W_MPLS, u32(b, o + 64) << 12, 0xffff_f000)
    if (matters(FW_MPLS_TC)) setMatchBits(m, W_MPLS, b[o + 68] << 9, 0xe00)
  }
  setMatchBits(m, W_METADATA, u32(b, o + 72), ~u32(b, o + 80))
  setMatchBits(m, W_METADATA + 1, u32(b, o + 76), ~u32(b, o + 84))
  return m
}

/** Writes 88 bytes. */
export function encodeOf11Match(w: ByteWriter, { value, mask }: Match): void {
  let fw = 0
  const need = (bits: number, bit: number): boolean => {
    if (bits === 0) fw |= bit
    return bits !== 0
  }
  const tci = value[W_VLAN] >>> 16
  const tciMask = mask[W_VLAN] >>> 16
  let vid = 0
  let pcp = 0
  if (tciMask === 0) fw |= FW_DL_VLAN | FW_DL_VLAN_PCP
  else if ((tciMask & 0x1000) !== 0 && (tci & 0x1000) === 0) {
    vid = VID_NONE
    fw |= FW_DL_VLAN_PCP
  } else {
    vid = (tciMask & 0xfff) === 0 ? VID_ANY : tci & 0xfff
    if (need(tciMask >>> 13, FW_DL_VLAN_PCP)) pcp = tci >>> 13
  }
  const mpls = isMpls(value[W_TYPE] >>> 16) ? mask[W_MPLS] : 0
  const inPort = need(mask[W_IN_PORT], FW_IN_PORT) ? value[W_IN_PORT] : 0
  const type = need(mask[W_TYPE] >>> 16, FW_DL_TYPE) ? value[W_TYPE] >>> 16 : 0
  const tos = need(mask[W_NW] & 0xfc_0000, FW_NW_TOS) ? (value[W_NW] >>> 16) & 0xfc : 0
  const protocol = need(mask[W_NW] >>> 24, FW_NW_PROTO) ? value[W_NW] >>> 24 : 0
  const src = need(mask[W_TP] >>> 16, FW_TP_SRC) ? value[W_TP] >>> 16 : 0
  const dst = need(mask[W_TP] & 0xffff, FW_TP_DST) ? value[W_TP] & 0xffff : 0
  const label = need(mpls & 0xffff_f000, FW_MPLS_LABEL) ? value[W_MPLS] >>> 12 : 0
  const tc = need(mpls & 0xe00, FW_MPLS_TC) ? (value[W_MPLS] >>> 9) & 7 : 0
  w.u16(0).u16(OF11_MATCH_LEN).u32(inPort).u32(fw)
  w.u16(value[W_DL_MIX]).u32(value[W_DL_SRC]).u16(~mask[W_DL_MIX]).u32(~mask[W_DL_SRC])
  w.u32(value[W_DL_DST]).u16(value[W_DL_MIX] >>> 16)
  w.u32(~mask[W_DL_DST]).u16(~mask[W_DL_MIX] >>> 16)
  w.u16(vid).u8(pcp).u8(0).u16(type).u8(tos).u8(protocol)
  w.u32(value[W_NW_SRC]).u32(~mask[W_NW_SRC]).u32(value[W_NW_DST]).u32(~mask[W_NW_DST])
  w.u16(src).u16(dst).u32(label).u8(tc).zeros(3)
  w.u32(value[W_METADATA])
    .u32(value[W_METADATA + 1])
    .u32(~mask[W_METADATA])
    .u32(~mask[W_METADATA + 1])
}
