import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { DpifError } from '../../engine/dpif.ts'
import type { ThreadDpif } from '../../engine/dpif-thread.ts'
import { SystemError } from '../../engine/sys/libc.ts'
import { later } from '../bundle/later.ts'
import { EXIT_ENVIRONMENT, EXIT_FAILURE, EXIT_USAGE } from '../cli/exit-codes.ts'
import type { Network } from '../config/network.ts'
import { SOCKET_NAME } from '../control/protocol.ts'
import { type ControlServer, startControlServer } from '../control/server.ts'
import { CliError } from '../errors.ts'
import type { Machine } from '../lab/context.ts'
import { IpError, ipProgram } from '../lab/ip.ts'
import { LEDGER_FILE, Ledger } from '../lab/ledger.ts'
import { recover } from '../lab/recover.ts'
import type { SwitchView } from '../unixctl/switch-view.ts'
import type { Appctl, AppctlOptions } from './appctl.ts'
import type { Databases, openDatabases } from './databases.ts'
import { controlHandlers } from './handlers.ts'
import { type Log, openLog } from './log.ts'
import { checkIpProgram, checkPrivileges, checkTunDevice } from './preflight.ts'
import { RunDirectory } from './rundir.ts'
import { Switch } from './switch.ts'
import { type DaemonOptions, LOG_FILE, type RunningDaemon } from './types.ts'

/** Brings the network up in a dataplane with nothing in it, which from then on is the daemon's to close. */
export async function bringUp(
  options: DaemonOptions,
  network: Network | undefined,
  dpif: ThreadDpif,
): Promise<RunningDaemon> {
  checkPrivileges()
  checkTunDevice()
  checkIpProgram()
  const rundir = RunDirectory.acquire(options.rundir)
  try {
    return await Daemon.start(options, network, rundir, dpif)
  } catch (error) {
    rundir.release()
    throw explain(error)
  }
}

/** Removes what a daemon that was killed has left; answers whether there was anything. */
export async function removeLeftovers(path: string, onRemoved: (what: string) => void): Promise<boolean> {
  if (!existsSync(join(path, LEDGER_FILE))) return false
  const rundir = RunDirectory.acquire(path)
  try {
    const ledger = openLedger(path)
    const warn = (message: string) => onRemoved(`(not wholly) ${message}`)
    await recover({ ip: ipProgram(), ledger, warn }, onRemoved)
    return true
  } finally {
    rundir.release()
  }
}

function openLedger(rundir: string): Ledger {
  try {
    return Ledger.open(rundir)
  } catch (error) {
    throw new CliError(`${(error as Error).message}.`, {
      code: EXIT_ENVIRONMENT,
      hint: 'Look which of the namespaces and addresses it names are there still, then remove the file.',
      cause: error,
    })
  }
}

/** What the system refused, as one sentence; whatever else was thrown is a mistake of ours and stays as it is. */
function explain(error: unknown): unknown {
  if (error instanceof DpifError || error instanceof IpError || error instanceof SystemError) {
    return new CliError(`${error.message}.`, { code: EXIT_ENVIRONMENT, cause: error })
  }
  return error
}

const configReader = later(() => import('../cli/read-config.ts'))

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Loaded while the dataplane is at the first that it has been told to do: in the turn after that which tells it. */
async function loadDatabases(...args: Parameters<typeof openDatabases>): Promise<Databases> {
  await setImmediate()
  await setImmediate()
  const databases = await import('./databases.ts')
  return databases.openDatabases(...args)
}

async function openAppctl(options: AppctlOptions): Promise<Appctl> {
  const { Appctl } = await import('./appctl.ts')
  return Appctl.open(options)
}

function switchView(network: Switch, { vswitch }: Databases): SwitchView {
  return {
    dpif: network.dpif,
    bridges: () =>
      network.network.bridges.map(({ name }) => ({ name, datapathType: vswitch.datapathType(name) })),
    reconnect: (bridge) => network.reconnect(bridge),
    clockSet: (at, runs) => network.dpif.clockSet(at, runs),
  }
}

class Daemon implements RunningDaemon {
  readonly stopped: Promise<void>
  readonly #options: DaemonOptions
  readonly #rundir: RunDirectory
  readonly #log: Log
  readonly #machine: Machine
  readonly #switch: Switch
  readonly #databases: Databases
  #control: ControlServer | undefined
  #appctl: Appctl | undefined
  #stopping: Promise<void> | undefined
  #failure: Error | undefined
  #settle: { resolve(): void; reject(error: Error): void } = { resolve() {}, reject() {} }

  private constructor(
    options: DaemonOptions,
    rundir: RunDirectory,
    log: Log,
    machine: Machine,
    network: Switch,
    databases: Databases,
  ) {
    this.#options = options
    this.#rundir = rundir
    this.#log = log
    this.#machine = machine
    this.#switch = network
    this.#databases = databases
    this.stopped = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.stopped.catch(() => {})
  }

  static async start(
    options: DaemonOptions,
    wanted: Network | undefined,
    rundir: RunDirectory,
    dpif: ThreadDpif,
  ): Promise<Daemon> {
    const { onProgress } = options
    const ledger = openLedger(rundir.path)
    const log = openLog(rundir.path, options.logLevel)
    const warn = (message: string) => {
      log.log.warn(message)
      onProgress(`warning: ${message}`)
    }
    const machine: Machine = { ip: ipProgram(), ledger, warn }
    let network: Switch | undefined
    let opening: Promise<Databases> | undefined
    try {
      await recover(machine, (what) => onProgress(`left by an earlier run, removed: ${what}`))
      network = new Switch({ machine, rundir: rundir.path, log: log.log, onProgress }, dpif)
      opening = loadDatabases(options, network, (level, message) => log.log[level](message))
      // Whoever waits for it later is told.
      opening.catch(() => {})
      if (wanted !== undefined) await network.reconcile(wanted)
      const databases = await opening
      if (wanted !== undefined) await databases.vswitch.adopt(wanted)
      else await databases.follow()
      const daemon = new Daemon(options, rundir, log, machine, network, databases)
      daemon.#control = await startControlServer(
        join(rundir.path, SOCKET_NAME),
        controlHandlers({
          network,
          configPath: options.configPath,
          reload: (path) => daemon.reload(path),
          stop: () => void daemon.stop(),
        }),
      )
      daemon.#appctl = await openAppctl({
        rundir: rundir.path,
        vlog: log.vlog,
        view: switchView(network, databases),
        database: databases.commands(log.vlog.module('ovsdb_server')),
        stop: () => void daemon.stop(),
        warn,
      })
      daemon.#guard()
      await network.waitForLeases()
      log.log.info('the network is up')
      return daemon
    } catch (error) {
      log.log.error(`the network could not be brought up: ${messageOf(error)}`)
      // What is being opened is closed when it is open; what could not be has left nothing.
      const opened = await opening?.catch(() => undefined)
      await opened?.close()
      await network?.close()
      ledger.close()
      log.discard()
      throw error
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async reload(configPath = this.#options.configPath): Promise<readonly string[]> {
    if (configPath === undefined) {
      throw new CliError('The switch was started without a configuration.', {
        code: EXIT_USAGE,
        hint: 'Name one: vswitchd-ts reload CONFIG',
      })
    }
    if (this.#stopping !== undefined) throw new CliError('The switch is being stopped.')
    const { readConfig } = await configReader()
    const network = readConfig(configPath)
    try {
      const steps = await this.#databases.vswitch.replace(network)
      this.#log.log.info(`reloaded: ${steps.length} steps`)
      return steps
    } catch (error) {
      this.#log.log.error(`the reload failed; the network is as it was: ${messageOf(error)}`)
      throw explain(error)
    }
  }

  /** From here on nothing ends the process without taking the network back. */
  #guard(): void {
    process.on('uncaughtException', this.#broken)
    process.on('unhandledRejection', this.#broken)
    this.#switch.dpif.ended.catch(this.#broken)
  }

  readonly #broken = (reason: unknown): void => {
    const error = reason instanceof Error ? reason : new Error(String(reason))
    this.#log.log.fatal(`the switch broke down: ${error.stack ?? error.message}`)
    if (this.#failure !== undefined) return
    this.#failure = error
    void this.stop()
  }

  async #stop(): Promise<void> {
    const { log } = this.#log
    log.info('stopping')
    try {
      await this.#databases.close()
      await this.#switch.close()
    } catch (error) {
      this.#failure ??= error as Error
    }
    this.#machine.ledger.close()
    log.info('stopped')
    this.#log.close()
    // The client of `stop` sees its connection end when the run directory is free again.
    const closed = Promise.all([this.#control?.close(), this.#appctl?.close()])
    this.#rundir.release()
    await closed
    process.off('uncaughtException', this.#broken)
    process.off('unhandledRejection', this.#broken)
    if (this.#failure === undefined) {
      this.#settle.resolve()
      return
    }
    this.#settle.reject(
      new CliError(`The switch broke down: ${this.#failure.message}.`, {
        code: EXIT_FAILURE,
        hint: `Everything it had made is taken back; ${join(this.#options.rundir, LOG_FILE)} says more.`,
        cause: this.#failure,
      }),
    )
  }
}
