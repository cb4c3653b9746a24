/** What a connection asks for itself: its role, which messages it gets, in what form. */
import { ASYNC_TYPES } from '../../../protocols/openflow/async-config.ts'
import type { Handlers } from './handler.ts'

export const CONNECTION_SETTINGS: Handlers = {
  ROLE_REQUEST(sw, c, body, message) {
    const { role, generationId } = body
    if (role !== 'nochange') {
      // Only who wants to be the one or none of the many competes by generation (OpenFlow 1.3.1 §6.3.4).
      if (generationId !== undefined && role !== 'equal' && !sw.roles.accept(generationId))
        return 'OFPRRFC_STALE'
      sw.setRole(c, role)
    }
    c.reply(message, 'ROLE_REPLY', { role: c.state.role, generationId: sw.roles.generationId })
  },

  SET_ASYNC_CONFIG(_sw, c, body) {
    const { asyncConfig } = c.state
    for (const type of ASYNC_TYPES) {
      const change = body[type]
      if (change !== undefined) asyncConfig[type] = { ...asyncConfig[type], ...change }
    }
  },

  GET_ASYNC_REQUEST(_sw, c, _body, message) {
    c.reply(message, 'GET_ASYNC_REPLY', c.state.asyncConfig)
  },

  SET_PACKET_IN_FORMAT(_sw, c, body) {
    c.state.packetInFormat = body
  },

  SET_CONTROLLER_ID(_sw, c, body) {
    c.state.controllerId = body
  },
}
