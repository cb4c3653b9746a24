/** The real ovsdb-server and its tools, in a directory of their own. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { until } from './until.ts'

export const VSWITCH_SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'

export interface RealServer {
  readonly remote: string
  readonly process: ChildProcess
  stop(): Promise<void>
}

export class OvsdbDirectory {
  readonly path = mkdtempSync(join(tmpdir(), 'ovsdb-'))
  readonly #servers: RealServer[] = []

  file(name: string): string {
    return join(this.path, name)
  }

  /** What a tool prints. */
  run(program: string, ...args: string[]): string {
    return execFileSync(program, args, { encoding: 'utf8', env: this.environment(), stdio: 'pipe' })
  }

  environment(): NodeJS.ProcessEnv {
    const { path } = this
    return { ...process.env, OVS_RUNDIR: path, OVS_DBDIR: path, OVS_LOGDIR: path, OVS_SYSCONFDIR: path }
  }

  /** Makes a database file. */
  create(name: string, schema = VSWITCH_SCHEMA): string {
    const file = this.file(name)
    this.run('ovsdb-tool', 'create', file, schema)
    return file
  }

  /** Results of the operations, on a file that nobody serves. */
  transact(file: string, database: string, ...operations: Json[]): Json[] {
    return JSON.parse(this.run('ovsdb-tool', 'transact', file, JSON.stringify([database, ...operations])))
  }

  /** Starts ovsdb-server on database files. @param name of its socket */
  serve(name: string, files: readonly string[], ...options: string[]): Promise<RealServer> {
    return this.serveBy('ovsdb-server', name, files, ...options)
  }

  /** The same by another program, or by the one at another place. */
  async serveBy(
    program: string,
    name: string,
    files: readonly string[],
    ...options: string[]
  ): Promise<RealServer> {
    const socket = this.file(name)
    const child = spawn(
      program,
      [
        ...files,
        `--remote=punix:${socket}`,
        `--unixctl=${socket}.ctl`,
        '-vconsole:off',
        '--no-chdir',
        ...options,
      ],
      { env: this.environment(), stdio: 'inherit' },
    )
    const server: RealServer = {
      remote: `unix:${socket}`,
      process: child,
      stop: () =>
        new Promise((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) return resolve()
          child.once('exit', () => resolve())
          child.kill('SIGKILL')
        }),
    }
    this.#servers.push(server)
    await until(() => existsSync(socket), `ovsdb-server listens at ${socket}`)
    return server
  }

  async remove(): Promise<void> {
    for (const server of this.#servers) await server.stop()
    rmSync(this.path, { recursive: true, force: true })
  }
}
