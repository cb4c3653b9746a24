/** Packets of controllers, and what else concerns packets on their way. */

import type { CtTuple } from '../../../protocols/openflow/ct-flush.ts'
import { NO_BUFFER } from '../../../protocols/openflow/flow-mod.ts'
import { matchInPort } from '../../../protocols/openflow/match.ts'
import { OFPP_NONE } from '../../../protocols/openflow/port.ts'
import type { Handlers } from './handler.ts'

/** Shorter ones are no Ethernet frames. */
const MIN_PACKET = 14

function saysNothing(tuple: CtTuple): boolean {
  return Object.values(tuple).every((part) => part === undefined)
}

export const PACKETS: Handlers = {
  async PACKET_OUT(sw, c, { bufferId, packet, metadata, actions }) {
    if (c.state.role === 'secondary') return 'OFPBRC_IS_SECONDARY'
    // No packet ever waits here.
    if (bufferId !== NO_BUFFER) return 'OFPBRC_BUFFER_UNKNOWN'
    if (packet.length < MIN_PACKET) return 'OFPBRC_BAD_PACKET'
    await sw.dpif.packetOut(sw.bridge, packet, {
      inPort: matchInPort(metadata) ?? OFPP_NONE,
      metadata: metadata.value,
      actions,
    })
    return undefined
  },

  NXT_RESUME(_sw, c) {
    return c.state.role === 'secondary' ? 'OFPBRC_IS_SECONDARY' : 'NXR_NOT_SUPPORTED'
  },

  async CT_FLUSH_ZONE(sw, c, zone) {
    if (c.state.role === 'secondary') return 'OFPBRC_IS_SECONDARY'
    await sw.dpif.ctFlush(zone)
    return undefined
  },

  async CT_FLUSH(sw, c, { zone, original, reply }) {
    if (c.state.role === 'secondary') return 'OFPBRC_IS_SECONDARY'
    if (!saysNothing(original) || !saysNothing(reply)) return 'NXR_NOT_SUPPORTED'
    await sw.dpif.ctFlush(zone)
    return undefined
  },

  async NXT_TLV_TABLE_REQUEST(sw, c, _body, message) {
    c.reply(message, 'NXT_TLV_TABLE_REPLY', await sw.dpif.tlvTable(sw.bridge))
  },

  NXT_TLV_TABLE_MOD(sw, c, body) {
    return c.state.role === 'secondary' ? 'OFPBRC_IS_SECONDARY' : sw.dpif.tlvTableMod(sw.bridge, body)
  },
}
