/** What the switch is and can, and how a connection wants it to be: features, description, configuration. */
import {
  CAP_ARP_MATCH_IP,
  CAP_BUNDLES,
  CAP_FLOW_MONITORING,
  CAP_FLOW_STATS,
  CAP_GROUP_STATS,
  CAP_PORT_STATS,
  CAP_QUEUE_STATS,
  CAP_TABLE_STATS,
} from '../../../protocols/openflow/features.ts'
import { OF13 } from '../../../protocols/openflow/version.ts'
import type { Handlers } from './handler.ts'

const CAPABILITIES =
  CAP_FLOW_STATS |
  CAP_TABLE_STATS |
  CAP_PORT_STATS |
  CAP_GROUP_STATS |
  CAP_QUEUE_STATS |
  CAP_ARP_MATCH_IP |
  CAP_BUNDLES |
  CAP_FLOW_MONITORING
/** Tables 0 to 253. */
const TABLES = 254
/** OpenFlow 1.0 actions 0 to 11: from output to enqueue (1 << OFPAT10_*). */
const ACTIONS10 = 0xfff

export const DESCRIPTION: Handlers = {
  async FEATURES_REQUEST(sw, c, _body, message) {
    c.reply(message, 'FEATURES_REPLY', {
      datapathId: sw.datapathId,
      buffers: 0,
      tables: TABLES,
      auxiliaryId: 0,
      capabilities: CAPABILITIES,
      actions: ACTIONS10,
      ports: message.version < OF13 ? await sw.ports.descriptions() : [],
    })
  },

  GET_CONFIG_REQUEST(sw, c, _body, message) {
    c.reply(message, 'GET_CONFIG_REPLY', {
      frag: sw.frag,
      invalidTtlToController: c.state.invalidTtlToController,
      missSendLen: c.state.missSendLen,
    })
  },

  async SET_CONFIG(sw, c, body) {
    if (c.state.role !== 'secondary') await sw.setFragments(body.frag)
    c.state.missSendLen = body.missSendLen
    if (body.invalidTtlToController !== undefined) {
      c.state.invalidTtlToController = body.invalidTtlToController
    }
  },

  DESC_STATS_REQUEST(sw, c, _body, message) {
    c.reply(message, 'DESC_STATS_REPLY', {
      manufacturer: 'vswitchd-ts',
      hardware: 'Open vSwitch compatible',
      software: sw.version,
      serial: 'None',
      datapath: sw.bridge,
    })
  },

  BARRIER_REQUEST(_sw, c, _body, message) {
    // Messages are carried out one after the other: all before this one has been done.
    c.reply(message, 'BARRIER_REPLY', undefined)
  },

  ERROR() {},
}
