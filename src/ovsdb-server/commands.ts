/** What `ovs-appctl` may ask of the server: "Runtime Management Commands" in ovsdb-server(1). */

import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import type { Databases } from '../ovsdb/databases.ts'
import { RemoteNameError, targetsOf } from '../ovsdb/remote-targets.ts'
import type { Remotes } from '../ovsdb/remotes.ts'
import type { OvsdbServer } from '../ovsdb/server.ts'
import type { ModuleLog } from '../process/vlog.ts'
import { type UnixctlCommand, UnixctlError } from '../unixctl/command-registry.ts'
import type { Role } from './role.ts'
import { TableLogs } from './table-logs.ts'

export interface CommandsOptions {
  readonly server: OvsdbServer
  readonly databases: Databases
  readonly remotes: Remotes
  readonly role: Role
  readonly log: ModuleLog
}

const PREFIX = 'ovsdb-server/'

type Row = readonly [
  name: string,
  usage: string,
  arguments: readonly [min: number, max: number],
  run: UnixctlCommand['run'],
]

export function serverCommands(options: CommandsOptions): UnixctlCommand[] {
  const rows = [
    ...databaseCommands(options),
    ...memoryCommands(options),
    ...remoteCommands(options),
    ...roleCommands(options),
    ...logCommands(options),
  ]
  return rows.map(([name, usage, [min, max], run]) => ({
    name: PREFIX + name,
    usage,
    min,
    max,
    run: told(run),
  }))
}

/** What went wrong is told to whoever asked. */
function told(run: UnixctlCommand['run']): UnixctlCommand['run'] {
  return async (args) => {
    try {
      return await run(args)
    } catch (error) {
      if (error instanceof OvsdbError || error instanceof RemoteNameError)
        throw new UnixctlError(error.message)
      throw error
    }
  }
}

function databaseCommands({ server, databases, role, log }: CommandsOptions): Row[] {
  const compact = async (name: string) => {
    log.info(`compacting ${name} database by user request`)
    await databases.compact(name)
  }
  return [
    ['list-dbs', '', [0, 0], () => [...server.databases.keys(), ...server.expected].sort().join('\n')],
    [
      'add-db',
      'DB',
      [1, 1],
      ([file]) => {
        databases.add(file)
        role.databasesChanged()
        return ''
      },
    ],
    [
      'remove-db',
      'DB',
      [1, 1],
      async ([name]) => {
        if (!(await databases.remove(name))) throw new UnixctlError('Failed to find the database.')
        role.databasesChanged()
        return ''
      },
    ],
    [
      'compact',
      '',
      [0, 1],
      async ([name]) => {
        if (name !== undefined && !databases.names.includes(name)) {
          throw new UnixctlError('no database by that name')
        }
        for (const each of name === undefined ? databases.names : [name]) await compact(each)
        return ''
      },
    ],
    [
      'get-db-storage-status',
      'DB',
      [1, 1],
      ([name]) => {
        if (!databases.names.includes(name)) throw new UnixctlError('Failed to find the database.')
        return 'status: ok'
      },
    ],
  ]
}

/** Counters of the processor are nothing that this platform tells of. */
const NO_PERF_COUNTERS = 'performance counter is not supported on this platform'

function memoryCommands({ databases, log }: CommandsOptions): Row[] {
  return [
    [
      'memory-trim-on-compaction',
      'on|off',
      [1, 1],
      ([setting]) => {
        if (setting !== 'on' && setting !== 'off') throw new UnixctlError('invalid argument')
        databases.trimsMemory = setting === 'on'
        log.info(`memory trimming after compaction ${databases.trimsMemory ? 'enabled' : 'disabled'}.`)
        return ''
      },
    ],
    ['perf-counters-show', '', [0, 0], () => NO_PERF_COUNTERS],
    ['perf-counters-clear', '', [0, 0], () => ''],
  ]
}

function remoteCommands({ server, remotes }: CommandsOptions): Row[] {
  return [
    [
      'disable-monitor-cond',
      '',
      [0, 0],
      () => {
        server.monitorsHaveConditions = false
        server.close()
        return ''
      },
    ],
    ['list-remotes', '', [0, 0], () => [...remotes.names].sort().join('\n')],
    [
      'add-remote',
      'REMOTE',
      [1, 1],
      async ([remote]) => {
        targetsOf(remote, server.databases)
        await remotes.add(remote)
        return ''
      },
    ],
    [
      'remove-remote',
      'REMOTE',
      [1, 1],
      ([remote]) => {
        if (!remotes.names.includes(remote)) throw new UnixctlError('no such remote')
        remotes.remove(remote)
        return ''
      },
    ],
    [
      'reconnect',
      '',
      [0, 0],
      () => {
        server.close()
        return ''
      },
    ],
  ]
}

function roleCommands({ role }: CommandsOptions): Row[] {
  const done = (act: (argument: string) => void) => (args: readonly string[]) => {
    try {
      act(args[0])
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  return [
    ['sync-status', '', [0, 0], () => role.status],
    ['connect-active-ovsdb-server', '', [0, 0], done(() => role.becomeBackup())],
    ['disconnect-active-ovsdb-server', '', [0, 0], done(() => role.becomeActive())],
    ['get-active-ovsdb-server', '', [0, 0], () => role.syncFrom ?? ''],
    [
      'set-active-ovsdb-server',
      '',
      [1, 1],
      done((remote) => {
        role.syncFrom = remote
      }),
    ],
    [
      'set-active-ovsdb-server-probe-interval',
      '',
      [1, 1],
      ([milliseconds]) => {
        const interval = Number(milliseconds)
        if (!Number.isInteger(interval) || (interval !== 0 && interval < 1000)) {
          throw new UnixctlError('Invalid probe interval, integer value expected')
        }
        role.probeInterval = interval
        return ''
      },
    ],
    ['get-sync-exclude-tables', '', [0, 0], () => role.excluded],
    [
      'set-sync-exclude-tables',
      '',
      [1, 1],
      done((tables) => {
        role.excluded = tables
      }),
    ],
  ]
}

function logCommands({ server, log }: CommandsOptions): Row[] {
  const tableLogs = new TableLogs(server, log)
  return [
    ['tlog-list', '', [0, 0], () => tableLogs.list()],
    [
      'tlog-set',
      'DB:TABLE on|off',
      [2, 2],
      ([name, setting]) => {
        const [database, table, ...rest] = name.split(':')
        if (!database || !table || rest.length > 0) throw new UnixctlError(`invalid argument: ${name}`)
        if (setting !== 'on' && setting !== 'off') throw new UnixctlError(`invalid argument: ${setting}`)
        try {
          tableLogs.set(database, table, setting === 'on')
        } catch (error) {
          throw new UnixctlError((error as Error).message)
        }
        return ''
      },
    ],
  ]
}
