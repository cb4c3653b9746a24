/**
 * Two switches that are programmed by OpenFlow and forward between two TAPs: this one and Open vSwitch with its
 * userspace datapath. Both live in the private world of `world.ts` and end with it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ip, lacking } from '../peers/peer.ts'

export const BRIDGE = 'bench-br'

/** One of the two TAPs, and the namespace that has it. */
export interface End {
  readonly namespace: string
  readonly device: string
}

export interface Peer {
  readonly name: string
  /** Where ovs-ofctl and ovs-appctl find it. */
  readonly env: NodeJS.ProcessEnv
  /** Path of the socket where it speaks OpenFlow. */
  readonly socket: string
  /** OpenFlow port 1. */
  readonly from: End
  /** OpenFlow port 2. */
  readonly to: End
  /** Process whose memory counts. */
  readonly pid: number
  stop(): Promise<void>
}

const PROGRAM = fileURLToPath(new URL('../../../bin/vswitchd-ts', import.meta.url))
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'

function directory(name: string): { dir: string; env: NodeJS.ProcessEnv } {
  const dir = join('/run', name)
  mkdirSync(dir)
  const env = { ...process.env, OVS_RUNDIR: dir, OVS_DBDIR: dir, OVS_LOGDIR: dir, OVS_SYSCONFDIR: dir }
  return { dir, env }
}

/** Which program Open vSwitch lacks on this machine, or undefined. */
export const missing = lacking('ovs-vswitchd', 'ovsdb-server', 'ovs-vsctl', 'ovs-ofctl')

export function ours(): Peer {
  const { dir, env } = directory('ours')
  const host = (address: string) => ({ interfaces: { eth0: { bridge: BRIDGE, address } } })
  const file = join(dir, 'config.json')
  const hosts = { 'bench-a': host('10.99.0.1/24'), 'bench-b': host('10.99.0.2/24') }
  writeFileSync(file, JSON.stringify({ bridges: { [BRIDGE]: { failMode: 'secure' } }, hosts }))
  execFileSync(PROGRAM, ['start', file, '--detach', '--rundir', dir], { stdio: 'pipe' })
  return {
    name: 'ours',
    env,
    socket: join(dir, `${BRIDGE}.mgmt`),
    from: { namespace: 'bench-a', device: 'eth0' },
    to: { namespace: 'bench-b', device: 'eth0' },
    pid: Number(readFileSync(join(dir, 'vswitchd-ts.pid'), 'utf8')),
    stop: async () => {
      execFileSync(PROGRAM, ['stop', '--rundir', dir], { stdio: 'pipe' })
    },
  }
}

export async function openVswitch(): Promise<Peer> {
  const { dir, env } = directory('ovs')
  const namespace = 'bench-ovs'
  ip('netns', 'add', namespace)
  const db = `unix:${join(dir, 'db.sock')}`
  const stdio = 'ignore' as const
  const children: ChildProcess[] = []
  const daemon = (program: string, ...args: string[]): ChildProcess => {
    const all = ['netns', 'exec', namespace, program, ...args, `--log-file=${join(dir, `${program}.log`)}`]
    const child = spawn('ip', all, { env, stdio })
    children.push(child)
    return child
  }
  const conf = join(dir, 'conf.db')
  execFileSync('ovsdb-tool', ['create', conf, SCHEMA], { env })
  daemon('ovsdb-server', conf, `--remote=p${db}`, `--unixctl=${join(dir, 'ovsdb.ctl')}`)
  const vsctl = (...args: string[]) =>
    execFileSync('ovs-vsctl', [`--db=${db}`, '--timeout=10', ...args], { env })
  while (!existsSync(join(dir, 'db.sock'))) {
    if (children[0]!.exitCode !== null) throw new Error('ovsdb-server has ended')
    await sleep(20)
  }
  vsctl('--no-wait', 'init')
  const ctl = join(dir, 'vswitchd.ctl')
  const vswitchd = daemon('ovs-vswitchd', db, '--disable-system', '--no-chdir', `--unixctl=${ctl}`)
  const bridge = ['datapath_type=netdev', 'fail-mode=secure', 'protocols=OpenFlow10,OpenFlow13,OpenFlow14']
  const port = (n: number) => [
    ...['--', 'add-port', BRIDGE, `bench-p${n}`],
    ...['--', 'set', 'interface', `bench-p${n}`, 'type=tap', `ofport_request=${n}`],
  ]
  vsctl('add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, ...bridge, ...port(1), ...port(2))
  for (const device of ['bench-p1', 'bench-p2']) ip('-n', namespace, 'link', 'set', device, 'up')
  return {
    name: 'Open vSwitch',
    env,
    socket: join(dir, `${BRIDGE}.mgmt`),
    from: { namespace, device: 'bench-p1' },
    to: { namespace, device: 'bench-p2' },
    pid: vswitchd.pid as number,
    stop: async () => {
      for (const child of children.reverse()) {
        child.kill('SIGTERM')
        while (child.exitCode === null && child.signalCode === null) await sleep(20)
      }
    },
  }
}
