import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { LineReader } from '../control/lines.ts'
import { CliError } from '../errors.ts'
import { EXIT_ENVIRONMENT, EXIT_FAILURE } from './exit-codes.ts'

/**
 * Starting in the background: the parent runs itself again as a child of its own session, whose output goes
 * to a log file, and waits. The child tells by a pipe what it does, one line of JSON each, and at the end that
 * the network is up or why it is not; only then does the parent exit.
 */

/** The child's end of the pipe. */
const REPORT_FD = 3
const LOG_NAME = 'vswitchd-ts.log'

type Report =
  | { readonly progress: string }
  | { readonly ready: true }
  | { readonly error: { readonly code: number; readonly message: string; readonly hint?: string } }

/** What the child says to its parent. Whether anybody still listens is none of its business. */
export class ParentReport {
  #open = true

  #send(report: Report): void {
    if (!this.#open) return
    try {
      writeSync(REPORT_FD, `${JSON.stringify(report)}\n`)
    } catch {
      this.#close()
    }
  }

  #close(): void {
    if (!this.#open) return
    this.#open = false
    closeSync(REPORT_FD)
  }

  progress(line: string): void {
    this.#send({ progress: line })
  }

  ready(): void {
    this.#send({ ready: true })
    this.#close()
  }

  error(error: CliError): void {
    const { code, message, hint } = error
    this.#send({ error: { code, message, ...(hint === undefined ? {} : { hint }) } })
    this.#close()
  }
}

function openLog(rundir: string): { fd: number; path: string } {
  const path = join(rundir, LOG_NAME)
  try {
    mkdirSync(rundir, { recursive: true, mode: 0o700 })
    return { fd: openSync(path, 'a', 0o600), path }
  } catch (error) {
    throw new CliError(`The log ${path} cannot be written: ${(error as Error).message}.`, {
      code: EXIT_ENVIRONMENT,
      hint: 'Run the command as root, or name a run directory of your own with --rundir.',
    })
  }
}

/** Runs this program with `args` in the background; resolves when the network is up. */
export async function startDetached(
  args: readonly string[],
  rundir: string,
  onProgress: (line: string) => void,
): Promise<{ pid: number; log: string }> {
  const log = openLog(rundir)
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'pipe'],
  })
  closeSync(log.fd)
  const pipe = child.stdio[REPORT_FD] as Readable
  const died = () =>
    new CliError('The switch ended before it was up.', {
      code: EXIT_FAILURE,
      hint: `Its log is ${log.path}.`,
    })
  await new Promise<void>((resolve, reject) => {
    const reader = new LineReader(Number.POSITIVE_INFINITY)
    child.once('error', (error) => reject(new CliError(`The switch cannot be run: ${error.message}.`)))
    pipe.on('data', (chunk: Buffer) => {
      reader.push(chunk)
      for (let line = reader.next(); line !== undefined; line = reader.next()) {
        const report = JSON.parse(line) as Report
        if ('progress' in report) onProgress(report.progress)
        else if ('ready' in report) resolve()
        else reject(new CliError(report.error.message, report.error))
      }
    })
    pipe.once('close', () => reject(died()))
  })
  pipe.destroy()
  child.unref()
  return { pid: child.pid!, log: log.path }
}
