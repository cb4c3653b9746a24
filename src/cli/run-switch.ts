import { resolve } from 'node:path'
import type { Network } from '../config/network.ts'
import type { DaemonModule, LogLevel } from '../daemon/types.ts'
import { tlsFilesGiven } from '../net/tls-options.ts'
import { carry } from './carry.ts'
import { startDetached } from './detach.ts'
import { type RundirOptions, usualRundir } from './options.ts'
import { print } from './output.ts'
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
  readonly gro: boolean
}

/** Carries the network of a configuration until it is stopped. */
export async function runForeground(
  configPath: string | undefined,
  { logLevel, busyPoll = false, gro, ...options }: StartOptions,
  loadDaemon: () => Promise<DaemonModule>,
): Promise<void> {
  const rundir = resolve(options.rundir)
  const [readConfig, { runDaemon }] = await Promise.all([configReader(configPath), loadDaemon()])
  let network: Network | undefined
  await carry(runDaemon, {
    configPath,
    rundir,
    logLevel,
    busyPoll,
    ...databaseOptions(options),
    gro,
    network: () => {
      network = readConfig()
      return network
    },
    onProgress: print,
    onUp: () => print(summary(network, rundir, usualRundir())),
  })
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
async function configReader(path: string | undefined): Promise<() => Network | undefined> {
  if (path === undefined) return () => undefined
  const { readConfig } = await import('./read-config.ts')
  return () => readConfig(path)
}

/** Starts it in the background and answers when it is up. */
export async function runDetached(
  configPath: string | undefined,
  { logLevel, busyPoll = false, gro, ...options }: StartOptions,
): Promise<void> {
  const rundir = resolve(options.rundir)
  const background = startDetached(
    { configPath, rundir, logLevel, busyPoll, gro, ...databaseOptions(options) },
    print,
  )
  let network: Network | undefined
  try {
    const readConfig = await configReader(configPath)
    network = readConfig()
  } catch (error) {
    background.abandon()
    throw error
  }
  const { pid, log } = await background.carry(network)
  print(summary(network, rundir, usualRundir()))
  print(`\nIt runs in the background as process ${pid}; its log is ${log}.`)
}
