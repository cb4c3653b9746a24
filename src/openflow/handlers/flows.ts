/** Flow-mods, and what there is to know about flows and tables. */
import type { Page } from '../../../engine/dpif.ts'
import { isFault, type OfErrorName } from '../../../protocols/openflow/error.ts'
import { type FlowMod, NO_BUFFER } from '../../../protocols/openflow/flow-mod.ts'
import type { FlowStats, FlowStatsRequest } from '../../../protocols/openflow/flow-stats.ts'
import { decodeMessage } from '../../../protocols/openflow/message.ts'
import { messageXid } from '../../../protocols/openflow/message-header.ts'
import type { Connection } from '../connection.ts'
import type { FlowModMessage } from '../flow-mod-message.ts'
import type { OpenflowSwitch } from '../openflow-switch.ts'
import type { Handlers } from './handler.ts'

/**
 * Flow-mods that came one behind the other, as one command: of connections that may not change anything, and where
 * somebody watches who changes what. Others are handed over to the dataplane as they come.
 */
export async function flowMods(
  sw: OpenflowSwitch,
  c: Connection,
  messages: readonly FlowModMessage[],
): Promise<void> {
  if (c.state.role === 'secondary') {
    for (const { bytes } of messages) c.error(bytes, 'OFPBRC_IS_SECONDARY')
    return
  }
  const errors: (OfErrorName | undefined)[] = []
  const mods: FlowMod[] = []
  const places: number[] = []
  for (const [place, { bytes, tableIdExtension }] of messages.entries()) {
    const message = decodeMessage(bytes, { tableIdExtension })
    if (isFault(message)) errors[place] = message.error
    else if (message.type === 'FLOW_MOD') {
      mods.push(message.body)
      places.push(place)
    }
  }
  const xids = places.map((place) => messageXid(messages[place]!.bytes))
  const failures = await sw.monitors.caused({ connection: c, xids, atomic: false }, (origin) =>
    sw.dpif.flowMod(sw.bridge, mods, false, origin),
  )
  for (const { index, error } of failures) errors[places[index]!] = error
  // A flow-mod may name a waiting packet; none ever waits here.
  for (const [i, { bufferId }] of mods.entries()) {
    if (bufferId !== NO_BUFFER) errors[places[i]!] ??= 'OFPBRC_BUFFER_UNKNOWN'
  }
  for (const [place, error] of errors.entries())
    if (error !== undefined) c.error(messages[place]!.bytes, error)
}

async function* pages(sw: OpenflowSwitch, request: FlowStatsRequest): AsyncGenerator<FlowStats[]> {
  const read = (from: number): Promise<Page<FlowStats>> => {
    const page = sw.dpif.flowStats(sw.bridge, request, from)
    // Nobody awaits it if the peer has left meanwhile.
    page.catch(() => {})
    return page
  }
  for (let page: Promise<Page<FlowStats>> | undefined = read(0); page !== undefined; ) {
    const { rows, next }: Page<FlowStats> = await page
    // The dataplane makes the next page while this one is written.
    page = next === undefined ? undefined : read(next)
    yield rows
  }
}

export const FLOWS: Handlers = {
  async FLOW_STATS_REQUEST(sw, c, body, message) {
    await c.replyList(message, 'FLOW_STATS_REPLY', pages(sw, body))
  },

  async AGGREGATE_STATS_REQUEST(sw, c, body, message) {
    c.reply(message, 'AGGREGATE_STATS_REPLY', await sw.dpif.aggregateStats(sw.bridge, body))
  },

  SET_FLOW_FORMAT(_sw, c, body) {
    c.state.nxm = body !== 'openflow10'
  },

  // Heeded by the connection when it is read: it changes how what follows is read.
  FLOW_MOD_TABLE_ID() {},

  FLOW_AGE() {},
}
