/** Packets of controllers, and what else concerns packets on their way. */

import type { PacketOutSpec } from '../../../engine/dpif-pipeline.ts'
import type { OfErrorName } from '../../../protocols/openflow/error.ts'
import { NO_BUFFER } from '../../../protocols/openflow/flow-mod.ts'
import { matchInPort } from '../../../protocols/openflow/match.ts'
import type { PacketOut } from '../../../protocols/openflow/packet-out.ts'
import { OFPP_NONE } from '../../../protocols/openflow/port.ts'
import type { Handlers } from './handler.ts'

/** Shorter ones are no Ethernet frames. */
const MIN_PACKET = 14

/** A packet-out as the dataplane takes it. */
export function packetOutOf({ packet, metadata, actions }: PacketOut): {
  packet: Uint8Array
  spec: PacketOutSpec
} {
  return {
    packet,
    spec: { inPort: matchInPort(metadata) ?? OFPP_NONE, metadata: metadata.value, actions },
  }
}

/** What is wrong with a packet-out whatever the dataplane has. */
export function packetOutRefusal({ bufferId, packet }: PacketOut): OfErrorName | undefined {
  // No packet ever waits here.
  if (bufferId !== NO_BUFFER) return 'OFPBRC_BUFFER_UNKNOWN'
  return packet.length < MIN_PACKET ? 'OFPBRC_BAD_PACKET' : undefined
}

export const PACKETS: Handlers = {
  PACKET_OUT(sw, c, body) {
    if (c.state.role === 'secondary') return 'OFPBRC_IS_SECONDARY'
    const { packet, spec } = packetOutOf(body)
    return packetOutRefusal(body) ?? sw.dpif.packetOut(sw.bridge, packet, spec)
  },

  // A secondary may, too, as with Open vSwitch.
  NXT_RESUME: (sw, _c, packetIn) => sw.dpif.resume(packetIn),

  async CT_FLUSH_ZONE(sw, c, zone) {
    if (c.state.role === 'secondary') return 'OFPBRC_IS_SECONDARY'
    await sw.dpif.ctFlush(zone)
    return undefined
  },

  async CT_FLUSH(sw, c, match) {
    if (c.state.role === 'secondary') return 'OFPBRC_IS_SECONDARY'
    await sw.dpif.ctFlush(match.zone, match)
    return undefined
  },

  async NXT_TLV_TABLE_REQUEST(sw, c, _body, message) {
    c.reply(message, 'NXT_TLV_TABLE_REPLY', await sw.dpif.tlvTable(sw.bridge))
  },

  NXT_TLV_TABLE_MOD(sw, c, body) {
    return c.state.role === 'secondary' ? 'OFPBRC_IS_SECONDARY' : sw.dpif.tlvTableMod(sw.bridge, body)
  },
}
