/**
 * In which order a lookup looks at the words of a flow: first what the packet carries besides its headers, then
 * layer 2, 3 and 4, as flow segments in Open vSwitch. A lookup that fails early has looked at little, and its
 * megaflow serves many flows.
 */
import {
  KEY_WORDS,
  W_DL_DST,
  W_IN_PORT,
  W_L4,
  W_NW_SRC,
  W_RECIRC,
  W_TP,
  W_TYPE,
} from '../../protocols/flow-key.ts'

export const STAGES = 4
export const STAGE_METADATA = 0
export const STAGE_L2 = 1
export const STAGE_L3 = 2
export const STAGE_L4 = 3

export function stageOf(word: number): number {
  if (word === W_IN_PORT || word === W_RECIRC || word >= KEY_WORDS) return STAGE_METADATA
  if (word >= W_DL_DST && word <= W_TYPE) return STAGE_L2
  if (word === W_TP) return STAGE_L4
  // The TCP flags go with layer 3, so that the last stage is the ports alone, which have a trie.
  return word >= W_NW_SRC || word === W_L4 ? STAGE_L3 : STAGE_L2
}
