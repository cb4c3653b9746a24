import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ALL_VERSIONS } from '../../../protocols/openflow/session.ts'
import { parseFlowLine } from '../../../protocols/openflow/text/flow-parse.ts'
import { FlowSyntaxError } from '../../../protocols/openflow/text/scan.ts'
import { Controller } from '../../controller/controller.ts'
import { CliError } from '../../errors.ts'
import { parseVersions } from '../../ofctl/versions.ts'
import { formatOfAddress, parseOfAddress } from '../../openflow/address.ts'
import { realClock } from '../../services/scheduler.ts'
import { EXIT_ENVIRONMENT, EXIT_USAGE } from '../exit-codes.ts'
import { type TlsOptions, tlsFiles, tlsOptions } from '../options.ts'

interface RawOptions extends TlsOptions {
  readonly hub?: boolean
  readonly flow: boolean
  readonly normal?: boolean
  readonly mute?: boolean
  readonly wildcards?: boolean
  readonly maxIdle: number
  readonly queue?: number
  readonly portQueue: readonly string[]
  readonly withFlows: readonly string[]
  readonly protocols?: string
}

function seconds(text: string): number {
  if (text === 'permanent') return 0
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1 || n > 65535) {
    throw new InvalidArgumentError('It must be a number of seconds, 1 to 65535, or permanent.')
  }
  return n
}

function queueNumber(text: string): number {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 0 || n > 0xffff_fffe)
    throw new InvalidArgumentError('It must be the number of a queue.')
  return n
}

/** The lines that say something. What is wrong in them is told now, not when the first switch comes. */
function flowsOf(files: readonly string[]): string[] {
  return files.flatMap((file) => {
    let text: string
    try {
      text = readFileSync(file === '-' ? 0 : file, 'utf8')
    } catch (error) {
      throw new CliError(`${file} cannot be read: ${(error as Error).message}.`)
    }
    const lines = text.split('\n').map((line) => line.replace(/#.*$/, '').trim())
    for (const [i, line] of lines.entries()) {
      try {
        // Names of ports are not known yet: any will do.
        const any = { numberOf: () => 1, nameOf: () => undefined }
        if (line !== '') parseFlowLine(line, { ports: any, tables: any })
      } catch (error) {
        if (!(error instanceof FlowSyntaxError)) throw error
        throw new CliError(`${file}:${i + 1}: ${error.message}.`, {
          code: EXIT_USAGE,
          hint: 'Flows are written as for ovs-ofctl(8) add-flows.',
        })
      }
    }
    return lines.filter((line) => line !== '')
  })
}

function portQueues(list: readonly string[]): Map<string, number> {
  return new Map(
    list.map((text) => {
      const [, port, queue] = /^(.+):(\d+)$/.exec(text) ?? []
      if (port === undefined) {
        throw new CliError(`"${text}" is no port and queue.`, { code: EXIT_USAGE, hint: 'Write PORT:QUEUE.' })
      }
      return [port, Number(queue)] as const
    }),
  )
}

/** Resolves when the person at the terminal, or the system, wants the end. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}

async function control(methods: readonly string[], raw: RawOptions): Promise<void> {
  const addresses = methods.map((text) => {
    const address = parseOfAddress(text)
    if (address !== undefined) return address
    throw new CliError(`"${text}" is no OpenFlow connection.`, {
      code: EXIT_USAGE,
      hint: 'Connections are ptcp:[PORT][:HOST], pssl:…, punix:FILE, tcp:HOST[:PORT], ssl:… and unix:FILE.',
    })
  })
  const log = (line: string): void => void process.stderr.write(`${line}\n`)
  const controller = new Controller({
    hub: raw.hub === true,
    normal: raw.normal === true,
    flows: raw.flow,
    maxIdle: raw.maxIdle,
    wildcards: raw.wildcards === true,
    queue: raw.queue,
    portQueues: portQueues(raw.portQueue),
    initialFlows: flowsOf(raw.withFlows),
    versions: raw.protocols === undefined ? ALL_VERSIONS : parseVersions(raw.protocols),
    tls: tlsFiles(raw),
    mute: raw.mute === true,
    clock: realClock,
    log,
  })
  const end = interrupted()
  try {
    for (const address of addresses) {
      try {
        const listener = await controller.add(address)
        if (listener !== undefined) {
          const at =
            address.method !== 'unix' && listener.port !== undefined
              ? { ...address, port: listener.port }
              : address
          log(`listening at ${formatOfAddress(at)}`)
        }
      } catch (error) {
        throw new CliError(
          `${formatOfAddress(address)} cannot be listened at: ${(error as Error).message}.`,
          {
            code: EXIT_ENVIRONMENT,
          },
        )
      }
    }
    await end
  } finally {
    await controller.close()
  }
}

export function controllerCommand(): Command {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
  const command = new Command('controller')
    .description('control OpenFlow switches: make learning switches, or hubs, of them')
    .argument(
      '<methods...>',
      'where switches are: ptcp:[PORT], punix:FILE, tcp:HOST[:PORT], unix:FILE, pssl:, ssl:',
    )
    .option('-H, --hub', 'flood every packet')
    .option('-n, --no-flow', 'set up no flows, send every packet oneself')
    .option('-N, --normal', 'leave the choice of the port to the switch, where the destination is known')
    .option('-w, --wildcards', 'flows for addresses rather than for connections')
    .option('--mute', 'never answer a switch, to see what it does without')
    .addOption(
      new Option('--max-idle <seconds>', 'how long unused flows stay, or permanent')
        .argParser(seconds)
        .default(60),
    )
    .addOption(new Option('-q, --queue <id>', 'queue to send by').argParser(queueNumber))
    .option('-Q, --port-queue <port:queue>', 'queue for packets from a port', collect, [])
    .option('--with-flows <file>', 'flows that a switch gets when it connects', collect, [])
    .option('-O, --protocols <versions>', 'versions allowed, as OpenFlow10,OpenFlow13 (default: 1.0 to 1.5)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ vswitchd-ts controller ptcp:6653\n  $ vswitchd-ts controller --hub unix:/var/run/openvswitch/br0.mgmt\n  $ vswitchd-ts controller --with-flows flows.txt ptcp:6653:127.0.0.1',
    )
    .action((methods: string[], raw: RawOptions) => control(methods, raw))
  for (const option of tlsOptions()) command.addOption(option)
  return command
}
