/** What every command of `ofctl` is given: its arguments, the options, and ways to the switch and to the terminal. */

import { readFileSync } from 'node:fs'
import type { Message } from '../../protocols/openflow/message.ts'
import { formatMessage, type MessageFormatOptions } from '../../protocols/openflow/text/message-format.ts'
import type { NameMaps } from '../../protocols/openflow/text/names.ts'
import { FlowSyntaxError } from '../../protocols/openflow/text/scan.ts'
import { EXIT_FAILURE, EXIT_USAGE } from '../cli/exit-codes.ts'
import { print } from '../cli/output.ts'
import { CliError } from '../errors.ts'
import type { TlsFiles } from '../net/stream.ts'
import { switchAddress } from './switch-address.ts'
import { SwitchConnection } from './switch-connection.ts'
import { namesOf, withNames } from './switch-names.ts'

export interface SortCriterion {
  readonly field: string
  readonly descending: boolean
}

export interface OfctlOptions {
  readonly rundir: string
  /** 1 << version. */
  readonly versions: number
  readonly tls?: TlsFiles | undefined
  readonly strict: boolean
  readonly bundle: boolean
  readonly readd: boolean
  readonly mayCreate: boolean
  readonly stats: boolean
  /** Names may be used in what is read; shown only if `showNames`. */
  readonly names: boolean
  readonly showNames: boolean
  readonly timestamp: boolean
  readonly packetInFormat?: string | undefined
  readonly sort: readonly SortCriterion[]
}

/** What was written cannot be read as what it should be. */
export function syntaxProblem(where: string, error: FlowSyntaxError): CliError {
  return new CliError(`${where}${error.message}.`, {
    code: EXIT_USAGE,
    hint: 'ovs-ofctl(8), ovs-fields(7) and ovs-actions(7) describe flows, fields and actions.',
  })
}

export class Context {
  readonly args: readonly string[]
  readonly options: OfctlOptions
  #connections: SwitchConnection[] = []

  constructor(args: readonly string[], options: OfctlOptions) {
    this.args = args
    this.options = options
  }

  /** Connects to the switch that the first argument names, or another one. */
  async connect(target = this.args[0]!, versions = this.options.versions): Promise<SwitchConnection> {
    const { rundir, tls } = this.options
    const connection = await SwitchConnection.open(target, switchAddress(target, rundir), { versions, tls })
    this.#connections.push(connection)
    return connection
  }

  /** Connections do not outlive the command. */
  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  /** Reads text that may use the switch's names; a mistake in it becomes a CliError. */
  async parse<T>(
    connection: SwitchConnection,
    parse: (names: NameMaps | undefined) => T,
    where = '',
  ): Promise<T> {
    try {
      return await withNames(connection, this.options.names, parse)
    } catch (error) {
      throw error instanceof FlowSyntaxError ? syntaxProblem(where, error) : error
    }
  }

  /** Reads text that uses no names. */
  read<T>(parse: () => T): T {
    try {
      return parse()
    } catch (error) {
      throw error instanceof FlowSyntaxError ? syntaxProblem('', error) : error
    }
  }

  /** The names to print with: undefined unless they are to be shown. */
  async shownNames(connection: SwitchConnection): Promise<NameMaps | undefined> {
    return this.options.showNames ? namesOf(connection, true) : undefined
  }

  async print(connection: SwitchConnection, message: Message): Promise<void> {
    const names = await this.shownNames(connection)
    const options: MessageFormatOptions = names === undefined ? {} : { names }
    print(formatMessage(message, options))
  }

  /** The lines of a file, or of standard input for `-`, that say something: without comments, with their numbers. */
  lines(file: string): { readonly number: number; readonly text: string }[] {
    let text: string
    try {
      text = readFileSync(file === '-' ? 0 : file, 'utf8')
    } catch (error) {
      throw new CliError(`${file} cannot be read: ${(error as Error).message}.`, { code: EXIT_FAILURE })
    }
    return text
      .split('\n')
      .map((line, i) => ({ number: i + 1, text: line.replace(/#.*$/, '').trim() }))
      .filter((line) => line.text !== '')
  }

  /** Parses each line of a file; the complaint about a bad one says where it stands. */
  async parseLines<T>(
    connection: SwitchConnection,
    file: string,
    parse: (text: string, names: NameMaps | undefined) => T,
  ): Promise<T[]> {
    const lines = this.lines(file)
    let number = 0
    try {
      return await withNames(connection, this.options.names, (names) =>
        lines.map((line) => {
          number = line.number
          return parse(line.text, names)
        }),
      )
    } catch (error) {
      throw error instanceof FlowSyntaxError ? syntaxProblem(`${file}:${number}: `, error) : error
    }
  }
}

/** A wrong argument. */
export function usage(message: string, hint?: string): CliError {
  return new CliError(message, { code: EXIT_USAGE, ...(hint !== undefined && { hint }) })
}
