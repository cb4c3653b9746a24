/** A command of `ofctl`: what it takes, what it says of itself, and where what it does is found. */

import type { Context } from './context.ts'

export type Run = (context: Context) => Promise<void>
/** What the commands of one module do, by their names. */
export type Runs = Readonly<Record<string, Run>>

export interface OfctlCommand {
  readonly name: string
  /** Its arguments, as in the help. */
  readonly usage: string
  readonly min: number
  readonly max: number
  readonly description: string
  /** Loads what it does, which no other command needs. */
  readonly load: () => Promise<{ readonly RUNS: Runs }>
}

/** Commands of one module, each as its name, usage and description. */
export function commands(
  load: OfctlCommand['load'],
  ...rows: (readonly [name: string, usage: string, description: string])[]
): OfctlCommand[] {
  return rows.map(([name, usage, description]) => {
    const words = usage.split(' ').filter((w) => w !== '')
    const min = words.filter((w) => !w.startsWith('[')).length
    const max = usage.includes('...') ? Number.POSITIVE_INFINITY : words.length
    return { name, usage, min, max, description, load }
  })
}
