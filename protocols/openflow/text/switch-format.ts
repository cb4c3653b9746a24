/** What a switch is, can and is set to, as ovs-ofctl show, dump-desc and get-frags print it. */

import type { SwitchDesc } from '../desc-stats.ts'
import type { SwitchFeatures } from '../features.ts'
import { actionsOfBits } from '../standard-actions.ts'
import type { SwitchConfig } from '../switch-config.ts'
import { OF10, type OfVersion } from '../version.ts'
import { formatActionTypes } from './action-words.ts'
import { formatBits, formatPortDesc } from './port-format.ts'

/** By bit of CAP_*. */
const CAPABILITIES = [
  ...['FLOW_STATS', 'TABLE_STATS', 'PORT_STATS', 'GROUP_STATS', 'STP', 'IP_REASM', 'QUEUE_STATS'],
  ...['ARP_MATCH_IP', 'PORT_BLOCKED', 'BUNDLES', 'FLOW_MONITORING'],
]

/** The lines behind the message's title, beginning on its line. */
export function formatFeatures(f: SwitchFeatures, version: OfVersion): string {
  let s = ` dpid:${f.datapathId.toString(16).padStart(16, '0')}\n`
  s += `n_tables:${f.tables}, n_buffers:${f.buffers}`
  if (f.auxiliaryId !== 0) s += `, auxiliary_id:${f.auxiliaryId}`
  s += `\ncapabilities: ${formatBits(f.capabilities, CAPABILITIES)}`
  if (version === OF10) {
    s += `\nactions: ${formatActionTypes(actionsOfBits(f.actions, version))}`
  }
  for (const port of [...f.ports].sort((a, b) => a.port - b.port)) s += `\n${formatPortDesc(port)}`
  return s
}

export function formatConfig(c: SwitchConfig): string {
  let s = ` frags=${c.frag}`
  if (c.invalidTtlToController === true) s += ' invalid_ttl_to_controller'
  return `${s} miss_send_len=${c.missSendLen}`
}

/** The lines behind the message's title. */
export function formatDesc(d: SwitchDesc): string {
  return [
    `Manufacturer: ${d.manufacturer}`,
    `Hardware: ${d.hardware}`,
    `Software: ${d.software}`,
    `Serial Num: ${d.serial}`,
    `DP Description: ${d.datapath}`,
  ].join('\n')
}
