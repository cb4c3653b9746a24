/** Ports: described, counted and configured; and their queues, of which there are none. */
import { isMultipart } from '../../../protocols/openflow/message-forms.ts'
import { OFPP_ANY } from '../../../protocols/openflow/port.ts'
import { QUEUE_ALL } from '../../../protocols/openflow/queue.ts'
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

  async QUEUE_STATS_REQUEST(sw, c, body, message) {
    const wanted = await sw.ports.descriptions(body.port)
    if (wanted.length === 0 && body.port !== OFPP_ANY) return 'OFPQOFC_BAD_PORT'
    if (body.queue !== QUEUE_ALL) return 'OFPQOFC_BAD_QUEUE'
    await c.replyList(message, 'QUEUE_STATS_REPLY', [])
    return undefined
  },

  async QUEUE_GET_CONFIG_REQUEST(sw, c, body, message) {
    const wanted = await sw.ports.descriptions(body.port)
    if (wanted.length === 0 && body.port !== OFPP_ANY) return 'OFPQOFC_BAD_PORT'
    if (body.queue !== QUEUE_ALL) return 'OFPQOFC_BAD_QUEUE'
    if (isMultipart(message.form)) await c.replyList(message, 'QUEUE_GET_CONFIG_REPLY', [])
    else c.reply(message, 'QUEUE_GET_CONFIG_REPLY', [])
    return undefined
  },
}
