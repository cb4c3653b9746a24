/** Matches, flow-mods and requests for tests: what is not said is what a client that says nothing means. */

import type { OfAction } from '../../protocols/openflow/action.ts'
import { type FlowMod, newFlowMod, OFPG_ANY, OFPTT_ALL } from '../../protocols/openflow/flow-mod.ts'
import type { FlowStatsRequest } from '../../protocols/openflow/flow-stats.ts'
import { emptyMatch, type Match, setMatchBits } from '../../protocols/openflow/match.ts'
import { OFPP_ANY } from '../../protocols/openflow/port.ts'

/** A match of words of the flow: [word, value] or [word, value, mask]. */
export function matchOf(...bits: readonly (readonly [word: number, value: number, mask?: number])[]): Match {
  const match = emptyMatch()
  for (const [word, value, mask] of bits) setMatchBits(match, word, value, mask ?? 0xffff_ffff)
  return match
}

export function flowMod(command: FlowMod['command'], change: Partial<FlowMod> = {}): FlowMod {
  return newFlowMod({ command, table: command === 'add' ? 0 : OFPTT_ALL, ...change })
}

export function statsRequest(change: Partial<FlowStatsRequest> = {}): FlowStatsRequest {
  return {
    match: emptyMatch(),
    table: OFPTT_ALL,
    outPort: OFPP_ANY,
    outGroup: OFPG_ANY,
    cookie: 0n,
    cookieMask: 0n,
    ...change,
  }
}

export function output(port: number): OfAction {
  return { type: 'output', port, maxLen: 0 }
}
