/** bridge/…: flow tables and controllers, ovs-vswitchd(8) "BRIDGE COMMANDS". */
import { OFPG_ANY, OFPTT_ALL } from '../../protocols/openflow/flow-mod.ts'
import type { FlowStats, FlowStatsRequest } from '../../protocols/openflow/flow-stats.ts'
import { emptyMatch } from '../../protocols/openflow/match.ts'
import { OFPP_ANY } from '../../protocols/openflow/port.ts'
import { formatActions } from '../../protocols/openflow/text/action-format.ts'
import { formatMatch } from '../../protocols/openflow/text/match-format.ts'
import type { UnixctlCommand } from './command-registry.ts'
import { allRows, bridgeNamed, type SwitchView } from './switch-view.ts'

const UNKNOWN = 'Unknown bridge'
const ALL_FLOWS: FlowStatsRequest = {
  match: emptyMatch(),
  table: OFPTT_ALL,
  outPort: OFPP_ANY,
  outGroup: OFPG_ANY,
  cookie: 0n,
  cookieMask: 0n,
}

export function bridgeCommands(view: SwitchView): UnixctlCommand[] {
  return [
    {
      name: 'bridge/dump-flows',
      usage: '[--offload-stats] bridge',
      min: 1,
      max: 2,
      run: async (args) => {
        const { name } = bridgeNamed(view, args.at(-1)!, UNKNOWN)
        const offload = args[0] === '--offload-stats' && args.length === 2
        const rows = await allRows((from) => view.dpif.flowStats(name, ALL_FLOWS, from))
        return rows.map((row) => formatRule(row, offload)).join('')
      },
    },
    {
      name: 'bridge/reconnect',
      usage: '[bridge]',
      min: 0,
      max: 1,
      run: async ([name]) => {
        if (name !== undefined) bridgeNamed(view, name, UNKNOWN)
        await view.reconnect(name)
        return ''
      },
    },
  ]
}

/** What no controller put there, Open vSwitch's tables for its own purposes, is missing: there are none. */
function formatRule(f: FlowStats, offload: boolean): string {
  const parts = [
    ...(f.table === 0 ? [] : [`table_id=${f.table}`]),
    `duration=${f.durationSec}s`,
    `n_packets=${f.packetCount ?? 0}`,
    `n_bytes=${f.byteCount ?? 0}`,
    // No device forwards by itself.
    ...(offload ? ['n_offload_packets=0', 'n_offload_bytes=0'] : []),
  ]
  return `${parts.join(', ')}, ${formatMatch(f.match, undefined, f.priority)},actions=${formatActions(f.actions)}\n`
}
