/** A command of `ofctl`: what it takes, what it says of itself, what it does. */

import type { Context } from './context.ts'

export interface OfctlCommand {
  readonly name: string
  /** Its arguments, as in the help. */
  readonly usage: string
  readonly min: number
  readonly max: number
  readonly description: string
  readonly run: (context: Context) => Promise<void>
}

export function command(
  name: string,
  usage: string,
  description: string,
  run: (context: Context) => Promise<void>,
): OfctlCommand {
  const words = usage.split(' ').filter((w) => w !== '')
  const min = words.filter((w) => !w.startsWith('[')).length
  return {
    name,
    usage,
    min,
    max: usage.includes('...') ? Number.POSITIVE_INFINITY : words.length,
    description,
    run,
  }
}
