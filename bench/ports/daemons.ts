/** ovsdb-server and ovs-vswitchd, Open vSwitch's or ours by the same names, in a directory of their own. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
const OURS = fileURLToPath(new URL('../../../bin/openvswitch/', import.meta.url))

export interface Daemons {
  readonly socket: string
  vsctl(...args: readonly string[]): void
  stop(): Promise<void>
}

/** @param dummies devices are in memory */
export function startDaemons(ours: boolean, dummies: boolean): Daemons {
  const directory = mkdtempSync('/run/ports-')
  const env = { ...process.env, OVS_RUNDIR: directory, OVS_DBDIR: directory, OVS_LOGDIR: directory }
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const database = join(directory, 'conf.db')
  const socket = join(directory, 'db.sock')
  const where = ours ? OURS : ''
  const common = ['--detach', '--no-chdir', '--pidfile', '--log-file', '-vconsole:off']
  run('ovsdb-tool', 'create', database, SCHEMA)
  run(`${where}ovsdb-server`, database, `--remote=punix:${socket}`, ...common)
  run('ovs-vsctl', '--no-wait', 'init')
  const more = dummies ? ['--enable-dummy=override', '--disable-system'] : []
  run(`${where}ovs-vswitchd`, ...more, ...common)
  const end = async (name: string) => {
    const pid = Number(readFileSync(join(directory, `${name}.pid`), 'utf8'))
    process.kill(pid)
    while (alive(pid)) await sleep(10)
  }
  return {
    socket,
    vsctl: (...args) => void run('ovs-vsctl', '--timeout=200', ...args),
    stop: async () => {
      await end('ovs-vswitchd')
      await end('ovsdb-server')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function alive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] !== 'Z'
  } catch {
    return false
  }
}
