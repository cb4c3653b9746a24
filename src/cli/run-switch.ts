import { resolve } from 'node:path'
import type { DaemonModule, LogLevel, RunningDaemon } from '../daemon/types.ts'
import { CliError } from '../errors.ts'
import { ParentReport, startDetached } from './detach.ts'
import { type RundirOptions, usualRundir } from './options.ts'
import { print } from './output.ts'
import { readConfig } from './read-config.ts'
import { reportError } from './report-error.ts'
import { summary } from './summary.ts'

export interface StartOptions extends RundirOptions {
  readonly detach?: boolean
  readonly logLevel: LogLevel
  readonly busyPoll?: boolean
  /** Set in the child of a start with --detach. */
  readonly reportToParent?: boolean
}

function watchSignals(daemon: RunningDaemon): void {
  const stop = () => {
    // What goes wrong while stopping is told by `stopped`.
    daemon.stop().catch(() => {})
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', () => {
    daemon
      .reload()
      .then((steps) => print(steps.length === 0 ? 'nothing has changed' : 'reloaded'), reportError)
  })
}

/** Signals that come while the network is being brought up wait until it is. */
function holdSignals(): () => NodeJS.Signals | undefined {
  let held: NodeJS.Signals | undefined
  const hold = (signal: NodeJS.Signals) => {
    held = signal
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, hold)
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, hold)
    return held
  }
}

/** Carries the network of a configuration until it is stopped. */
export async function runForeground(
  configPath: string,
  options: StartOptions,
  loadDaemon: () => Promise<DaemonModule>,
): Promise<void> {
  const parent = options.reportToParent ? new ParentReport() : undefined
  let up = false
  const onProgress = (line: string) => {
    if (parent !== undefined && !up) parent.progress(line)
    print(line)
  }
  const release = holdSignals()
  let daemon: RunningDaemon
  try {
    const network = readConfig(configPath)
    const { runDaemon } = await loadDaemon()
    const rundir = resolve(options.rundir)
    const { logLevel, busyPoll = false } = options
    daemon = await runDaemon({ configPath, network, rundir, logLevel, busyPoll, onProgress })
    up = true
    watchSignals(daemon)
    if (parent === undefined) print(summary(network, rundir, usualRundir()))
  } catch (error) {
    parent?.error(
      error instanceof CliError ? error : new CliError(`This is a mistake in vswitchd-ts: ${error}`),
    )
    throw error
  }
  parent?.ready()
  const held = release()
  if (held !== undefined && held !== 'SIGHUP') await daemon.stop()
  await daemon.stopped
}

/** Starts it in the background and answers when it is up. */
export async function runDetached(configPath: string, options: StartOptions): Promise<void> {
  const network = readConfig(configPath)
  const rundir = resolve(options.rundir)
  const args = [
    'start',
    configPath,
    '--rundir',
    rundir,
    '--log-level',
    options.logLevel,
    ...(options.busyPoll ? ['--busy-poll'] : []),
    '--report-to-parent',
  ]
  const { pid, log } = await startDetached(args, rundir, print)
  print(summary(network, rundir, usualRundir()))
  print(`\nIt runs in the background as process ${pid}; its log is ${log}.`)
}
