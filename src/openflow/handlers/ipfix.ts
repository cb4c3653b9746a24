/** Statistics of IPFIX exporters; those of a bridge that has none are not there to be asked for. */
import type { Handlers } from './handler.ts'

export const IPFIX: Handlers = {
  IPFIX_BRIDGE_STATS_REQUEST(sw, c, _body, message) {
    const stats = sw.ipfix.bridgeStats(sw.bridge)
    if (stats === undefined) return 'NXST_NOT_CONFIGURED'
    c.reply(message, 'IPFIX_BRIDGE_STATS_REPLY', stats)
    return undefined
  },

  async IPFIX_FLOW_STATS_REQUEST(sw, c, _body, message) {
    const stats = sw.ipfix.flowStats(sw.bridge)
    if (stats.length === 0) return 'NXST_NOT_CONFIGURED'
    await c.replyList(message, 'IPFIX_FLOW_STATS_REPLY', [stats])
    return undefined
  },
}
