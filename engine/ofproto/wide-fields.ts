/** Fields of several words that a packet carries besides its headers: they are told whole, or not at all. */
import {
  W_CT_IPV6_DST,
  W_CT_IPV6_SRC,
  W_CT_LABEL,
  W_METADATA,
  W_TUN_ID,
  W_TUN_IPV6_DST,
  W_TUN_IPV6_SRC,
} from '../../protocols/flow-key.ts'

/** Their first words in a flow, and how many there are. */
export const WIDE_FIELDS: readonly (readonly [word: number, words: number])[] = [
  [W_METADATA, 2],
  [W_CT_LABEL, 4],
  [W_CT_IPV6_SRC, 4],
  [W_CT_IPV6_DST, 4],
  [W_TUN_ID, 2],
  [W_TUN_IPV6_SRC, 4],
  [W_TUN_IPV6_DST, 4],
]
