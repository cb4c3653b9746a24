/**
 * Command lines as getopt_long(3) reads them, for programs that stand in for others: options and arguments in any
 * order, long options by an unambiguous beginning, and arguments that an option may have only behind `=`.
 */

export interface OptionSpec {
  readonly long: string
  readonly short?: string
  readonly argument: 'none' | 'required' | 'optional'
}

export interface GivenOption {
  readonly name: string
  readonly value: string | undefined
}

export interface CommandLine {
  /** By their long names, in their order. */
  readonly options: readonly GivenOption[]
  readonly rest: readonly string[]
}

/** What is wrong with a command line, in getopt's words. */
export class CommandLineError extends Error {}

function findLong(name: string, specs: readonly OptionSpec[]): OptionSpec {
  const exact = specs.find((spec) => spec.long === name)
  if (exact !== undefined) return exact
  const likely = specs.filter((spec) => spec.long.startsWith(name))
  if (likely.length === 0) throw new CommandLineError(`unrecognized option '--${name}'`)
  if (likely.length > 1) {
    const list = likely.map((spec) => `'--${spec.long}'`).join(' ')
    throw new CommandLineError(`option '--${name}' is ambiguous; possibilities: ${list}`)
  }
  return likely[0]
}

/** @param inOrder whether the first argument ends the options, as `+` in getopt(3). @throws CommandLineError */
export function parseCommandLine(
  args: readonly string[],
  specs: readonly OptionSpec[],
  inOrder = false,
): CommandLine {
  const options: GivenOption[] = []
  const rest: string[] = []
  let i = 0
  const next = (shown: string): string => {
    if (i >= args.length) throw new CommandLineError(`option ${shown}`)
    return args[i++]
  }
  const readLong = (word: string) => {
    const equals = word.indexOf('=')
    const spec = findLong(equals < 0 ? word : word.slice(0, equals), specs)
    let value = equals < 0 ? undefined : word.slice(equals + 1)
    if (spec.argument === 'none' && value !== undefined) {
      throw new CommandLineError(`option '--${spec.long}' doesn't allow an argument`)
    }
    if (spec.argument === 'required') value ??= next(`'--${spec.long}' requires an argument`)
    options.push({ name: spec.long, value })
  }
  const readShort = (letters: string) => {
    for (let at = 0; at < letters.length; at++) {
      const spec = specs.find((s) => s.short === letters[at])
      if (spec === undefined) throw new CommandLineError(`invalid option -- '${letters[at]}'`)
      if (spec.argument === 'none') {
        options.push({ name: spec.long, value: undefined })
        continue
      }
      let value: string | undefined = letters.slice(at + 1)
      if (value === '') value = undefined
      if (spec.argument === 'required') value ??= next(`requires an argument -- '${letters[at]}'`)
      options.push({ name: spec.long, value })
      return
    }
  }
  while (i < args.length) {
    const arg = args[i++]
    if (arg === '--') break
    if (arg.startsWith('--')) readLong(arg.slice(2))
    else if (arg.startsWith('-') && arg.length > 1) readShort(arg.slice(1))
    else rest.push(arg)
    if (inOrder && rest.length > 0) break
  }
  rest.push(...args.slice(i))
  return { options, rest }
}
