import { join } from 'node:path'
import { destination, type Logger, pino } from 'pino'
import type { LogLevel } from './types.ts'

export const LOG_FILE = 'vswitchd-ts.log'

export interface Log {
  readonly log: Logger
  close(): void
}

/** Lines of JSON, appended to the log file of the run directory. A log that cannot be written stops nothing. */
export function openLog(rundir: string, level: LogLevel): Log {
  const stream = destination({ dest: join(rundir, LOG_FILE), append: true, mode: 0o640, sync: true })
  stream.on('error', () => {})
  const log = pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, stream)
  return { log, close: () => stream.end() }
}
