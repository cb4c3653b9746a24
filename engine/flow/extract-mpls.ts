/**
 * The label stack of an MPLS frame, RFC 3032 §2.1: three entries at the most, as in Open vSwitch; what follows
 * the bottom of the stack is payload.
 */
import { KEY_MPLS, W_MPLS } from '../../protocols/flow-key.ts'

const BOTTOM_OF_STACK = 0x100

/** Fills the words of the label stack from `p`; those of entries that are not there are zero. */
export function extractMpls(dv: DataView, key: Uint32Array, at: number, p: number, end: number): void {
  let more = true
  for (let w = W_MPLS; w < KEY_MPLS; w++) {
    let entry = 0
    if (more && end - p >= 4) {
      entry = dv.getInt32(p)
      p += 4
      more = (entry & BOTTOM_OF_STACK) === 0
    } else more = false
    key[at + w] = entry
  }
}
