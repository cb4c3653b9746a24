/** Commands that ask how queues are set and what they have counted. */
import { OFPP_ALL, OFPP_ANY, OFPP_MAX } from '../../protocols/openflow/port.ts'
import { QUEUE_ALL } from '../../protocols/openflow/queue.ts'
import { parsePort } from '../../protocols/openflow/text/names.ts'
import { syntaxError } from '../../protocols/openflow/text/scan.ts'
import { OF10 } from '../../protocols/openflow/version.ts'
import type { Runs } from './command.ts'
import { type Context, usage } from './context.ts'
import type { SwitchConnection } from './switch-connection.ts'
import { portsOf } from './switch-names.ts'

/** The port and the queue of the command line; OFPP_ANY and QUEUE_ALL unless they are named. */
async function which(context: Context, c: SwitchConnection): Promise<{ port: number; queue: number }> {
  const [, portText = 'ANY', queueText = 'ALL'] = context.args
  const isAny = /^(any|all)$/i.test(portText)
  const port = isAny
    ? OFPP_ANY
    : await context.parse(
        c,
        (names) => parsePort(portText, names) ?? syntaxError(`there is no port ${portText}`),
      )
  const queue = queueText.toUpperCase() === 'ALL' ? QUEUE_ALL : Number(queueText)
  if (!Number.isInteger(queue) || queue < 0) throw usage(`"${queueText}" is no queue.`)
  return { port, queue }
}

async function queueStats(context: Context): Promise<void> {
  const c = await context.connect()
  const { port, queue } = await which(context, c)
  const asked = port === OFPP_ANY && c.version === OF10 ? OFPP_ALL : port
  await context.print(c, await c.request('QUEUE_STATS_REQUEST', { port: asked, queue }, 'QUEUE_STATS_REPLY'))
}

async function queueGetConfig(context: Context): Promise<void> {
  const c = await context.connect()
  const { port, queue } = await which(context, c)
  // OpenFlow 1.0 tells of one port at a time.
  const each = port === OFPP_ANY && c.version === OF10
  const ports = each ? (await portsOf(c)).map((p) => p.port).filter((p) => p < OFPP_MAX) : [port]
  for (const one of ports) {
    const reply = await c.request('QUEUE_GET_CONFIG_REQUEST', { port: one, queue }, 'QUEUE_GET_CONFIG_REPLY')
    await context.print(c, reply)
  }
}

export const RUNS: Runs = { 'queue-stats': queueStats, 'queue-get-config': queueGetConfig }
