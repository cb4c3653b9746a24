/** Queues of ports: counted and described. */

import type { QueueRow } from '../../../engine/dpif-qos.ts'
import type { OfErrorName } from '../../../protocols/openflow/error.ts'
import { isMultipart } from '../../../protocols/openflow/message-forms.ts'
import { OFPP_ANY } from '../../../protocols/openflow/port.ts'
import { QUEUE_ALL, type QueueConfig, type QueueStats } from '../../../protocols/openflow/queue.ts'
import type { OpenflowSwitch } from '../openflow-switch.ts'
import type { Handlers } from './handler.ts'

export const QUEUES: Handlers = {
  async QUEUE_STATS_REQUEST(sw, c, { port, queue }, message) {
    const rows = await queuesOf(sw, port)
    if (rows === undefined) return 'OFPQOFC_BAD_PORT'
    const wanted = chosen(rows, queue)
    if (wanted === undefined) return 'OFPQOFC_BAD_QUEUE'
    await c.replyList(message, 'QUEUE_STATS_REPLY', [wanted.map(statsOf)])
    return undefined
  },

  async QUEUE_GET_CONFIG_REQUEST(sw, c, { port, queue }, message) {
    const rows = await queuesOf(sw, port)
    if (rows === undefined) return 'OFPQOFC_BAD_PORT'
    const wanted = chosen(rows, queue)
    if (wanted === undefined) return noSuchQueue(port)
    const configs = wanted.map(configOf)
    if (isMultipart(message.form)) await c.replyList(message, 'QUEUE_GET_CONFIG_REPLY', [configs])
    else c.reply(message, 'QUEUE_GET_CONFIG_REPLY', configs)
    return undefined
  },
}

/** The queues of a port, or of all of a bridge; undefined when there is no such port. */
async function queuesOf(sw: OpenflowSwitch, port: number): Promise<QueueRow[] | undefined> {
  if (port !== OFPP_ANY && (await sw.ports.descriptions(port)).length === 0) return undefined
  const rows = await sw.dpif.queues()
  return rows
    .filter((row) => row.bridge === sw.bridge && (port === OFPP_ANY || row.ofport === port))
    .sort((a, b) => a.ofport - b.ofport)
}

/** Those of one number, or all; undefined when there is none of that number. */
function chosen(rows: QueueRow[], queue: number): QueueRow[] | undefined {
  if (queue === QUEUE_ALL) return rows
  const found = rows.filter((row) => row.queue === queue)
  return found.length === 0 ? undefined : found
}

/** Open vSwitch tells apart whether one port was asked for its configuration or all. */
function noSuchQueue(port: number): OfErrorName {
  return port === OFPP_ANY ? 'OFPQOFC_BAD_QUEUE' : 'NXQOFC_QUEUE_ERROR'
}

function statsOf(row: QueueRow): QueueStats {
  return {
    port: row.ofport,
    queue: row.queue,
    txBytes: row.txBytes,
    txPackets: row.txPackets,
    txErrors: row.txErrors,
    durationSec: Math.floor(row.age / 1000),
    durationNsec: Math.floor((row.age % 1000) * 1e6),
  }
}

/** Rates in tenths of a percent of the port's; those that nobody asked for are not told. */
function configOf(row: QueueRow): QueueConfig {
  const { minRate, maxRate } = row.spec
  const share = (rate: number | undefined) =>
    rate === undefined ? undefined : Math.min(1000, Math.round((1000 * rate) / row.portRate))
  return { port: row.ofport, queue: row.queue, minRate: share(minRate), maxRate: share(maxRate) }
}
