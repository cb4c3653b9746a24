/**
 * The VLAN tags of a packet during its translation, outermost first. A flow key shows two of them; a packet
 * that passes several bridges can gain more, and each must come off again where it was put on.
 *
 * Tags behind the second that a packet arrives with are payload, as with a vlan-limit of 2 in Open vSwitch.
 *
 * A stack is a list of tags that are never changed: who keeps its head keeps all of it.
 */
import { FLAG_INNER_AD, FLAG_OUTER_AD, VLAN_PRESENT, W_TYPE, W_VLAN } from '../../protocols/flow-key.ts'

export const TPID_Q = 0x8100
export const TPID_AD = 0x88a8
/** Tags a packet may have; enough for any sane chain of tunnels, and little beside the headroom of a cell. */
export const MAX_VLAN_TAGS = 8

export interface VlanTag {
  readonly tpid: number
  /** PCP and VID; the DEI bit is not kept. */
  readonly tci: number
  /** The tag behind this one. */
  readonly inner: VlanTag | undefined
}

export type VlanStack = VlanTag | undefined

export function pushTag(inner: VlanStack, tpid: number, tci: number): VlanTag {
  return { tpid, tci, inner }
}

/** Number of tags. */
export function depthOf(stack: VlanStack): number {
  let n = 0
  for (let tag = stack; tag !== undefined; tag = tag.inner) n++
  return n
}

/** The tags of a key. */
export function tagsOfKey(key: Uint32Array): VlanStack {
  const outer = key[W_VLAN] >>> 16
  const inner = key[W_VLAN] & 0xffff
  if (outer === 0) return undefined
  const behind =
    inner === 0
      ? undefined
      : pushTag(undefined, (key[W_TYPE] & FLAG_INNER_AD) !== 0 ? TPID_AD : TPID_Q, inner & ~VLAN_PRESENT)
  return pushTag(behind, (key[W_TYPE] & FLAG_OUTER_AD) !== 0 ? TPID_AD : TPID_Q, outer & ~VLAN_PRESENT)
}

/** Makes a key show the two outer tags of a stack. */
export function putTagsInKey(key: Uint32Array, stack: VlanStack): void {
  const inner = stack?.inner
  const outerWord = stack === undefined ? 0 : stack.tci | VLAN_PRESENT
  const innerWord = inner === undefined ? 0 : inner.tci | VLAN_PRESENT
  const flags = (stack?.tpid === TPID_AD ? FLAG_OUTER_AD : 0) | (inner?.tpid === TPID_AD ? FLAG_INNER_AD : 0)
  key[W_VLAN] = ((outerWord << 16) | innerWord) >>> 0
  key[W_TYPE] = ((key[W_TYPE] & ~(FLAG_OUTER_AD | FLAG_INNER_AD)) | flags) >>> 0
}

/** The tags from the innermost out. */
export function innermostFirst(stack: VlanStack): VlanTag[] {
  const tags: VlanTag[] = []
  for (let tag = stack; tag !== undefined; tag = tag.inner) tags.push(tag)
  return tags.reverse()
}
