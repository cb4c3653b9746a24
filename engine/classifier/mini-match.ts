/**
 * A match without the words it does not look at; many rules share the mask.
 */
import { emptyMatch, type Match } from '../../protocols/openflow/match.ts'

export interface MiniMatch {
  /** FLOW_WORDS words; shared. */
  readonly mask: Uint32Array
  /** The words that the mask touches; shared. */
  readonly words: Uint8Array
  /** Their values. */
  readonly values: Uint32Array
}

export function wholeMatch({ mask, words, values }: MiniMatch): Match {
  const match = emptyMatch()
  match.mask.set(mask)
  for (let i = 0; i < words.length; i++) match.value[words[i]] = values[i]
  return match
}
