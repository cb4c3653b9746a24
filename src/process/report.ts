/** What a process in the background tells the one that started it: by a pipe that it has as descriptor 3. */
import { closeSync, fstatSync, writeSync } from 'node:fs'

export const REPORT_FD = 3
/** Names the descriptor in the environment of who is expected to report. */
export const REPORT_VARIABLE = 'VSWITCHD_TS_REPORT'
const READY = 'ready\n'

/** Whether the chunks a process has reported so far say that it is ready. */
export function saysReady(text: string): boolean {
  return text.includes(READY)
}

/** Says, once, that this process is ready, where somebody waits for that. */
export class ReadyReport {
  #waited: boolean

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#waited = env[REPORT_VARIABLE] === String(REPORT_FD) && isOpen(REPORT_FD)
    delete env[REPORT_VARIABLE]
  }

  /** Whether this process was started to run in the background. */
  get awaited(): boolean {
    return this.#waited
  }

  ready(): void {
    if (!this.#waited) return
    this.#waited = false
    try {
      writeSync(REPORT_FD, READY)
    } catch {
      // Nobody waits any more.
    }
    closeSync(REPORT_FD)
  }
}

function isOpen(fd: number): boolean {
  try {
    return fstatSync(fd).isFIFO() || fstatSync(fd).isSocket()
  } catch {
    return false
  }
}
