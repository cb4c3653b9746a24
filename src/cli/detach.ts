import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { serialize } from 'node:v8'
import type { Network } from '../config/network.ts'
import { LineReader } from '../control/lines.ts'
import { type DaemonOptions, LOG_FILE } from '../daemon/types.ts'
import { CliError } from '../errors.ts'
import { EXIT_ENVIRONMENT, EXIT_FAILURE } from './exit-codes.ts'
import { REPORT_FD, type Report } from './parent-report.ts'

/**
 * Starting in the background: a child of its own session, whose output goes to a log file, loads the daemon while
 * its parent reads the configuration, and is given the network. It tells by a pipe what it does, and at the end
 * that the network is up or why it is not; only then does the parent exit.
 */

// Built code lies beside its sources' names; the extension follows that of this module.
const PROGRAM = new URL(`./background.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)

interface LogFile {
  readonly fd: number
  readonly path: string
  /** Takes away what was made for it. */
  discard(): void
}

function openLog(rundir: string): LogFile {
  const path = join(rundir, LOG_FILE)
  const hadDirectory = existsSync(rundir)
  const hadLog = existsSync(path)
  try {
    mkdirSync(rundir, { recursive: true, mode: 0o700 })
    const fd = openSync(path, 'a', 0o600)
    const discard = () => {
      if (!hadLog) rmSync(path, { force: true })
      if (!hadDirectory) rmdirSync(rundir)
    }
    return { fd, path, discard }
  } catch (error) {
    throw new CliError(`The log ${path} cannot be written: ${(error as Error).message}.`, {
      code: EXIT_ENVIRONMENT,
      hint: 'Run the command as root, or name a run directory of your own with --rundir.',
    })
  }
}

export type DetachOptions = Pick<
  DaemonOptions,
  'configPath' | 'rundir' | 'logLevel' | 'busyPoll' | 'gro' | 'db' | 'dbTls' | 'database'
>

/** A process in the background that waits for its network. */
export interface Background {
  /** Gives it the network; resolves when that is up. */
  carry(network: Network | undefined): Promise<{ pid: number; log: string }>
  /** Ends it instead; it has made nothing yet. */
  abandon(): void
}

/** @param program what is run in the background */
export function startDetached(
  options: DetachOptions,
  onProgress: (line: string) => void,
  program = fileURLToPath(PROGRAM),
): Background {
  const log = openLog(options.rundir)
  const child = spawn(process.execPath, [...process.execArgv, program, JSON.stringify(options)], {
    detached: true,
    stdio: ['pipe', log.fd, log.fd, 'pipe'],
  })
  closeSync(log.fd)
  // A child that ended early has closed its input; what it reports says why.
  child.stdin!.on('error', () => {})
  const up = untilUp(child, log.path, onProgress)
  // Whoever abandons it does not want to know.
  up.catch(() => {})
  return {
    async carry(network) {
      child.stdin!.end(serialize(network))
      await up
      child.unref()
      return { pid: child.pid!, log: log.path }
    },
    abandon() {
      child.kill('SIGKILL')
      log.discard()
    },
  }
}

async function untilUp(child: ChildProcess, log: string, onProgress: (line: string) => void): Promise<void> {
  const pipe = child.stdio[REPORT_FD] as Readable
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
    pipe.once('close', () => {
      reject(
        new CliError('The switch ended before it was up.', {
          code: EXIT_FAILURE,
          hint: `Its log is ${log}.`,
        }),
      )
    })
  })
  pipe.destroy()
}
