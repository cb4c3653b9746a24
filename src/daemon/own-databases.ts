/**
 * The databases of the switch itself: Open_vSwitch and Lab, in memory or in files, served to whoever connects to
 * db.sock in the run directory or to where the managers of the database are.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemRandom } from '../../engine/sys/random.ts'
import { emptyDatabase } from '../../protocols/ovsdb/database.ts'
import type { OvsdbError } from '../../protocols/ovsdb/error.ts'
import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { type DatabaseSchema, parseSchema } from '../../protocols/ovsdb/schema.ts'
import type { SchemaJson } from '../../protocols/ovsdb/schemas/columns.ts'
import { LAB_SCHEMA } from '../../protocols/ovsdb/schemas/lab.ts'
import { OPEN_VSWITCH } from '../../protocols/ovsdb/schemas/open-vswitch.ts'
import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import type { TlsFiles } from '../net/tls.ts'
import { DatabaseFile } from '../ovsdb/database-file.ts'
import { Databases } from '../ovsdb/databases.ts'
import { Remotes } from '../ovsdb/remotes.ts'
import { OvsdbServer } from '../ovsdb/server.ts'
import { serverCommands } from '../ovsdb-server/commands.ts'
import { Role } from '../ovsdb-server/role.ts'
import type { ModuleLog } from '../process/vlog.ts'
import { realClock } from '../services/scheduler.ts'
import type { UnixctlCommand } from '../unixctl/command-registry.ts'
import { tlsFilesOf } from '../vswitch/network-reader.ts'

export const DATABASE_SOCKET = 'db.sock'
const MANAGERS = 'db:Open_vSwitch,Open_vSwitch,manager_options'

export interface OwnDatabasesOptions {
  readonly rundir: string
  /** Of Open_vSwitch; Lab lies beside it. Undefined: nothing is kept. */
  readonly file: string | undefined
  /** Whether Open_vSwitch is somebody else's, and only Lab ours. */
  readonly labOnly: boolean
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

export class OwnDatabases {
  readonly server: OvsdbServer
  readonly #remotes: Remotes
  readonly #databases: Databases

  private constructor(server: OvsdbServer, remotes: Remotes, databases: Databases) {
    this.server = server
    this.#remotes = remotes
    this.#databases = databases
  }

  /** @throws CliError when a file cannot be used */
  static async open(options: OwnDatabasesOptions): Promise<OwnDatabases> {
    const { rundir, file, labOnly, log } = options
    const info = (text: string) => log('info', text)
    const warn = (text: string) => log('warn', text)
    const err = (text: string) => log('error', text)
    const random = systemRandom()
    const server = new OvsdbServer({ clock: realClock, random, log: { info, warn } })
    const tls = () => databaseTls(server)
    const remotes = new Remotes({
      server,
      clock: realClock,
      directory: rundir,
      tls,
      log: { info, warn, err },
    })
    const databases = new Databases({ server, clock: realClock, random, log: { warn, err: warn } })
    const own = new OwnDatabases(server, remotes, databases)
    try {
      if (!labOnly) own.#add(OPEN_VSWITCH, file)
      own.#add(LAB_SCHEMA, file?.replace(/(\.db)?$/, '.lab.db'))
    } catch (error) {
      await own.close()
      throw new CliError(`The database cannot be used: ${(error as OvsdbError).message}.`, {
        code: EXIT_ENVIRONMENT,
        cause: error,
      })
    }
    await remotes.add(`punix:${join(rundir, DATABASE_SOCKET)}`)
    if (!labOnly) await remotes.add(MANAGERS)
    return own
  }

  /** What `ovs-appctl` may ask of the database server. */
  commands(log: ModuleLog): UnixctlCommand[] {
    const { server } = this
    const tls = () => databaseTls(server)
    const role = new Role({ server, clock: realClock, log, tls })
    return serverCommands({ server, databases: this.#databases, remotes: this.#remotes, role, log })
  }

  async close(): Promise<void> {
    this.#remotes.close()
    this.server.close()
    await this.#databases.close()
  }

  /** A database that is not there yet is made, with the one row in it that everything stands on. */
  #add(json: SchemaJson, path: string | undefined): void {
    if (path !== undefined && !existsSync(path)) DatabaseFile.create(path, schemaOf(json))
    const served =
      path === undefined ? this.server.add(emptyDatabase(schemaOf(json))) : this.#databases.open(path)
    const root = json.name
    if (served.database.tables.get(root)?.rows.size !== 0) return
    served.execute([{ op: 'insert', table: root, row: {} }])
  }
}

function schemaOf(json: SchemaJson): DatabaseSchema {
  return parseSchema(json as unknown as Json)
}

function databaseTls(server: OvsdbServer): TlsFiles | undefined {
  const database = server.databases.get('Open_vSwitch')?.database
  return database && tlsFilesOf(database)
}
