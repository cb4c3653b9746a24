/** The command line of ovs-vsctl(8): options for all, then commands with options of their own, parted by `--`. */

import { join } from 'node:path'
import { TLS_OPTIONS } from '../process/daemon-options.ts'
import type { Directories } from '../process/directories.ts'
import { CommandLineError, type GivenOption, type OptionSpec, parseCommandLine } from '../process/getopt.ts'
import { type VsctlCommand, VsctlError } from './command.ts'
import { COMMANDS } from './commands.ts'
import { CELL_FORMATS, TABLE_FORMATS, type TableStyle } from './text-table.ts'

/** For all commands. */
export const GLOBAL: readonly OptionSpec[] = [
  { long: 'db', argument: 'required' },
  { long: 'timeout', short: 't', argument: 'required' },
  { long: 'format', short: 'f', argument: 'required' },
  { long: 'data', short: 'd', argument: 'required' },
  { long: 'max-column-width', argument: 'required' },
  { long: 'help', short: 'h', argument: 'none' },
  { long: 'version', short: 'V', argument: 'none' },
  { long: 'commands', argument: 'none' },
  { long: 'options', argument: 'none' },
  ...['no-syslog', 'no-wait', 'dry-run', 'oneline', 'retry', 'leader-only', 'no-leader-only', 'bare'].map(
    none,
  ),
  ...['shuffle-remotes', 'no-shuffle-remotes', 'no-headings', 'pretty'].map(none),
  { long: 'verbose', short: 'v', argument: 'optional' },
  { long: 'log-file', argument: 'optional' },
  { long: 'syslog-method', argument: 'required' },
  { long: 'syslog-target', argument: 'required' },
  ...TLS_OPTIONS,
]

function none(long: string): OptionSpec {
  return { long, argument: 'none' }
}

/** Options of commands may also stand in front of the first. */
const OF_COMMANDS: readonly OptionSpec[] = [...new Set(COMMANDS.flatMap(({ options }) => options))].map(
  (option) => ({
    long: option.replace(/^--|=$/g, ''),
    argument: option.endsWith('=') ? 'required' : 'none',
  }),
)

export interface GivenCommand {
  readonly command: VsctlCommand
  readonly args: readonly string[]
  readonly options: ReadonlyMap<string, string | undefined>
}

export interface VsctlCommandLine {
  readonly commands: readonly GivenCommand[]
  /** Remotes, separated by commas. */
  readonly db: string
  /** Seconds. */
  readonly timeout: number | undefined
  readonly wait: boolean
  readonly dryRun: boolean
  readonly oneline: boolean
  readonly retry: boolean
  readonly leaderOnly: boolean
  readonly style: TableStyle
  /** Files with keys, by the names of their options. */
  readonly tls: ReadonlyMap<string, string>
}

/** What was asked for instead of commands. */
const REQUESTS = ['help', 'version', 'commands', 'options'] as const
export type Request = (typeof REQUESTS)[number]

/** @throws VsctlError */
export function parseVsctl(args: readonly string[], directories: Directories): VsctlCommandLine | Request {
  const { options, rest } = globalOptions(args)
  const given = (name: string) => options.some((option) => option.name === name)
  const value = (name: string) => options.filter((option) => option.name === name).at(-1)?.value
  const request = REQUESTS.find(given)
  if (request !== undefined) return request
  const early = new Map<string, string | undefined>()
  for (const { name, value: v } of options) {
    if (!OF_COMMANDS.some(({ long }) => long === name)) continue
    early.set(`--${name}`, v)
  }
  return {
    commands: parseCommands(rest, early),
    db: value('db') ?? `unix:${join(directories.run, 'db.sock')}`,
    timeout: parseTimeout(value('timeout')),
    wait: !given('no-wait'),
    dryRun: given('dry-run'),
    oneline: given('oneline'),
    retry: given('retry'),
    leaderOnly: !given('no-leader-only'),
    style: parseStyle(options),
    tls: new Map(TLS_OPTIONS.flatMap(({ long }) => (given(long) ? [[long, value(long)!] as const] : []))),
  }
}

function globalOptions(args: readonly string[]) {
  try {
    return parseCommandLine(args, [...GLOBAL, ...OF_COMMANDS], true)
  } catch (error) {
    if (error instanceof CommandLineError) throw new VsctlError(error.message)
    throw error
  }
}

function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9]\d*$/.test(text)) throw new VsctlError(`value ${text} on -t or --timeout is invalid`)
  return Number(text)
}

function parseStyle(options: readonly GivenOption[]): TableStyle {
  const style: TableStyle = {
    format: 'list',
    cells: 'string',
    headings: true,
    pretty: false,
    maxColumnWidth: 0,
  }
  for (const { name, value = '' } of options) {
    if (name === 'format') style.format = oneOf(TABLE_FORMATS, value, 'output')
    else if (name === 'data') style.cells = oneOf(CELL_FORMATS, value, 'data')
    else if (name === 'no-headings') style.headings = false
    else if (name === 'pretty') style.pretty = true
    else if (name === 'max-column-width') style.maxColumnWidth = Number.parseInt(value, 10) || 0
    else if (name === 'bare') Object.assign(style, { format: 'list', cells: 'bare', headings: false })
  }
  return style
}

function oneOf<T extends string>(formats: readonly T[], text: string, what: string): T {
  const found = formats.find((format) => format === text)
  if (found === undefined) throw new VsctlError(`unknown ${what} format "${text}"`)
  return found
}

function parseCommands(words: readonly string[], early: Map<string, string | undefined>): GivenCommand[] {
  const commands: GivenCommand[] = []
  let options = early
  for (const part of partition(words)) {
    if (part.length === 0 && options.size === 0) continue
    commands.push(parseOne(part, options))
    options = new Map()
  }
  if (commands.length === 0) throw new VsctlError('missing command name (use --help for help)')
  return commands
}

function partition(words: readonly string[]): string[][] {
  const parts: string[][] = [[]]
  for (const word of words) {
    if (word === '--') parts.push([])
    else parts.at(-1)!.push(word)
  }
  return parts
}

function parseOne(words: readonly string[], options: Map<string, string | undefined>): GivenCommand {
  let i = 0
  for (; i < words.length && words[i].startsWith('-'); i++) {
    const equals = words[i].indexOf('=')
    const name = equals < 0 ? words[i] : words[i].slice(0, equals)
    if (options.has(name)) throw new VsctlError(`'${words[i]}' option specified multiple times`)
    options.set(name, equals < 0 ? undefined : words[i].slice(equals + 1))
  }
  if (i === words.length) throw new VsctlError('missing command name (use --help for help)')
  const name = words[i]
  const command = COMMANDS.find((c) => c.name === name)
  if (command === undefined) throw new VsctlError(`unknown command '${name}'; use --help for help`)
  checkOptions(command, options)
  const args = words.slice(i + 1)
  checkCount(command, args)
  return { command, args, options }
}

function checkOptions(
  { name, options: known }: VsctlCommand,
  options: ReadonlyMap<string, string | undefined>,
): void {
  for (const [option, value] of options) {
    const takesValue = known.includes(`${option}=`)
    if (!takesValue && !known.includes(option))
      throw new VsctlError(`'${name}' command has no '${option}' option`)
    if (takesValue === (value !== undefined)) continue
    throw new VsctlError(
      takesValue
        ? `missing argument to '${option}' option on '${name}' command`
        : `'${option}' option on '${name}' does not accept an argument`,
    )
  }
}

function checkCount({ name, min, max }: VsctlCommand, args: readonly string[]): void {
  if (args.length < min) throw new VsctlError(`'${name}' command requires at least ${min} arguments`)
  if (args.length <= max) return
  const note = args.some((word) => word.startsWith('-'))
    ? ' (note that options must precede command names and follow a "--" argument)'
    : ''
  throw new VsctlError(`'${name}' command takes at most ${max} arguments${note}`)
}
