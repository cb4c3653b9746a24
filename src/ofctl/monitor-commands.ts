/** Commands that watch a switch until they are stopped, and those that ask whether it is there. */

import { isFault } from '../../protocols/openflow/error.ts'
import { highestVersion } from '../../protocols/openflow/hello.ts'
import { decodeMessage, encodeMessage, type Message } from '../../protocols/openflow/message.ts'
import { MessageReader } from '../../protocols/openflow/message-reader.ts'
import type { PacketInFormat } from '../../protocols/openflow/packet-in.ts'
import { parseFlowMonitor } from '../../protocols/openflow/text/flow-monitor-parse.ts'
import { formatMessage } from '../../protocols/openflow/text/message-format.ts'
import type { OfVersion } from '../../protocols/openflow/version.ts'
import { OF10, OF13 } from '../../protocols/openflow/version.ts'
import { SECOND } from '../../protocols/time.ts'
import { print } from '../cli/output.ts'
import { CliError } from '../errors.ts'
import { openStream } from '../net/stream.ts'
import { realClock } from '../services/scheduler.ts'
import type { Runs } from './command.ts'
import { type Context, usage } from './context.ts'
import { packetText } from './packet-text.ts'
import { switchAddress } from './switch-address.ts'
import { Refusal, type SwitchConnection } from './switch-connection.ts'

const FORMATS: Readonly<Record<string, PacketInFormat>> = {
  standard: 'standard',
  openflow10: 'standard',
  nxt_packet_in: 'nxt_packet_in',
  nxm: 'nxt_packet_in',
  nxt_packet_in2: 'nxt_packet_in2',
}

/** Asks for the best packet-ins the switch has, or for those that were named. */
async function setPacketInFormat(c: SwitchConnection, wanted: string | undefined): Promise<void> {
  if (wanted !== undefined) {
    const format = FORMATS[wanted]
    if (format === undefined)
      throw usage(`"${wanted}" is no format of packet-ins.`, Object.keys(FORMATS).join(', '))
    return c.change('SET_PACKET_IN_FORMAT', format)
  }
  const choices: readonly PacketInFormat[] =
    c.version === OF10 ? ['nxt_packet_in2', 'nxt_packet_in'] : ['nxt_packet_in2']
  for (const format of choices) {
    try {
      return await c.change('SET_PACKET_IN_FORMAT', format)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
    }
  }
}

function printEvent(context: Context, message: Message, names: Parameters<typeof formatMessage>[1]): void {
  const stamp = context.options.timestamp ? `${new Date(realClock.now()).toISOString()}: ` : ''
  print(stamp + formatMessage(message, names))
}

async function monitor(context: Context): Promise<void> {
  const [, ...words] = context.args
  const c = await context.connect()
  const names = await context.shownNames(c)
  const format = { ...(names !== undefined && { names }), packetText }
  let resuming = false
  const stopped = c.listen((message) => {
    printEvent(context, message, format)
    // Packets that a flow paused go on after they have been shown.
    const paused = message.type === 'PACKET_IN' && message.body.continuation !== undefined
    if (resuming && paused) c.send('NXT_RESUME', message.body)
  })
  let id = 0
  const config = (await c.request('GET_CONFIG_REQUEST', undefined, 'GET_CONFIG_REPLY')).body
  let wanted = config
  const watches: string[] = []
  for (const word of words) {
    if (/^\d+$/.test(word)) wanted = { ...wanted, missSendLen: Number(word) }
    else if (word === 'invalid_ttl') {
      if (c.version >= OF13) {
        throw usage(
          'invalid_ttl is of OpenFlow 1.0 to 1.2.',
          'Later a flow says controller(reason=invalid_ttl).',
        )
      }
      wanted = { ...wanted, invalidTtlToController: true }
    } else if (word === 'resume') resuming = true
    else if (word.startsWith('watch:')) watches.push(word.slice('watch:'.length))
    else
      throw usage(`"${word}" is nothing to monitor.`, 'It is MISS_LEN, invalid_ttl, resume or watch:[SPEC].')
  }
  if (wanted !== config) await c.change('SET_CONFIG', wanted)
  for (const text of watches) {
    const request = await context.parse(c, (known) => parseFlowMonitor(text, id++, known))
    const initial = await c.request('FLOW_MONITOR_STATS_REQUEST', [request], 'FLOW_MONITOR_STATS_REPLY')
    printEvent(context, initial, format)
  }
  await setPacketInFormat(c, context.options.packetInFormat)
  throw new CliError(`The connection to the switch was lost: ${await stopped}.`)
}

/** Listens to what the switch and its controller say to each other; every message as it comes, of any version. */
async function snoop(context: Context): Promise<void> {
  const { rundir, versions, tls } = context.options
  const address = switchAddress(context.args[0]!, rundir, 'snoop')
  const duplex = await openStream(address, tls, AbortSignal.timeout(10 * SECOND)).catch((error: Error) => {
    throw new CliError(`${context.args[0]} cannot be listened to: ${error.message}.`)
  })
  const version = highestVersion(versions) as OfVersion
  duplex.write(encodeMessage('HELLO', { versions }, { version, xid: 1 })!)
  const reader = new MessageReader()
  let greeted = false
  const reason = await new Promise<string>((resolve) => {
    duplex.on('data', (chunk: Buffer) => {
      reader.push(chunk, (bytes) => {
        const message = decodeMessage(bytes)
        if (!greeted && !isFault(message) && message.type === 'HELLO') greeted = true
        else if (isFault(message)) print(`***decode error: ${message.error}***`)
        else printEvent(context, message, { packetText })
        return true
      })
      if (reader.failure !== undefined) resolve('what came is not OpenFlow')
    })
    duplex.on('error', (error: Error) => resolve(error.message))
    duplex.on('close', () => resolve('the switch closed it'))
  })
  duplex.destroy()
  throw new CliError(`The connection to the switch was lost: ${reason}.`)
}

/** The switch is there if it agrees on a version and answers. */
async function probe(context: Context): Promise<void> {
  await (await context.connect()).barrier()
}

const PINGS = 10

async function ping(context: Context): Promise<void> {
  const [target, sizeText = '56'] = context.args
  const size = Number(sizeText)
  if (!Number.isInteger(size) || size < 0 || size > 0xffff - 8)
    throw usage(`"${sizeText}" is no number of bytes.`)
  const c = await context.connect()
  for (let i = 0; i < PINGS; i++) {
    const payload = new Uint8Array(size).map((_, at) => at & 0xff)
    const start = realClock.now()
    const xid = await c.echo(payload)
    const took = (realClock.now() - start).toFixed(1)
    print(`${size + 8} bytes from ${target}: xid=${xid.toString(16).padStart(8, '0')} time=${took} ms`)
  }
}

export const RUNS: Runs = {
  monitor,
  snoop,
  probe,
  ping,
}
