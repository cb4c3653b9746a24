/**
 * A match's fields set and got one by one, with what Open vSwitch makes of special cases: a VLAN id or priority
 * implies that there is a tag, ct_state has eight bits, any field of Ethernet makes the packet type Ethernet.
 */

import { W_CT_STATE, W_IN_PORT, W_PACKET_TYPE, W_TYPE, W_VLAN } from '../flow-key.ts'
import { fieldIsClear, fillField, type MetaFlowField, readField, writeField } from '../meta-flow.ts'
import type { Match, TunMetadataMatch } from './match.ts'
import { setMatchBits } from './match.ts'
import { OFPP_MAX, OFPP_UNSET } from './port.ts'

export const isZero = (b: Uint8Array): boolean => b.every((x) => x === 0)
export const isOnes = (b: Uint8Array): boolean => b.every((x) => x === 0xff)
export const ones = (n: number): Uint8Array => new Uint8Array(n).fill(0xff)

/** Big-endian bytes as a number, for up to six of them. */
export function toNumber(b: Uint8Array): number {
  let v = 0
  for (const x of b) v = v * 256 + x
  return v
}

/** OFP10_VLAN_NONE: dl_vlan of a packet without tag. */
const VLAN_NONE = 0xffff

/** That the packet type is Ethernet, unless the match says what it is. */
export function setDefaultPacketType(match: Match): void {
  if (match.mask[W_PACKET_TYPE] === 0) setMatchBits(match, W_PACKET_TYPE, 0, 0xffff_ffff)
}

export function hasDefaultPacketType(match: Match): boolean {
  return match.value[W_PACKET_TYPE] === 0 && match.mask[W_PACKET_TYPE] === 0xffff_ffff
}

function tunIndex(field: MetaFlowField): number {
  return Number(field.name.slice('tun_metadata'.length))
}

function setTunMetadata(
  match: Match,
  field: MetaFlowField,
  value: Uint8Array,
  mask: Uint8Array | undefined,
): void {
  const index = tunIndex(field)
  const entry: TunMetadataMatch = { index, value: value.slice() }
  if (mask !== undefined && (mask.length === 0 || !isOnes(mask))) entry.mask = mask.slice()
  if (mask !== undefined) entry.value = value.map((x, i) => x & mask[i])
  const others = (match.tunMetadata ?? []).filter((e) => e.index !== index)
  match.tunMetadata = [...others, entry].sort((a, b) => a.index - b.index)
}

/**
 * Sets `field` to `value` where `mask` (as long; undefined for all) has 1s, bytes as on the wire. A mask of
 * zeros takes the field out of the match.
 */
export function setMatchField(
  match: Match,
  field: MetaFlowField,
  value: Uint8Array,
  mask?: Uint8Array,
): void {
  if (field.variable) {
    setTunMetadata(match, field, value, mask)
    return
  }
  const wild = mask !== undefined && isZero(mask)
  const exact = mask === undefined || isOnes(mask)
  switch (field.name) {
    case 'dl_vlan': {
      const vid = toNumber(value)
      if (wild) clearBits(match, W_VLAN, 0x1fff_0000)
      else if (vid === VLAN_NONE) setMatchBits(match, W_VLAN, 0, 0xffff_0000)
      else setMatchBits(match, W_VLAN, ((vid & 0xfff) | 0x1000) << 16, 0x1fff_0000)
      return
    }
    case 'vlan_vid': {
      if (wild) clearBits(match, W_VLAN, 0x1fff_0000)
      else {
        const m = (exact ? 0x1fff : toNumber(mask)) & 0x1fff
        setMatchBits(match, W_VLAN, toNumber(value) << 16, m << 16)
      }
      return
    }
    case 'dl_vlan_pcp':
    case 'vlan_pcp':
      if (wild) clearBits(match, W_VLAN, 0xe000_0000)
      else setMatchBits(match, W_VLAN, (value[0] << 29) | 0x1000_0000, 0xf000_0000)
      return
    case 'nw_tos':
      if (wild) clearBits(match, field.at >>> 5, 0xfc_0000)
      else setMatchBits(match, field.at >>> 5, (value[0] & 0xfc) << 16, 0xfc_0000)
      return
    case 'ct_state':
      if (wild) clearBits(match, W_CT_STATE, 0xff)
      else setMatchBits(match, W_CT_STATE, toNumber(value), (exact ? 0xff : toNumber(mask)) & 0xff)
      return
    case 'in_port':
      if (wild) clearBits(match, W_IN_PORT, 0xffff_ffff)
      else {
        writeField(match.value, field, value)
        match.mask[W_IN_PORT] = 0xffff_ffff
      }
      return
    case 'ip_frag': {
      const m = (exact ? 3 : mask[0]) & 3
      clearBits(match, W_TYPE, 3 << 2)
      setMatchBits(match, W_TYPE, value[0] << 2, m << 2)
      return
    }
    default:
  }
  if (wild) clearField(match, field)
  else if (exact) {
    writeField(match.value, field, value)
    fillField(match.mask, field)
  } else {
    writeField(match.mask, field, mask)
    writeField(
      match.value,
      field,
      value.map((x, i) => x & mask[i]),
    )
  }
}

function clearBits(match: Match, word: number, bits: number): void {
  match.value[word] &= ~bits
  match.mask[word] &= ~bits
}

/** Takes the field out of the match. */
export function clearField(match: Match, field: MetaFlowField): void {
  if (field.variable) {
    match.tunMetadata = (match.tunMetadata ?? []).filter((e) => e.index !== tunIndex(field))
    return
  }
  const zero = new Uint8Array(field.bytes)
  if (field.name === 'in_port') clearBits(match, W_IN_PORT, 0xffff_ffff)
  else {
    writeField(match.value, field, zero)
    writeField(match.mask, field, zero)
  }
}

/** Whether the match says nothing about the field. */
export function isWild(match: Match, field: MetaFlowField): boolean {
  if (field.variable) return !(match.tunMetadata ?? []).some((e) => e.index === tunIndex(field))
  switch (field.name) {
    case 'dl_vlan':
      return (match.mask[W_VLAN] & 0x0fff_0000) === 0
    case 'dl_vlan_pcp':
    case 'vlan_pcp':
      return (match.mask[W_VLAN] & 0xe000_0000) === 0
    default:
      return fieldIsClear(match.mask, field)
  }
}

/** Value and mask of a field that is not variable, bytes as on the wire. */
export function getMatchField(match: Match, field: MetaFlowField): { value: Uint8Array; mask: Uint8Array } {
  const value = readField(match.value, field)
  if (field.name === 'in_port') {
    return { value, mask: match.mask[W_IN_PORT] === 0 ? new Uint8Array(2) : ones(2) }
  }
  return { value, mask: readField(match.mask, field) }
}

/** Whether a match may say `value` of the field at all (mpls_tc has three bits, nsh_ttl six …). */
export function valueIsValid(field: MetaFlowField, value: Uint8Array): boolean {
  switch (field.name) {
    case 'in_port_oxm':
    case 'actset_output': {
      const port = toNumber(value)
      return port < OFPP_MAX || port >= OFPP_UNSET
    }
    case 'nw_tos':
      return (value[0] & 3) === 0
    case 'arp_op':
      return value[0] === 0
    case 'vlan_vid':
      return toNumber(value) <= 0x1fff
    case 'ct_state':
      return toNumber(value) <= 0xff
    case 'nsh_ttl':
      return value[0] <= 63
    case 'nsh_mdtype':
      return value[0] === 1 || value[0] === 2
    case 'tun_erspan_idx':
    case 'tun_erspan_ver':
    case 'tun_erspan_dir':
    case 'tun_erspan_hwid':
      return true
    default:
      return field.bytes * 8 === field.bits || toNumber(value) < 2 ** field.bits
  }
}

/** A field that cannot be masked takes a whole mask or none. */
export function maskIsValid(field: MetaFlowField, mask: Uint8Array): boolean {
  return field.maskable || isZero(mask) || isOnes(mask)
}
