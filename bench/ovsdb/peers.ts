/** Two database servers, each with a new database of the schema Open_vSwitch in a directory of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { lacking } from '../peers/peer.ts'
import { endProcess } from '../support/end-process.ts'

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
const OUR_SERVER = fileURLToPath(new URL('../../../bin/openvswitch/ovsdb-server', import.meta.url))

export const missing = lacking('ovsdb-server', 'ovsdb-tool', 'ovs-vsctl')

export interface Peer {
  readonly name: string
  readonly socket: string
  readonly pid: number
  stop(): Promise<void>
}

async function start(name: string, program: string): Promise<Peer> {
  const directory = mkdtempSync(join(tmpdir(), 'ovsdb-bench-'))
  const database = join(directory, 'conf.db')
  const socket = join(directory, 'db.sock')
  execFileSync('ovsdb-tool', ['create', database, SCHEMA])
  const args = [
    database,
    `--remote=punix:${socket}`,
    `--unixctl=${socket}.ctl`,
    '--no-chdir',
    '-vconsole:off',
  ]
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`${name}: the server has ended`)
    await sleep(1)
  }
  return {
    name,
    socket,
    pid: child.pid!,
    stop: async () => {
      await endProcess(child)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export const ours = (): Promise<Peer> => start('ours', OUR_SERVER)

export const ovsdbServer = (): Promise<Peer> => start('ovsdb-server', 'ovsdb-server')
