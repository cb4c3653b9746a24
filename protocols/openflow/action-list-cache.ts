/**
 * Lists of actions by the bytes they were read from: most rules of a switch do one of few things, and share what
 * is made of it. A list that comes where another stands takes its place; rules keep theirs.
 */

import type { OfAction } from './action.ts'
import { isFault, type OfFault } from './error.ts'
import { decodeInstructions } from './instruction.ts'
import type { OfVersion } from './version.ts'

/** Places; a power of two. */
const PLACES = 1 << 12
/** Longer lists are read anew each time. */
const MAX_BYTES = 512

interface Known {
  readonly version: OfVersion
  readonly bytes: Uint8Array
  readonly actions: OfAction[]
}

export class ActionListCache {
  readonly #places = new Array<Known | undefined>(PLACES).fill(undefined)

  /** As `decodeInstructions`; the list is for many, and nobody's to change. */
  decode(b: Uint8Array, o: number, end: number, version: OfVersion): OfAction[] | OfFault {
    if (end > b.length || end - o > MAX_BYTES) return decodeInstructions(b, o, end, version)
    let hash = version as number
    for (let i = o; i < end; i++) hash = Math.imul(hash ^ b[i], 0x0100_0193)
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1)
    const known = this.#places[place]
    if (known !== undefined && known.version === version && isAt(known.bytes, b, o, end)) return known.actions
    const actions = decodeInstructions(b, o, end, version)
    if (!isFault(actions)) this.#places[place] = { version, bytes: b.slice(o, end), actions }
    return actions
  }
}

function isAt(bytes: Uint8Array, b: Uint8Array, o: number, end: number): boolean {
  if (bytes.length !== end - o) return false
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== b[o + i]) return false
  return true
}
