/** Packets as ovs-ofctl monitor describes them: what a flow for exactly this packet would match. */

import { VLAN_PRESENT, W_VLAN } from '../../protocols/flow-key.ts'
import { formatMatch } from '../../protocols/openflow/text/match-format.ts'
import { matchOfKey, packetKey } from './packet-flow.ts'

/** One line; of a packet that is no Ethernet frame its length. */
export function packetText(packet: Uint8Array): string {
  const key = packetKey(packet)
  if (key === undefined) return `${packet.length} bytes`
  const text = formatMatch(matchOfKey(key, true))
  // A tagged packet is shown with the place for its inner tag.
  const inner = key[W_VLAN]! & 0xffff
  if (((key[W_VLAN]! >>> 16) & VLAN_PRESENT) === 0) return text
  return text.replace(/(,dl_vlan_pcp=\d+)/, `$1,vlan_tci1=0x${inner.toString(16).padStart(4, '0')}`)
}
