import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Vlog } from '../process/vlog.ts'
import type { Level } from '../process/vlog-levels.ts'
import { VLOG_MODULES } from '../process/vlog-modules.ts'
import type { SwitchLog } from './switch.ts'
import { LOG_FILE, type LogLevel } from './types.ts'

const MODULE = 'vswitchd'

export interface Log {
  readonly log: SwitchLog
  /** What `ovs-appctl vlog/…` is about. */
  readonly vlog: Vlog
  close(): void
  /** Closes it, and removes the file if nobody had written to it before: for a start that came to nothing. */
  discard(): void
}

const LEVELS: Readonly<Record<LogLevel, Level>> = {
  trace: 'DBG',
  debug: 'DBG',
  info: 'INFO',
  warn: 'WARN',
  error: 'ERR',
  silent: 'OFF',
}

/** Appended to the log file of the run directory, in Open vSwitch's form. A log that cannot be written stops nothing. */
export function openLog(rundir: string, level: LogLevel): Log {
  const path = join(rundir, LOG_FILE)
  const fresh = !existsSync(path)
  const vlog = new Vlog('vswitchd-ts', VLOG_MODULES)
  vlog.leaveConsole()
  vlog.set(`file:${LEVELS[level]}`)
  vlog.open(path, true)
  const module = vlog.module(MODULE)
  const log: SwitchLog = {
    debug: module.dbg,
    info: module.info,
    warn: module.warn,
    error: module.err,
    fatal: module.emer,
  }
  const close = () => vlog.close()
  const discard = () => {
    close()
    if (fresh) rmSync(path, { force: true })
  }
  return { log, vlog, close, discard }
}
