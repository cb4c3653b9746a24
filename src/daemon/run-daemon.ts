/**
 * The daemon, from its lightest end: the dataplane's thread starts first and loads its modules while this thread
 * loads the daemon's and reads the configuration.
 */
import { openDpifThread } from '../../engine/dpif-thread.ts'
import type { DaemonOptions, RunningDaemon } from './types.ts'

/** Brings a network up and keeps it until it is stopped. See types.ts for what callers may rely on. */
export async function runDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  const dpif = openDpifThread({ busyPoll: options.busyPoll, gro: options.gro })
  try {
    const { bringUp } = await import('./daemon.ts')
    return await bringUp(options, await options.network(), dpif)
  } catch (error) {
    // It ends by itself once it is up; there is nothing in it that would have to be waited for.
    void dpif.close()
    throw error
  }
}

/** Removes what a daemon that was killed has left; answers whether there was anything. */
export async function removeLeftovers(rundir: string, onRemoved: (what: string) => void): Promise<boolean> {
  const daemon = await import('./daemon.ts')
  return daemon.removeLeftovers(rundir, onRemoved)
}
