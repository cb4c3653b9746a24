/** What a command of `vsctl` is, and what it is given. */

import type { BaseType } from '../../protocols/ovsdb/base-type.ts'
import type { Uuid } from '../../protocols/ovsdb/uuid.ts'
import type { Draft, DraftRow } from './draft.ts'
import type { Symbols } from './symbols.ts'
import type { TextTable } from './text-table.ts'

/** The command cannot be done; the program ends with this text and code. */
export class VsctlError extends Error {
  readonly code: number

  constructor(message: string, code = 1) {
    super(message)
    this.name = 'VsctlError'
    this.code = code
  }
}

/** What the command waits for is not so yet. */
export class TryAgain extends Error {}

/** Tables with the columns of them that a command reads; undefined: all of them. */
export type Needs = Readonly<Record<string, readonly string[] | undefined>>

export interface VsctlCommand {
  readonly name: string
  readonly min: number
  readonly max: number
  /** `--may-exist`, or `--id=` with a value. */
  readonly options: readonly string[]
  /** Arguments in the help. */
  readonly usage: string
  readonly needs: (args: readonly string[]) => Needs
  readonly run: (call: Call) => void
}

/** A command that reads the same tables whatever its arguments. */
export function command(
  name: string,
  usage: string,
  [min, max]: readonly [number, number],
  needs: Needs,
  run: (call: Call) => void,
  options: readonly string[] = [],
): VsctlCommand {
  return { name, usage, min, max, options, needs: () => needs, run }
}

/** Commands of one transaction share it. */
export interface Session {
  readonly draft: Draft
  /** The one row of table Open_vSwitch. */
  readonly root: DraftRow
  readonly symbols: Symbols
  /** @param module of Open vSwitch's that says so */
  readonly warn: (text: string, module?: string) => void
  /** Interfaces that the switch is expected to make. */
  readonly expected: DraftRow[]
}

/** One command as it was given. */
export class Call {
  readonly session: Session
  readonly command: VsctlCommand
  readonly args: readonly string[]
  readonly options: ReadonlyMap<string, string | undefined>
  output = ''
  table: TextTable | undefined
  /** A row that is made, whose UUID is the output when it has one. */
  created: DraftRow | undefined

  constructor(
    session: Session,
    command: VsctlCommand,
    args: readonly string[],
    options: ReadonlyMap<string, string | undefined>,
  ) {
    this.session = session
    this.command = command
    this.args = args
    this.options = options
  }

  get draft(): Draft {
    return this.session.draft
  }

  has(option: string): boolean {
    return this.options.has(option)
  }

  print(line: string): void {
    this.output += `${line}\n`
  }

  /** In the order of their bytes. */
  printSorted(lines: readonly string[]): void {
    for (const line of [...lines].sort()) this.print(line)
  }

  readonly resolve = (name: string, reference: BaseType): Uuid => this.session.symbols.refer(name, reference)

  /** As it may be typed again. */
  toString(): string {
    const words = [...this.options.keys(), this.command.name, ...this.args]
    return words.map(escapeWord).join(' ')
  }
}

/** A word as a shell would want it, if it needs quotes. */
export function escapeWord(word: string): string {
  return /^[^ \t\n"'\\]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`
}
