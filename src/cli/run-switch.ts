import { resolve } from 'node:path'
import type { Gro } from '../../engine/netdev/coalescer.ts'
import type { Network } from '../config/network.ts'
import type { DaemonModule, DaemonOptions, LogLevel } from '../daemon/types.ts'
import { tlsFilesGiven } from '../net/tls-options.ts'
import { carry } from './carry.ts'
import { type RundirOptions, usualRundir } from './options.ts'
import { carryOnUnread, print } from './output.ts'
import { parent } from './parent.ts'
import { summary } from './summary.ts'

export interface StartOptions extends RundirOptions {
  readonly detach?: boolean
  readonly logLevel: LogLevel
  readonly busyPoll?: boolean
  readonly db?: string
  readonly privateKey?: string
  readonly certificate?: string
  readonly caCert?: string
  readonly bootstrapCaCert?: string
  readonly database?: string
  /** False: none. */
  readonly gro?: Gro | false
}

type LoadDaemon = () => Promise<DaemonModule>

/** Carries the network of a configuration until it is stopped. */
export async function runForeground(
  configPath: string | undefined,
  options: StartOptions,
  loadDaemon: LoadDaemon,
): Promise<void> {
  const { runDaemon } = await loadDaemon()
  const daemon = daemonOptions(configPath, options)
  carryOnUnread()
  let network: Network | undefined
  await carry(runDaemon, {
    ...daemon,
    network: async () => {
      network = await readNetwork(configPath)
      return network
    },
    onProgress: print,
    onUp: () => print(summary(network, daemon.rundir, usualRundir())),
  })
}

/** The same as a process in the background; the command that the person has given ends when it is up. */
export async function runInBackground(
  configPath: string | undefined,
  options: StartOptions,
  loadDaemon: LoadDaemon,
): Promise<void> {
  const [{ runDaemon }, { Background }] = await Promise.all([loadDaemon(), import('./background.ts')])
  const daemon = daemonOptions(configPath, options)
  const background = new Background(daemon.rundir, parent)
  let network: Network | undefined
  await carry(runDaemon, {
    ...daemon,
    network: async () => {
      try {
        network = await readNetwork(configPath)
        return network
      } catch (error) {
        background.discard()
        throw error
      }
    },
    onProgress: (line) => background.print(line),
    onUp: () => {
      background.print(summary(network, daemon.rundir, usualRundir()))
      background.print(`\nIt runs in the background as process ${process.pid}; its log is ${background.log}.`)
      background.leave()
    },
  })
}

function daemonOptions(
  configPath: string | undefined,
  { rundir, logLevel, busyPoll = false, gro, ...options }: StartOptions,
): Omit<DaemonOptions, 'network' | 'onProgress'> {
  return {
    configPath,
    rundir: resolve(rundir),
    logLevel,
    busyPoll,
    gro: gro === false ? 'none' : gro,
    ...databaseOptions(options),
  }
}

type DatabaseOptions = Pick<
  StartOptions,
  'db' | 'database' | 'privateKey' | 'certificate' | 'caCert' | 'bootstrapCaCert'
>

function databaseOptions({
  db,
  database,
  privateKey,
  certificate,
  caCert,
  bootstrapCaCert,
}: DatabaseOptions) {
  const files = new Map(
    Object.entries({
      'private-key': privateKey,
      certificate,
      'ca-cert': caCert,
      'bootstrap-ca-cert': bootstrapCaCert,
    }).map(([name, path]) => [name, path === undefined ? undefined : resolve(path)]),
  )
  return {
    db,
    dbTls: tlsFilesGiven((name) => files.get(name)),
    database: database === undefined ? undefined : resolve(database),
  }
}

/** Without a configuration there is nothing to be loaded for it. */
async function readNetwork(path: string | undefined): Promise<Network | undefined> {
  if (path === undefined) return undefined
  const { readConfig } = await import('./read-config.ts')
  return readConfig(path)
}
