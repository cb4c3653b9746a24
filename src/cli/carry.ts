import { settled } from '../../engine/settled.ts'
import { loadSoon } from '../bundle/later.ts'
import type { DaemonModule, DaemonOptions, RunningDaemon } from '../daemon/types.ts'
import { print } from './output.ts'
import { reportError } from './report-error.ts'

/** How long what a command has left open may keep the process alive. */
const LINGER_MS = 3000

/** Ends the process with this code, as soon as nothing is to be done any more. */
export function exitWith(code: number): void {
  process.exitCode = code
  setTimeout(() => process.exit(), LINGER_MS).unref()
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

export interface CarryOptions extends DaemonOptions {
  readonly onUp: () => void
}

/** Carries a network until it is stopped, by a signal or by command. */
export async function carry(runDaemon: DaemonModule['runDaemon'], options: CarryOptions): Promise<void> {
  const release = holdSignals()
  const daemon = await runDaemon(options)
  watchSignals(daemon)
  options.onUp()
  settled.publish(undefined)
  loadSoon()
  const held = release()
  if (held !== undefined && held !== 'SIGHUP') await daemon.stop()
  await daemon.stopped
}
