import type { Gro } from '../../engine/netdev/coalescer.ts'
import type { Network } from '../config/network.ts'
import type { TlsFiles } from '../net/tls.ts'

/** What the command line and the daemon know of each other. */

/** In the run directory. */
export const LOG_FILE = 'vswitchd-ts.log'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface DaemonOptions {
  /** Absolute; read again on reload. Undefined: the network is what the database says. */
  readonly configPath: string | undefined
  /** Reads it; called once everything that takes long is on its way. */
  readonly network: () => Promise<Network | undefined>
  /** A server that has the database Open_vSwitch; undefined: ours. */
  readonly db?: string | undefined
  /** Keys for it, where it is reached by TLS. */
  readonly dbTls?: TlsFiles | undefined
  /** Absolute; a file that keeps our database; undefined: it is gone with the switch. */
  readonly database?: string | undefined
  readonly rundir: string
  readonly logLevel: LogLevel
  /** The dataplane never sleeps: lower latency for a processor of its own. */
  readonly busyPoll: boolean
  /** Which small frames of a flow may leave for a TAP as one; undefined: those for which it pays. */
  readonly gro?: Gro | undefined
  /** Called with one line for each thing that is brought up, changed or taken back. */
  readonly onProgress: (line: string) => void
}

export interface RunningDaemon {
  /** Resolves when everything is taken back, whoever asked for it; rejects when the switch broke down. */
  readonly stopped: Promise<void>
  /** Takes back everything. Idempotent. */
  stop(): Promise<void>
  /** Applies the difference; answers the steps done. A CliError leaves the network as it was. */
  reload(configPath?: string): Promise<readonly string[]>
}

/** src/daemon/run-daemon.ts. */
export interface DaemonModule {
  /** Resolves when the network is up. What it throws is a CliError, and nothing is left behind. */
  runDaemon(options: DaemonOptions): Promise<RunningDaemon>
  /** Removes what a killed daemon of this run directory has left; answers whether there was anything. */
  removeLeftovers(rundir: string, onRemoved: (what: string) => void): Promise<boolean>
}
