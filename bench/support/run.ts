import type { Machine } from './machine.ts'
import type { Result } from './result.ts'

/** What `--json` writes: all figures of a run, and where they were measured. */
export interface Run {
  readonly machine: Machine
  readonly quick: boolean
  readonly results: readonly Result[]
}
