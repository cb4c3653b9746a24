/** What `--commands` and `--options` say: to programs that complete command lines, as ovs-vsctl(8) does. */
import type { OptionSpec } from '../process/getopt.ts'
import type { VsctlCommand } from './command.ts'

/** A line for each command: its options, its name, its arguments. */
export function commandsText(commands: readonly VsctlCommand[]): string {
  return commands
    .map(
      ({ name, options, usage }) =>
        `${options.map((option) => `[${option}] `).join('')},${name},${syntax(usage)}\n`,
    )
    .join('')
}

/** Arguments of the help, each with a mark: `!` one, `?` perhaps one, `+` some, `*` perhaps some. */
function syntax(usage: string): string {
  const words = usage.split(' ').filter((word) => word !== '')
  return words
    .map((word) => {
      const repeated = word.endsWith('...')
      const bare = repeated ? word.slice(0, -3) : word
      const optional = isBracketed(bare)
      const mark = repeated ? (optional ? '*' : '+') : optional ? '?' : '!'
      const inside = optional ? bare.slice(1, -1) : bare
      return mark + inside.replaceAll('[', '?').replaceAll(']', '')
    })
    .join(' ')
}

/** Whether the brackets are around all of it. */
function isBracketed(word: string): boolean {
  return word.startsWith('[') && word.endsWith(']')
}

/** A line for each spelling of an option. */
export function optionsText(options: readonly OptionSpec[]): string {
  return options
    .map(({ long, short, argument }) => {
      const takes = argument !== 'none'
      const letter = short === undefined ? '' : `-${short}${takes ? ' ARG' : ''}\n`
      return `--${long}${takes ? '=ARG' : ''}\n${letter}`
    })
    .join('')
}
