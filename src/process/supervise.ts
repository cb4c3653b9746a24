/**
 * Running a daemon in the background (`--detach`), and again when it crashes (`--monitor`).
 *
 * The program starts itself once more as the daemon proper, waits until that reports to be ready, and only then
 * exits; what the daemon says on standard error until then reaches the person. A monitor is the process between the
 * two that stays.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { now } from '../../engine/sys/clock.ts'
import { SECOND } from '../../protocols/time.ts'
import { REPORT_FD, REPORT_VARIABLE, ReadyReport, saysReady } from './report.ts'
import type { ModuleLog } from './vlog.ts'

/** What the process started is: the monitor, or the daemon itself. */
export const ROLE_VARIABLE = 'VSWITCHD_TS_ROLE'
export type Role = 'monitor' | 'daemon'

/** A daemon that has found a mistake in itself ends with this code. */
export const EXIT_CRASHED = 70
/** Signals by which the system ends a program that has gone wrong. */
const CRASHES: readonly string[] = [
  'SIGABRT',
  'SIGALRM',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGPIPE',
  'SIGSEGV',
  'SIGXCPU',
  'SIGXFSZ',
]
/** Crashes that follow each other faster are waited for in between. */
const RESTART_INTERVAL = 10 * SECOND

interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** How a process ended, in words. */
function describe({ code, signal }: Exit): string {
  return signal === null ? `exit status ${code}` : `killed (${signal})`
}

/** Starts this program again in a role, with its arguments; its output goes nowhere but for the errors. */
function start(role: Role, background: boolean): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: background,
    env: { ...process.env, [ROLE_VARIABLE]: role, [REPORT_VARIABLE]: String(REPORT_FD) },
    stdio: [background ? 'ignore' : 'inherit', background ? 'ignore' : 'inherit', 'pipe', 'pipe'],
  })
}

/** Resolves with undefined when it is ready, with how it ended when it is not. */
function untilReady(child: ChildProcess): Promise<Exit | undefined> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.once('error', reject)
    child.stderr!.on('data', (chunk: Buffer) => process.stderr.write(chunk))
    const report = child.stdio[REPORT_FD] as Readable
    report.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (saysReady(said)) resolve(undefined)
    })
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
}

/** The exit code of a parent whose child came to nothing. */
function failure(exit: Exit): number {
  return exit.code === null || exit.code === 0 ? 1 : exit.code
}

/** Puts the daemon, or its monitor, into the background; resolves with the exit code when it is ready, or failed. */
export async function detach(role: Role): Promise<number> {
  const child = start(role, true)
  const exit = await untilReady(child)
  if (exit !== undefined) return failure(exit)
  child.stderr!.destroy()
  ;(child.stdio[REPORT_FD] as Readable).destroy()
  child.unref()
  return 0
}

/**
 * Runs the daemon until it ends for another reason than a crash; resolves with the exit code.
 * @param pause waits, milliseconds
 * @param crashed told the process id of a daemon that has left what it could not take away
 */
export async function monitor(
  program: string,
  log: ModuleLog,
  pause: (ms: number) => Promise<void>,
  crashed: (pid: number) => void,
): Promise<number> {
  const report = new ReadyReport()
  let child: ChildProcess | undefined
  const pass = (signal: NodeJS.Signals) => child?.kill(signal)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, pass)
  for (let crashes = 0; ; crashes++) {
    const started = now()
    child = start('daemon', false)
    const ended = new Promise<Exit>((resolve) =>
      child!.once('close', (code, signal) => resolve({ code, signal })),
    )
    const early = await untilReady(child)
    if (early !== undefined && report.awaited) return failure(early)
    report.ready()
    process.title = `${program}: monitoring pid ${child.pid} (healthy)`
    const exit = await ended
    const isCrash = exit.signal === null ? exit.code === EXIT_CRASHED : CRASHES.includes(exit.signal)
    if (!isCrash) {
      log.info(`pid ${child.pid} died, ${describe(exit)}, exiting`)
      return exit.code ?? 1
    }
    log.err(`${crashes + 1} crashes: pid ${child.pid} died, ${describe(exit)}, restarting`)
    if (child.pid !== undefined) crashed(child.pid)
    const wait = started + RESTART_INTERVAL - now()
    if (wait > 0 && crashes > 0) await pause(wait)
  }
}
