/**
 * A match in the neutral form that rules, messages and text share: words of a flow (protocols/flow-key.ts)
 * and which of their bits count.
 *
 * W_IN_PORT holds the 32-bit OpenFlow port number (OFPP_* as in OpenFlow 1.1 and later). A presence bit of a
 * VLAN tag is 0x1000 in its TCI, as in the key.
 */

import { FLOW_WORDS, W_IN_PORT } from '../flow-key.ts'
import { sameBytes } from '../wire/same-bytes.ts'

/** The priority a rule has when none is given. */
export const DEFAULT_PRIORITY = 0x8000

export interface Match {
  /** FLOW_WORDS words; a bit that `mask` leaves out is 0. */
  value: Uint32Array
  /** FLOW_WORDS words; 1 bits must be equal. */
  mask: Uint32Array
  /**
   * Matches on tun_metadata0 to 63, by index, in the sizes they were given. Where they lie in the flow words
   * is for the switch's TLV table to say (NXT_TLV_TABLE_MOD); until it has, W_TUN_METADATA stays untouched.
   */
  tunMetadata?: readonly TunMetadataMatch[] | undefined
}

export interface TunMetadataMatch {
  /** 0 to 63. */
  index: number
  /** 1 to 124 bytes, as on the wire; bits outside `mask` are 0. Empty: the option is merely present. */
  value: Uint8Array
  /** As long as `value`; undefined for an exact match. */
  mask?: Uint8Array
}

/** A match that every packet meets. */
export function emptyMatch(): Match {
  // One piece of memory for both: making it, and sending it to another thread, costs as much as the words do.
  const words = new ArrayBuffer(8 * FLOW_WORDS)
  return { value: new Uint32Array(words, 0, FLOW_WORDS), mask: new Uint32Array(words, 4 * FLOW_WORDS) }
}

export function copyMatch(m: Match): Match {
  const copy: Match = { value: m.value.slice(), mask: m.mask.slice() }
  if (m.tunMetadata !== undefined) copy.tunMetadata = m.tunMetadata
  return copy
}

/** Whether two canonical matches (value & ~mask = 0) are the same match. */
export function equalMatch(a: Match, b: Match): boolean {
  for (let i = 0; i < FLOW_WORDS; i++) {
    if (a.mask[i] !== b.mask[i] || a.value[i] !== b.value[i]) return false
  }
  const s = a.tunMetadata ?? []
  const t = b.tunMetadata ?? []
  if (s.length !== t.length) return false
  return s.every(({ index, value, mask }, i) => {
    const o = t[i]
    if (index !== o.index || !sameBytes(value, o.value)) return false
    return mask === undefined || o.mask === undefined ? mask === o.mask : sameBytes(mask, o.mask)
  })
}

/** Whether every packet of the canonical match `inner` meets `outer` too. */
export function includesMatch(outer: Match, inner: Match): boolean {
  for (let i = 0; i < FLOW_WORDS; i++) {
    const mask = outer.mask[i]
    if ((mask & ~inner.mask[i]) !== 0 || ((outer.value[i] ^ inner.value[i]) & mask) !== 0) return false
  }
  return true
}

/** Sets one word's bits: `value` where `mask` has 1s. */
export function setMatchBits(m: Match, word: number, value: number, mask: number): void {
  m.value[word] = (m.value[word] & ~mask) | (value & mask)
  m.mask[word] |= mask
}

/** The OpenFlow port matched on, or undefined. */
export function matchInPort(m: Match): number | undefined {
  return m.mask[W_IN_PORT] === 0 ? undefined : m.value[W_IN_PORT]
}
