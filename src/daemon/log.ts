import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { destination, type Logger, pino } from 'pino'
import type { LogLevel } from './types.ts'

export const LOG_FILE = 'vswitchd-ts.log'

export interface Log {
  readonly log: Logger
  close(): void
  /** Closes it, and removes the file if nobody had written to it before: for a start that came to nothing. */
  discard(): void
}

/** Lines of JSON, appended to the log file of the run directory. A log that cannot be written stops nothing. */
export function openLog(rundir: string, level: LogLevel): Log {
  const path = join(rundir, LOG_FILE)
  const fresh = !existsSync(path)
  const stream = destination({ dest: path, append: true, mode: 0o640, sync: true })
  stream.on('error', () => {})
  const log = pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, stream)
  const close = () => stream.end()
  const discard = () => {
    close()
    if (fresh) rmSync(path, { force: true })
  }
  return { log, close, discard }
}
