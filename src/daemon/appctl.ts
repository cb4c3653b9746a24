/**
 * The control sockets where `ovs-appctl` looks for Open vSwitch's daemons in a run directory: that of
 * `ovs-vswitchd` and, where the database is the switch's own, that of `ovsdb-server`.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { later } from '../bundle/later.ts'
import { versionText } from '../process/daemon-options.ts'
import { PidFile, PidFileError, readPidFile } from '../process/pid-file.ts'
import type { Vlog } from '../process/vlog.ts'
import { CommandRegistry, type UnixctlCommand } from '../unixctl/command-registry.ts'
import { startUnixctl, type UnixctlServer } from '../unixctl/server.ts'
import type { SwitchView } from '../unixctl/switch-view.ts'
import { vlogCommands } from '../unixctl/vlog-commands.ts'

const switchCommands = later(() => import('../unixctl/switch-commands.ts'))

export interface AppctlOptions {
  readonly rundir: string
  readonly vlog: Vlog
  readonly view: SwitchView
  /** Of the database server; undefined where that is another. */
  readonly database: readonly UnixctlCommand[] | undefined
  /** Ends the switch. */
  readonly stop: () => void
  readonly warn: (message: string) => void
}

interface Socket {
  readonly pidFile: PidFile
  readonly server: UnixctlServer
}

export class Appctl {
  readonly #sockets: Socket[] = []

  static async open(options: AppctlOptions): Promise<Appctl> {
    const appctl = new Appctl()
    await appctl.#serve('ovs-vswitchd', options, (registry) =>
      registry.addLater(async () => {
        const { addSwitchCommands } = await switchCommands()
        addSwitchCommands(registry, options.view)
      }),
    )
    const { database } = options
    if (database !== undefined) {
      await appctl.#serve('ovsdb-server', options, (registry) => registry.add(...database))
    }
    return appctl
  }

  async close(): Promise<void> {
    for (const { pidFile } of this.#sockets) pidFile.release()
    await Promise.all(this.#sockets.splice(0).map(({ server }) => server.close()))
  }

  /** A name that another daemon has in this directory is left to it. */
  async #serve(
    name: string,
    { rundir, vlog, stop, warn }: AppctlOptions,
    fill: (registry: CommandRegistry) => void,
  ): Promise<void> {
    const path = join(rundir, `${name}.pid`)
    const socket = (pid: number) => join(rundir, `${name}.${pid}.ctl`)
    const before = readPidFile(path)
    let pidFile: PidFile
    try {
      pidFile = PidFile.acquire(path, false)
    } catch (error) {
      if (!(error instanceof PidFileError)) throw error
      warn(`ovs-appctl does not find this switch as ${name}: ${error.message}`)
      return
    }
    // Whoever had the name before was killed.
    if (before !== undefined && before !== process.pid) rmSync(socket(before), { force: true })
    const registry = new CommandRegistry()
    registry.add(
      { name: 'version', usage: '', min: 0, max: 0, run: () => versionText(name) },
      {
        name: 'exit',
        usage: '[--cleanup]',
        min: 0,
        max: 1,
        run: () => {
          // The answer leaves first.
          setImmediate(stop)
          return ''
        },
      },
      ...vlogCommands(vlog),
    )
    fill(registry)
    const server = await startUnixctl(socket(process.pid), registry, vlog.module('unixctl'))
    this.#sockets.push({ pidFile, server })
  }
}
