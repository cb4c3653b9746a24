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
    const refusal = await sw.ports.refusal(body)
    if (refusal !== undefined) return refusal
    await sw.configurePort(c, body)
    return undefined
  },
}
