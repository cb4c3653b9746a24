import { readFileSync } from 'node:fs'
import { ALL_VERSIONS } from '../../protocols/openflow/session.ts'
import { parseFlowLine } from '../../protocols/openflow/text/flow-parse.ts'
import { FlowSyntaxError } from '../../protocols/openflow/text/scan.ts'
import { Controller } from '../controller/controller.ts'
import { CliError } from '../errors.ts'
import { formatAddress } from '../net/address.ts'
import { parseVersions } from '../ofctl/versions.ts'
import { parseOfAddress } from '../openflow/address.ts'
import { realClock } from '../services/scheduler.ts'
import { EXIT_ENVIRONMENT, EXIT_USAGE } from './exit-codes.ts'
import { type TlsOptions, tlsFiles } from './options.ts'

/** The options of `controller` as they were written. */
export interface ControllerFlags extends TlsOptions {
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

/** Controls switches until it is interrupted. */
export async function runController(methods: readonly string[], flags: ControllerFlags): Promise<void> {
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
    hub: flags.hub === true,
    normal: flags.normal === true,
    flows: flags.flow,
    maxIdle: flags.maxIdle,
    wildcards: flags.wildcards === true,
    queue: flags.queue,
    portQueues: portQueues(flags.portQueue),
    initialFlows: flowsOf(flags.withFlows),
    versions: flags.protocols === undefined ? ALL_VERSIONS : parseVersions(flags.protocols),
    tls: tlsFiles(flags),
    mute: flags.mute === true,
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
          log(`listening at ${formatAddress(at)}`)
        }
      } catch (error) {
        throw new CliError(`${formatAddress(address)} cannot be listened at: ${(error as Error).message}.`, {
          code: EXIT_ENVIRONMENT,
        })
      }
    }
    await end
  } finally {
    await controller.close()
  }
}
