import { CliError } from '../errors.ts'
import { OvsdbClient } from '../ovsdb/client.ts'
import { remoteAt } from '../ovsdb/remote.ts'
import { realClock } from '../services/scheduler.ts'
import { VSwitch } from '../vswitch/vswitch.ts'
import type { Switch } from './switch.ts'
import type { DaemonOptions } from './types.ts'

/** The databases that hold what is wanted, and the switch as their client. */
export interface Databases {
  readonly vswitch: VSwitch
  /** Has the switch do what they say; a server that is not there yet is waited for only a little. */
  follow(): Promise<void>
  close(): Promise<void>
}

const PATIENCE_MS = 3000

export async function openDatabases(
  options: Pick<DaemonOptions, 'db' | 'rundir' | 'onProgress'>,
  network: Switch,
  log: (level: 'info' | 'warn' | 'error', message: string) => void,
): Promise<Databases> {
  const { db, onProgress } = options
  const remote = remoteAt(db!, undefined)
  if (remote === undefined) throw new CliError(`"${db}" is no address of a database server.`)
  const client = new OvsdbClient({
    remotes: [remote],
    clock: realClock,
    log: { info: (text) => log('info', text), warn: (text) => log('warn', text) },
  })
  const vswitch = new VSwitch({ network, ovs: client, lab: undefined, clock: realClock, log })
  client.start()
  return {
    vswitch,
    async follow() {
      const patience = new Promise<'late'>((resolve) => setTimeout(resolve, PATIENCE_MS, 'late').unref())
      if ((await Promise.race([vswitch.ready(), patience])) === 'late') {
        onProgress(`waiting for the database server at ${db}`)
      }
      await vswitch.follow()
    },
    async close() {
      await vswitch.close()
      client.close()
    },
  }
}
