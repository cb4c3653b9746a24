/** Ports: described, counted and configured. */
import type { Handlers } from './handler.ts'

export const PORTS: Handlers = {
  async PORT_DESC_STATS_REQUEST(sw, c, body, message) {
    await c.replyList(message, 'PORT_DESC_STATS_REPLY', [await sw.ports.descriptions(body?.port)])
  },

  async PORT_STATS_REQUEST(sw, c, body, message) {
    await c.replyList(message, 'PORT_STATS_REPLY', [await sw.ports.stats(body.port)])
  },

  async PORT_MOD(sw, c, body) {
    if (c.state.role === 'secondary') return 'OFPBRC_IS_SECONDARY'
    switch (await sw.ports.configure(body.port, body.hwAddr, body.config, body.mask)) {
      case 'no-port':
        return 'OFPPMFC_BAD_PORT'
      case 'wrong-address':
        return 'OFPPMFC_BAD_HW_ADDR'
      case 'done':
        await sw.portsChanged()
    }
    return undefined
  },
}
