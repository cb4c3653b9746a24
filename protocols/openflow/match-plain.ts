/**
 * Fields that stand in a flow's words byte for byte as on the wire, and may have any value: most of those that
 * rules are made of. Their entries are read without copies.
 */

import { FIELDS, type MetaFlowField } from '../meta-flow.ts'
import type { Match } from './match.ts'

/** Plain by their numbers, but not by what they mean. */
const SPECIAL: ReadonlySet<string> = new Set([
  'in_port',
  'in_port_oxm',
  'actset_output',
  'arp_op',
  'ct_state',
  'nsh_ttl',
  'nsh_mdtype',
])

const PLAIN = Uint8Array.from(FIELDS, ({ variable, bytes, bits, at, width, low, name }) => {
  const whole = bits === 8 * bytes && width === bits && low === 0 && at % 8 === 0
  return whole && !variable && !SPECIAL.has(name) ? 1 : 0
})

export function isPlain(field: MetaFlowField): boolean {
  return PLAIN[field.id] === 1
}

/** Whether the match says nothing of a plain field. */
export function isPlainWild({ mask }: Match, { at, width }: MetaFlowField): boolean {
  for (let bit = at; bit < at + width; bit += 8) {
    if (((mask[bit >>> 5] >>> (24 - (bit & 31))) & 0xff) !== 0) return false
  }
  return true
}

/**
 * Sets a plain field of which the match says nothing, from the bytes at `o`.
 * @param maskAt where its mask stands, of whose 1s alone the value has any; undefined for an exact match
 */
export function setPlain(
  { value, mask }: Match,
  { at, width }: MetaFlowField,
  b: Uint8Array,
  o: number,
  maskAt: number | undefined,
): void {
  for (let i = 0; 8 * i < width; i++) {
    const bit = at + 8 * i
    const w = bit >>> 5
    const shift = 24 - (bit & 31)
    value[w] |= b[o + i] << shift
    mask[w] |= (maskAt === undefined ? 0xff : b[maskAt + i]) << shift
  }
}
