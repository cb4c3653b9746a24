import { resolve } from 'node:path'
import type { Network } from '../config/network.ts'
import type { DaemonModule, LogLevel } from '../daemon/types.ts'
import { carry } from './carry.ts'
import { startDetached } from './detach.ts'
import { type RundirOptions, usualRundir } from './options.ts'
import { print } from './output.ts'
import { summary } from './summary.ts'

export interface StartOptions extends RundirOptions {
  readonly detach?: boolean
  readonly logLevel: LogLevel
  readonly busyPoll?: boolean
}

/** Carries the network of a configuration until it is stopped. */
export async function runForeground(
  configPath: string,
  { logLevel, busyPoll = false, ...options }: StartOptions,
  loadDaemon: () => Promise<DaemonModule>,
): Promise<void> {
  const rundir = resolve(options.rundir)
  const [{ readConfig }, { runDaemon }] = await Promise.all([import('./read-config.ts'), loadDaemon()])
  let network: Network
  await carry(runDaemon, {
    configPath,
    rundir,
    logLevel,
    busyPoll,
    network: () => {
      network = readConfig(configPath)
      return network
    },
    onProgress: print,
    onUp: () => print(summary(network, rundir, usualRundir())),
  })
}

/** Starts it in the background and answers when it is up. */
export async function runDetached(
  configPath: string,
  { logLevel, busyPoll = false, ...options }: StartOptions,
): Promise<void> {
  const rundir = resolve(options.rundir)
  const background = startDetached({ configPath, rundir, logLevel, busyPoll }, print)
  let network: Network
  try {
    const { readConfig } = await import('./read-config.ts')
    network = readConfig(configPath)
  } catch (error) {
    background.abandon()
    throw error
  }
  const { pid, log } = await background.carry(network)
  print(summary(network, rundir, usualRundir()))
  print(`\nIt runs in the background as process ${pid}; its log is ${log}.`)
}
