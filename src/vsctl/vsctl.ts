/**
 * `vsctl`: configures a switch through its database as ovs-vsctl(8) does, with the same commands, text and exit
 * codes. All commands of a command line are one transaction; when it is committed, it waits until the switch has done
 * what is wanted (`next_cfg`, `cur_cfg`).
 */

import { readFileSync } from 'node:fs'
import { now } from '../../engine/sys/clock.ts'
import { systemRandom } from '../../engine/sys/random.ts'
import { DatumTextError } from '../../protocols/ovsdb/datum-from-text.ts'
import { isJsonObject, type Json, type JsonObject } from '../../protocols/ovsdb/json-text.ts'
import { canonicalText, isArray } from '../../protocols/ovsdb/json-value.ts'
import { randomUuid } from '../../protocols/ovsdb/uuid.ts'
import { SECOND } from '../../protocols/time.ts'
import { tlsFilesGiven } from '../net/tls-options.ts'
import { OvsdbClient } from '../ovsdb/client.ts'
import { type Remote, remoteAt } from '../ovsdb/remote.ts'
import { Replica } from '../ovsdb/replica.ts'
import { ConnectionLost } from '../ovsdb/rpc-peer.ts'
import { type Directories, directories } from '../process/directories.ts'
import { realClock } from '../services/scheduler.ts'
import { text } from './bridges.ts'
import { Call, escapeWord, type Needs, type Session, TryAgain, VsctlError } from './command.ts'
import { type GivenCommand, GLOBAL, parseVsctl, type Request, type VsctlCommandLine } from './command-line.ts'
import { COMMANDS } from './commands.ts'
import { Draft, type DraftRow } from './draft.ts'
import { vsctlHelp } from './help.ts'
import { commandsText, optionsText } from './machine-help.ts'
import { Symbols } from './symbols.ts'
import { formatTable } from './text-table.ts'

/** What it says, and what goes wrong. */
export interface VsctlOutput {
  out(text: string): void
  err(text: string): void
}

const DATABASE = 'Open_vSwitch'
const NAME = 'ovs-vsctl'
/** As if a signal of the clock had ended it. */
const EXIT_TIMEOUT = 128 + 14

const ANSWERS: Readonly<Record<Request, (dirs: Directories) => string>> = {
  help: vsctlHelp,
  version: () => `${NAME} (Open vSwitch) 3.1.0\nDB Schema 8.3.1\n`,
  commands: () => commandsText(COMMANDS),
  options: () => optionsText(GLOBAL),
}

/** @returns the exit code */
export async function runVsctl(args: readonly string[], output: VsctlOutput): Promise<number> {
  try {
    const dirs = directories()
    const commandLine = parseVsctl(args, dirs)
    if (typeof commandLine === 'string') output.out(ANSWERS[commandLine](dirs))
    else await new Vsctl(args, commandLine, output, dirs).run()
    return 0
  } catch (error) {
    if (error instanceof DatumTextError) output.err(`${NAME}: ${error.message}\n`)
    else if (!(error instanceof VsctlError)) throw error
    else if (error.message !== '') output.err(`${NAME}: ${error.message}\n`)
    return error instanceof VsctlError ? error.code : 1
  }
}

interface Attempt {
  readonly draft: Draft
  readonly calls: readonly Call[]
  readonly root: DraftRow
  readonly expected: readonly DraftRow[]
}

class Vsctl {
  readonly #args: readonly string[]
  readonly #line: VsctlCommandLine
  readonly #output: VsctlOutput
  readonly #directories: Directories
  readonly #client: OvsdbClient
  readonly #replica: Replica
  readonly #newUuid: () => string
  /** Called when the database is another than it was. */
  #changed: () => void = () => {}
  #fail: (error: Error) => void = () => {}
  readonly #warned = new Set<string>()

  constructor(args: readonly string[], line: VsctlCommandLine, output: VsctlOutput, dirs: Directories) {
    const random = systemRandom()
    this.#args = args
    this.#line = line
    this.#output = output
    this.#directories = dirs
    this.#newUuid = () => randomUuid(random)
    this.#client = new OvsdbClient({
      remotes: remotesOf(line),
      clock: realClock,
      retry: line.retry,
      failed: (reason) => this.#fail(new VsctlError(`${line.db}: database connection failed (${reason})`)),
    })
    this.#replica = new Replica(this.#client, {
      database: DATABASE,
      tables: needsOf(line),
      leaderOnly: line.leaderOnly,
      changed: () => this.#changed(),
    })
  }

  /** Resolves when all is done; rejects with a VsctlError. */
  async run(): Promise<void> {
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    const { timeout } = this.#line
    const cancel =
      timeout === undefined
        ? () => {}
        : realClock.schedule(realClock.now() + timeout * SECOND, () => this.#timeOut())
    try {
      await Promise.race([this.#work(), failed])
    } finally {
      cancel()
      this.#client.close()
    }
  }

  #timeOut(): void {
    this.#output.err(logLine('fatal_signal', 'terminating with signal 14 (Alarm clock)'))
    this.#fail(new VsctlError('', EXIT_TIMEOUT))
  }

  async #work(): Promise<void> {
    let change = this.#nextChange()
    this.#client.start()
    for (;;) {
      await change
      change = this.#nextChange()
      if (!this.#replica.live) continue
      try {
        if (await this.#attempt()) return
      } catch (error) {
        // The client itself says what becomes of a lost connection.
        if (!(error instanceof ConnectionLost)) throw error
      }
    }
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve
    })
  }

  /** @returns false when it is to be tried again on what the database will have become */
  async #attempt(): Promise<boolean> {
    const attempt = this.#prepare()
    if (attempt === undefined) return false
    const { draft, calls, root } = attempt
    const operations = draft.operations()
    const nothing = operations.length === 0 || this.#line.dryRun
    const results = nothing ? [] : await this.#replica.transact(operations)
    const refused = refusal(results)
    if (refused === 'changed meanwhile') return false
    if (refused !== undefined) {
      this.#warn(refused, 'ovsdb_idl')
      throw new VsctlError(refused)
    }
    for (const call of calls) {
      if (call.created !== undefined) call.print(createdUuid(draft, operations, results, call.created))
    }
    this.#print(calls)
    if (!nothing && this.#line.wait) {
      const next = nextConfiguration(results)
      await this.#reload(root, next)
      this.#checkInterfaces(attempt, operations, results)
    }
    return true
  }

  /** Runs the commands; undefined when one of them waits for something. */
  #prepare(): Attempt | undefined {
    const draft = new Draft(this.#replica.snapshot!, this.#newUuid)
    draft.comment(`${NAME} (invoked by ${invoker()}): ${[NAME, ...this.#args].map(escapeWord).join(' ')}`)
    const root = draft.rows(DATABASE)[0] ?? draft.insert(DATABASE)
    if (this.#line.wait) draft.increment(root, 'next_cfg')
    const symbols = new Symbols(this.#newUuid)
    const expected: DraftRow[] = []
    const session: Session = {
      draft,
      root,
      symbols,
      expected,
      warn: (what, module) => this.#warn(what, module),
    }
    try {
      const calls = this.#line.commands.map((given) => runCommand(session, given))
      symbols.check((what) => this.#warn(what))
      return { draft, calls, root, expected }
    } catch (error) {
      if (error instanceof TryAgain) return undefined
      throw error
    }
  }

  #warn(what: string, module = 'vsctl'): void {
    if (this.#warned.has(what)) return
    this.#warned.add(what)
    this.#output.err(logLine(module, what))
  }

  #print(calls: readonly Call[]): void {
    for (const call of calls) {
      if (call.table !== undefined) this.#output.out(formatTable(call.table, this.#line.style))
      else if (!this.#line.oneline) this.#output.out(call.output)
      else
        this.#output.out(
          `${call.output.replace(/\n$/, '').replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`,
        )
    }
  }

  /** Resolves when the switch has done what is wanted. */
  async #reload(root: DraftRow, wanted: number): Promise<void> {
    for (;;) {
      const rows = this.#replica.snapshot!.tables.get(root.table.name)!.rows.values()
      if (rows.some(({ columns }) => Number(columns.cur_cfg.keys[0]) >= wanted)) return
      await this.#nextChange()
    }
  }

  /** Tells of new interfaces that the switch could not make. */
  #checkInterfaces(
    { draft, expected }: Attempt,
    operations: readonly Json[],
    results: readonly Json[],
  ): void {
    let wrong = false
    for (const each of expected) {
      const uuid = createdUuid(draft, operations, results, each)
      const now = this.#replica.snapshot!.tables.get('Interface')!.rows.get(uuid)
      const ofport = now?.columns.ofport.keys[0]
      if (now === undefined || (ofport !== undefined && ofport !== -1)) continue
      const [error] = now.columns.error.keys
      const reason = error === undefined || error === '' ? '' : `: ${error}`
      this.#output.err(
        `${NAME}: Error detected while setting up '${text(each, 'name')}'${reason}.  See ovs-vswitchd log for details.\n`,
      )
      wrong = true
    }
    if (wrong) this.#output.err(`${NAME}: The default log directory is "${this.#directories.log}".\n`)
  }
}

function runCommand(session: Session, { command, args, options }: GivenCommand): Call {
  const call = new Call(session, command, args, options)
  command.run(call)
  return call
}

/** What all commands need together, with what it takes to wait for the switch. */
function needsOf({ commands, wait }: VsctlCommandLine): Needs {
  const needs: Record<string, readonly string[] | undefined> = {
    Open_vSwitch: wait ? ['next_cfg', 'cur_cfg'] : [],
    ...(wait ? { Interface: ['name', 'ofport', 'error'] } : {}),
  }
  for (const { command, args } of commands) {
    for (const [table, columns] of Object.entries(command.needs(args))) {
      const known = needs[table]
      const all = columns === undefined || (table in needs && known === undefined)
      needs[table] = all ? undefined : [...new Set([...(known ?? []), ...columns])]
    }
  }
  return needs
}

/** What the database refuses; or that what all depends on has changed. */
function refusal(results: readonly Json[]): string | undefined {
  const errors = results.filter(
    (result) => isJsonObject(result) && result.error !== undefined,
  ) as JsonObject[]
  if (errors.some(({ error }) => error === 'timed out')) return 'changed meanwhile'
  return errors.length === 0 ? undefined : `transaction error: ${canonicalText(errors[0])}`
}

/** The last result but one is that of the select behind the count. */
function nextConfiguration(results: readonly Json[]): number {
  const { rows } = results.at(-2) as { rows: readonly JsonObject[] }
  return Number(rows[0].next_cfg)
}

function createdUuid(
  draft: Draft,
  operations: readonly Json[],
  results: readonly Json[],
  row: DraftRow,
): string {
  const result = results[draft.indexOfInsert(operations, row)]
  const uuid = isJsonObject(result) ? result.uuid : undefined
  return isArray(uuid) ? String(uuid[1]) : row.uuid
}

function remotesOf({ db, tls }: VsctlCommandLine): Remote[] {
  const files = tlsFilesGiven((option) => tls.get(option))
  return db.split(/,(?=\w+:)/).map((name) => {
    const remote = remoteAt(name, files)
    if (remote === undefined) {
      throw new VsctlError(`${name}: database connection failed (Address family not supported by protocol)`)
    }
    return remote
  })
}

/** A warning in the form of Open vSwitch's logs. */
function logLine(module: string, text: string): string {
  const time = new Date(now()).toISOString().slice(0, 19)
  return `${time}Z|00001|${module}|WARN|${text}\n`
}

/** The process that has started this one, for the log of the database. */
function invoker(): string {
  let command = 'init'
  try {
    command = readFileSync(`/proc/${process.ppid}/cmdline`, 'utf8').split('\0')[0]
  } catch {
    // It is gone.
  }
  return `${command} (pid ${process.ppid})`
}
