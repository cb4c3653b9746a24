/** What the bundled program measures (main.ts). */
import { execFileSync } from 'node:child_process'
import type { Profiler } from 'node:inspector'
import { fileURLToPath } from 'node:url'
import type { Result } from '../support/result.ts'

const PROGRAM = fileURLToPath(new URL('../../program/bench-memory.js', import.meta.url))

/** What it can be asked for, and answers. */
export interface Measured {
  forwarding: Result[]
  growth: Result[]
  profile: Profiler.Profile
}

export function measureInMemory<N extends keyof Measured>(name: N, quick: boolean): Measured[N] {
  const args = [...process.execArgv, PROGRAM, name, ...(quick ? ['--quick'] : [])]
  return JSON.parse(
    execFileSync(process.execPath, args, {
      encoding: 'utf8',
      maxBuffer: Number.POSITIVE_INFINITY,
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
}
