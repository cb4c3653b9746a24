/** The commands that a daemon answers at its control socket: `ovs-appctl(8)`. */

export interface UnixctlCommand {
  readonly name: string
  /** Its arguments, as `list-commands` shows them. */
  readonly usage: string
  /** How many there may be. */
  readonly min: number
  readonly max: number
  /** @throws UnixctlError with what the caller is told */
  readonly run: (args: readonly string[]) => string | Promise<string>
}

/** A command that could not be done; the message goes to whoever gave it. */
export class UnixctlError extends Error {}

export class CommandRegistry {
  readonly #commands = new Map<string, UnixctlCommand>()
  #load: (() => Promise<void>) | undefined
  #loaded: Promise<void> | undefined

  constructor() {
    this.add({ name: 'list-commands', usage: '', min: 0, max: 0, run: () => this.#list() })
  }

  add(...commands: readonly UnixctlCommand[]): void {
    for (const command of commands) {
      if (this.#commands.has(command.name)) throw new Error(`${command.name} is a command already`)
      this.#commands.set(command.name, command)
    }
  }

  /** Has more added when the first command is given: a daemon that nobody asks need not load what answers. */
  addLater(load: () => Promise<void>): void {
    this.#load = load
  }

  /** @throws UnixctlError */
  async run(name: string, args: readonly string[]): Promise<string> {
    this.#loaded ??= this.#load?.()
    await this.#loaded
    const command = this.#commands.get(name)
    if (command === undefined) {
      const hint = '(use "list-commands" to see a list of valid commands)'
      throw new UnixctlError(`"${name}" is not a valid command ${hint}`)
    }
    const { min, max } = command
    if (args.length < min) throw new UnixctlError(`"${name}" command requires at least ${min} arguments`)
    if (args.length > max) throw new UnixctlError(`"${name}" command takes at most ${max} arguments`)
    return command.run(args)
  }

  #list(): string {
    const all = [...this.#commands.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    const lines = all.map(({ name, usage }) => `  ${name.padEnd(23)} ${usage}\n`)
    return `The available commands are:\n${lines.join('')}`
  }
}
