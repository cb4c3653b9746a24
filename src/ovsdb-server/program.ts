/** `ovsdb-server`: database files served as a process of its own, with the command line of ovsdb-server(1). */

import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { systemRandom } from '../../engine/sys/random.ts'
import type { TlsFiles } from '../net/tls.ts'
import { tlsFilesGiven } from '../net/tls-options.ts'
import { Databases } from '../ovsdb/databases.ts'
import { RemoteNameError, textOf } from '../ovsdb/remote-targets.ts'
import { Remotes } from '../ovsdb/remotes.ts'
import { OvsdbServer } from '../ovsdb/server.ts'
import { TLS_HELP, TLS_OPTIONS, versionText } from '../process/daemon-options.ts'
import type { DaemonContext, DaemonProgram, Service } from '../process/daemon-program.ts'
import type { OptionSpec } from '../process/getopt.ts'
import { realClock } from '../services/scheduler.ts'
import { coverageCommands } from '../unixctl/coverage-commands.ts'
import { clusterCommands } from './cluster-commands.ts'
import { serverCommands } from './commands.ts'
import { Recorder } from './recording.ts'
import { Replay } from './replay.ts'
import { Role } from './role.ts'
import { usage } from './usage.ts'

const NAME = 'ovsdb-server'

const OPTIONS: readonly OptionSpec[] = [
  { long: 'remote', argument: 'required' },
  { long: 'run', argument: 'required' },
  { long: 'no-dbs', argument: 'none' },
  { long: 'sync-from', argument: 'required' },
  { long: 'sync-exclude-tables', argument: 'required' },
  { long: 'active', argument: 'none' },
  { long: 'disable-file-column-diff', argument: 'none' },
  { long: 'record', argument: 'optional' },
  { long: 'replay', argument: 'optional' },
  ...TLS_OPTIONS,
]

/** The files of the command line, or of the database where they are named there (`db:…`). */
function tlsFiles(server: OvsdbServer, given: (name: string) => string | undefined): TlsFiles | undefined {
  return tlsFilesGiven((option) => {
    if (option.startsWith('ssl-')) return given(option)
    try {
      return textOf(given(option), server.databases)
    } catch (error) {
      if (error instanceof RemoteNameError) return undefined
      throw error
    }
  })
}

/** Runs a command for as long as which the server is wanted; resolves with the exit code that makes. */
function runCommand(command: string): { readonly ended: Promise<number>; stop(): void } {
  const child = spawn('/bin/sh', ['-c', command], { stdio: 'inherit' })
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(1))
    child.once('exit', (code) => resolve(code === 0 ? 0 : 1))
  })
  return { ended, stop: () => child.kill('SIGTERM') }
}

async function start(context: DaemonContext): Promise<Service> {
  const { options, directories, vlog, commands, end } = context
  const given = (name: string) => options.filter((o) => o.name === name).at(-1)?.value
  const log = vlog.module('ovsdb_server')
  /** The directory of an option that may stand without one. */
  const directoryOf = (name: string) =>
    options.some((o) => o.name === name) ? resolve(directories.run, given(name) ?? '') : undefined
  const replayed = directoryOf('replay')
  const replay = replayed === undefined ? undefined : new Replay(replayed)
  const clock = replay?.clock ?? realClock
  const recorded = directoryOf('record')
  const recorder =
    recorded === undefined || replay !== undefined ? undefined : new Recorder(recorded, clock, systemRandom())
  const random = (replay ?? recorder)?.random ?? systemRandom()
  const heard = recorder === undefined ? {} : { heard: recorder.heard }
  const server = new OvsdbServer({ clock, random, log: vlog.module('ovsdb_jsonrpc_server'), ...heard })
  const columnDiff = !options.some((o) => o.name === 'disable-file-column-diff')
  const tls = () => tlsFiles(server, given)
  const connectionLog = vlog.module('reconnect')
  const crash = (reason: string) => {
    log.emer(reason)
    process.exit(1)
  }
  const clusters = { directory: directories.run, log: vlog.module('raft'), crash }
  const databases = new Databases({ server, clock, random, log, columnDiff, tls, connectionLog, clusters })
  const remotes = new Remotes({
    server,
    clock,
    directory: directories.run,
    tls,
    log: vlog.module('ovsdb_jsonrpc_server'),
  })
  const role = new Role({ server, clock, log: vlog.module('replication'), tls })
  let command: ReturnType<typeof runCommand> | undefined
  const close = async () => {
    command?.stop()
    role.close()
    remotes.close()
    server.close()
    await databases.close()
    recorder?.close()
  }
  try {
    const noDatabases = options.some((o) => o.name === 'no-dbs')
    const none = noDatabases ? [] : [join(directories.database, 'conf.db')]
    for (const file of context.arguments.length === 0 ? none : context.arguments) databases.add(file)
    role.syncFrom = given('sync-from')
    role.excluded = given('sync-exclude-tables') ?? ''
    if (role.syncFrom !== undefined && !options.some((o) => o.name === 'active')) role.becomeBackup()
  } catch (error) {
    await close()
    throw error
  }
  const ownCommands = [
    ...serverCommands({ server, databases, remotes, role, log }),
    ...clusterCommands(databases, clock),
  ]
  commands.add(
    ...ownCommands.map((own) => recorder?.command(own) ?? own),
    ...coverageCommands(
      async () => ({ ...server.events }),
      async () => usage(server, databases.clusters.values()),
    ),
  )
  const ready = async () => {
    log.info(versionText(NAME))
    if (replay !== undefined) {
      void replay.play(server, ownCommands).then(() => end(0))
      return
    }
    for (const { name, value } of options) if (name === 'remote') await remotes.add(value!)
    const toRun = given('run')
    if (toRun === undefined) return
    command = runCommand(toRun)
    void command.ended.then(end)
  }
  return { ready: ready(), close }
}

export const OVSDB_SERVER: DaemonProgram = {
  name: NAME,
  options: OPTIONS,
  maxArguments: Number.POSITIVE_INFINITY,
  cleansUp: false,
  help: (directories) => `${NAME}: Open vSwitch database server
usage: ${NAME} [OPTIONS] [DATABASE...]
where each DATABASE is a database file in ovsdb format,
or relay:DB_NAME:REMOTE[,REMOTE...] for a database of another server.
The default DATABASE, if none is given, is
${join(directories.database, 'conf.db')}.

JSON-RPC options (may be specified any number of times):
  --remote=REMOTE         connect or listen to REMOTE:
                          tcp:HOST:PORT, ssl:HOST:PORT, unix:FILE,
                          ptcp:PORT[:IP], pssl:PORT[:IP], punix:FILE,
                          db:DATABASE,TABLE,COLUMN
${TLS_HELP}`,
  ownHelp: () => `
Syncing options:
  --sync-from=SERVER      sync DATABASE from active SERVER and start in
                          backup mode (except with --active)
  --sync-exclude-tables=DB:TABLE,...
                          exclude the TABLE in DB from syncing
  --active                with --sync-from, start in active mode

Replay options:
  --record[=DIR]          write down all that clients and commands say
  --replay[=DIR]          do again what was written down, then end

Other options:
  --run COMMAND           run COMMAND as subprocess then exit
  --disable-file-column-diff
                          write whole columns, for servers before 2.15
  --no-dbs                serve no database but those that are added later
  --unixctl=SOCKET        override default control socket name
  -h, --help              display this help message
  -V, --version           display version information
`,
  start,
}
