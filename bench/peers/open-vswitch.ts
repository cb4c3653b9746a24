/**
 * Open vSwitch with its userspace datapath: on taps, on veth pairs by packet sockets (with and without its TSO) and
 * by AF_XDP, and with its connection tracker as a router that does SNAT.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endProcess } from '../support/end-process.ts'
import {
  addNamespaces,
  BESIDE,
  equip,
  GATEWAY,
  type Host,
  INSIDE,
  ip,
  lacking,
  macOf,
  type Network,
  OUTSIDE,
  type Peer,
  TRANSLATED,
  wire,
} from './peer.ts'

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
export const BRIDGE = 'bench-br'

/** The two daemons, running. */
export interface OpenVswitch {
  /** Of ovsdb-server and ovs-vswitchd. */
  readonly pids: readonly number[]
  /** Where its tools find it. */
  readonly env: NodeJS.ProcessEnv
  readonly rundir: string
  vsctl(...args: string[]): string
  ofctl(...args: string[]): void
  stop(): Promise<void>
}

export const missing = lacking('ovs-vswitchd', 'ovsdb-server', 'ovs-vsctl', 'ovs-ofctl')

/** Starts both daemons, which say on their own how they are through files in a directory of their own. */
export async function startOpenVswitch(...otherConfig: string[]): Promise<OpenVswitch> {
  const dir = mkdtempSync('/run/ovs-')
  const env = { ...process.env, OVS_RUNDIR: dir, OVS_DBDIR: dir, OVS_LOGDIR: dir, OVS_SYSCONFDIR: dir }
  const remote = `unix:${join(dir, 'db.sock')}`
  const children: ChildProcess[] = []
  const daemon = (program: string, ...args: string[]): ChildProcess => {
    const child = spawn(program, [...args, `--log-file=${join(dir, `${program}.log`)}`], {
      env,
      stdio: 'ignore',
    })
    children.push(child)
    return child
  }
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const vsctl = (...args: string[]) => run('ovs-vsctl', `--db=${remote}`, '--timeout=20', ...args)
  run('ovsdb-tool', 'create', join(dir, 'conf.db'), SCHEMA)
  const server = daemon('ovsdb-server', join(dir, 'conf.db'), `--remote=p${remote}`, '--unixctl=db.ctl')
  while (!existsSync(join(dir, 'db.sock'))) {
    if (server.exitCode !== null) throw new Error('ovsdb-server has ended')
    await sleep(1)
  }
  vsctl('--no-wait', 'init', ...otherConfig.flatMap((set) => ['--', 'set', 'Open_vSwitch', '.', set]))
  daemon('ovs-vswitchd', remote, '--disable-system', '--no-chdir', '--unixctl=vswitchd.ctl')
  return {
    pids: children.map((child) => child.pid as number),
    env,
    rundir: dir,
    vsctl,
    ofctl: (...args) => run('ovs-ofctl', ...args),
    stop: async () => {
      for (const child of children.reverse()) await endProcess(child)
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Both daemons with a bridge of ports that are ready. @param type of the ports; '' for packet sockets */
export async function withPorts(
  type: string,
  ports: readonly string[],
  ...otherConfig: string[]
): Promise<OpenVswitch> {
  const ovs = await startOpenVswitch(...otherConfig)
  const add = ports.flatMap((port, i) => [
    ...['--', 'add-port', BRIDGE, port],
    ...['--', 'set', 'interface', port, `ofport_request=${i + 1}`, ...(type === '' ? [] : [`type=${type}`])],
  ])
  ovs.vsctl('add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, 'datapath_type=netdev', ...add)
  for (const port of ports) {
    const error = ovs.vsctl('--if-exists', 'get', 'interface', port, 'error').trim()
    if (error !== '[]') {
      await ovs.stop()
      throw new Error(`${port}: ${error}`)
    }
  }
  return ovs
}

function networkOf(ovs: OpenVswitch, from: Host, to: Host, nextHop: string): Network {
  const stop = async () => {
    await ovs.stop()
    for (const { namespace } of [from, to]) ip('netns', 'del', namespace)
  }
  const addFlow = (flow: string) => ovs.ofctl('add-flow', BRIDGE, flow)
  return { from, to, nextHop, pids: ovs.pids, addFlow, stop }
}

export const ovsTaps: Peer = {
  name: 'Open vSwitch, tap',
  missing,
  start: async () => {
    const ovs = await withPorts('tap', ['t1', 't2'])
    addNamespaces('a', 'b')
    const from = equip('t1', 'a', INSIDE)
    const to = equip('t2', 'b', BESIDE)
    return networkOf(ovs, from, to, macOf(to))
  },
}

/** @param type of the interfaces; '' for packet sockets */
function onVeths(name: string, type: string, offloads: boolean, ...otherConfig: string[]): Peer {
  return {
    name,
    missing: missing ?? lacking('ethtool'),
    start: async () => {
      addNamespaces('a', 'b')
      const from = wire('v1', 'a', INSIDE)
      const to = wire('v2', 'b', BESIDE)
      if (!offloads) {
        // Without its TSO it carries no frame whose checksum is left to the device: hosts must do it themselves.
        for (const { namespace } of [from, to]) {
          execFileSync('ip', ['netns', 'exec', namespace, 'ethtool', '-K', 'eth0', 'tx', 'off'], {
            stdio: 'ignore',
          })
        }
      }
      const ovs = await withPorts(type, ['v1', 'v2'], ...otherConfig)
      return networkOf(ovs, from, to, macOf(to))
    },
  }
}

export const ovsVeths = onVeths('Open vSwitch, AF_PACKET', '', false)
export const ovsTso = onVeths(
  'Open vSwitch, AF_PACKET with TSO',
  '',
  true,
  'other_config:userspace-tso-enable=true',
)
export const ovsXdp = onVeths('Open vSwitch, AF_XDP', 'afxdp', false)

const ROUTER_MAC = '02:00:00:00:00:fe'

/** A router by flows: both sides know its address, so that it need not answer ARP. */
export const ovsSnat: Peer = {
  name: 'Open vSwitch conntrack SNAT, tap',
  missing,
  start: async () => {
    const ovs = await withPorts('tap', ['t1', 't2'])
    addNamespaces('a', 'b')
    const from = equip('t1', 'a', INSIDE, GATEWAY)
    const to = equip('t2', 'b', OUTSIDE)
    ip('-n', 'a', 'neigh', 'add', GATEWAY, 'lladdr', ROUTER_MAC, 'dev', 'eth0')
    ip('-n', 'b', 'neigh', 'add', TRANSLATED, 'lladdr', ROUTER_MAC, 'dev', 'eth0')
    const toward = (host: Host, port: number) =>
      `set_field:${ROUTER_MAC}->eth_src,set_field:${macOf(host)}->eth_dst,dec_ttl,output:${port}`
    const flows = [
      `table=0,in_port=1,ip,actions=ct(commit,nat(src=${TRANSLATED}),table=1)`,
      `table=0,in_port=2,ip,nw_dst=${TRANSLATED},actions=ct(nat,table=2)`,
      `table=1,ip,actions=${toward(to, 2)}`,
      `table=2,ip,ct_state=+est+trk,actions=${toward(from, 1)}`,
    ]
    ovs.ofctl('del-flows', BRIDGE)
    for (const flow of flows) ovs.ofctl('add-flow', BRIDGE, flow)
    return networkOf(ovs, from, to, ROUTER_MAC)
  },
}
