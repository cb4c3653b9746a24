/** Groups and meters: changed, counted and described. */
import { OFPG_ALL, OFPG_ANY, OFPG_MAX } from '../../../protocols/openflow/flow-mod.ts'
import { GFC_CHAINING, GFC_SELECT_LIVENESS, GFC_SELECT_WEIGHT } from '../../../protocols/openflow/group.ts'
import {
  METER_ALL,
  METER_BURST,
  METER_KBPS,
  METER_PKTPS,
  METER_STATS,
} from '../../../protocols/openflow/meter.ts'
import { actionBits } from '../../../protocols/openflow/standard-actions.ts'
import { ACTIONS } from '../table-features.ts'
import type { Handlers } from './handler.ts'

const ALL_TYPES = 0b1111
/** As many as Open vSwitch has (engine/ofproto/meter-table.ts). */
const MAX_METERS = 262_144
const MAX_BANDS = 8
const BAND_DROP = 1 << 1

function wanted(group: number): number | undefined {
  return group === OFPG_ALL || group === OFPG_ANY ? undefined : group
}

export const GROUPS: Handlers = {
  async GROUP_MOD(sw, c, body, message) {
    if (c.state.role === 'secondary') return 'OFPBRC_IS_SECONDARY'
    const error = await sw.dpif.groupMod(sw.bridge, body)
    if (error === undefined) sw.forward(c, { xid: message.xid, reason: 'group_mod', groupMod: body })
    return error
  },

  async GROUP_STATS_REQUEST(sw, c, body, message) {
    await c.replyList(message, 'GROUP_STATS_REPLY', [await sw.dpif.groupStats(sw.bridge, wanted(body.group))])
  },

  async GROUP_DESC_STATS_REQUEST(sw, c, body, message) {
    const descriptions = await sw.dpif.groupDesc(sw.bridge, wanted(body.group))
    await c.replyList(message, 'GROUP_DESC_STATS_REPLY', [descriptions])
  },

  GROUP_FEATURES_STATS_REQUEST(_sw, c, _body, message) {
    const actions = actionBits(ACTIONS, message.version)
    c.reply(message, 'GROUP_FEATURES_STATS_REPLY', {
      types: ALL_TYPES,
      capabilities: GFC_SELECT_WEIGHT | GFC_SELECT_LIVENESS | GFC_CHAINING,
      maxGroups: [OFPG_MAX, OFPG_MAX, OFPG_MAX, OFPG_MAX],
      actions: [actions, actions, actions, actions],
    })
  },
}

export const METERS: Handlers = {
  async METER_MOD(sw, c, body, message) {
    if (c.state.role === 'secondary') return 'OFPBRC_IS_SECONDARY'
    const error = await sw.dpif.meterMod(sw.bridge, body)
    if (error === undefined) sw.forward(c, { xid: message.xid, reason: 'meter_mod', meterMod: body })
    return error
  },

  async METER_STATS_REQUEST(sw, c, { meter }, message) {
    const stats = await sw.dpif.meterStats(sw.bridge, meter === METER_ALL ? undefined : meter)
    if (stats.length === 0 && meter !== METER_ALL) return 'OFPMMFC_UNKNOWN_METER'
    await c.replyList(message, 'METER_STATS_REPLY', [stats])
    return undefined
  },

  async METER_CONFIG_STATS_REQUEST(sw, c, { meter }, message) {
    const configs = await sw.dpif.meterConfig(sw.bridge, meter === METER_ALL ? undefined : meter)
    if (configs.length === 0 && meter !== METER_ALL) return 'OFPMMFC_UNKNOWN_METER'
    await c.replyList(message, 'METER_CONFIG_STATS_REPLY', [configs])
    return undefined
  },

  METER_FEATURES_STATS_REQUEST(_sw, c, _body, message) {
    c.reply(message, 'METER_FEATURES_STATS_REPLY', {
      maxMeters: MAX_METERS,
      bandTypes: BAND_DROP,
      capabilities: METER_KBPS | METER_PKTPS | METER_BURST | METER_STATS,
      maxBands: MAX_BANDS,
      maxColor: 0,
    })
  },
}
