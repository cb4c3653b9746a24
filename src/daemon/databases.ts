import type { Duration } from '../../protocols/time.ts'
import { EXIT_USAGE } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import type { TlsFiles } from '../net/tls.ts'
import { OvsdbClient } from '../ovsdb/client.ts'
import { type Remote, remoteAt } from '../ovsdb/remote.ts'
import type { ModuleLog } from '../process/vlog.ts'
import { realClock } from '../services/scheduler.ts'
import type { UnixctlCommand } from '../unixctl/command-registry.ts'
import { VSwitch } from '../vswitch/vswitch.ts'
import { OwnDatabases } from './own-databases.ts'
import type { Switch } from './switch.ts'
import type { DaemonOptions } from './types.ts'

/** The databases that hold what is wanted, and the switch as their client. */
export interface Databases {
  readonly vswitch: VSwitch
  /** What may be asked of the database server; undefined where that is another. */
  commands(log: ModuleLog): UnixctlCommand[] | undefined
  /** Has the switch do what they say; a server that is not there yet is waited for only a little. */
  follow(): Promise<void>
  close(): Promise<void>
}

/** Milliseconds. */
const PATIENCE = 3000

type Log = (level: 'info' | 'warn' | 'error', message: string) => void

/** @throws CliError when they cannot be used */
export async function openDatabases(
  options: Pick<DaemonOptions, 'db' | 'dbTls' | 'database' | 'rundir' | 'onProgress'>,
  network: Switch,
  log: Log,
): Promise<Databases> {
  const { db, dbTls, database: file, rundir, onProgress } = options
  const elsewhere = db === undefined ? undefined : remoteElsewhere(db, dbTls)
  const own = await OwnDatabases.open({ rundir, file, labOnly: elsewhere !== undefined, log })
  const lab = clientOf(own.server.remote, log)
  const ovs = elsewhere === undefined ? lab : clientOf(elsewhere, log)
  const vswitch = new VSwitch({ network, ovs, lab, clock: realClock, log })
  lab.start()
  if (ovs !== lab) ovs.start()
  return {
    vswitch,
    commands: (module) => (elsewhere === undefined ? own.commands(module) : undefined),
    async follow() {
      if (!(await within(PATIENCE, vswitch.ready()))) {
        onProgress(`waiting for the database server at ${db}`)
      }
      await vswitch.follow()
    },
    async close() {
      await vswitch.close()
      ovs.close()
      lab.close()
      await own.close()
    },
  }
}

function remoteElsewhere(db: string, tls: TlsFiles | undefined): Remote {
  if (db.startsWith('ssl:') && tls === undefined) {
    throw new CliError(`"${db}" is reached with keys.`, {
      code: EXIT_USAGE,
      hint: 'Give --private-key, --certificate and --ca-cert (or --bootstrap-ca-cert); `vswitchd-ts pki` makes them.',
    })
  }
  const remote = remoteAt(db, tls)
  if (remote !== undefined) return remote
  throw new CliError(`"${db}" is no address of a database server.`, {
    code: EXIT_USAGE,
    hint: 'Such are unix:/var/run/openvswitch/db.sock, tcp:127.0.0.1:6640 and ssl:10.0.0.1.',
  })
}

function clientOf(remote: Remote, log: Log): OvsdbClient {
  const info = (text: string) => log('info', text)
  return new OvsdbClient({
    remotes: [remote],
    clock: realClock,
    log: { info, warn: (text) => log('warn', text) },
  })
}

/** Whether it came in time. */
function within(span: Duration, event: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = realClock.schedule(realClock.now() + span, () => resolve(false))
    void event.then(() => {
      cancel()
      resolve(true)
    })
  })
}
