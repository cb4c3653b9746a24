/** This switch: between TAPs, between veth pairs by packet sockets, and as a router with SNAT. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  addNamespaces,
  BESIDE,
  GATEWAY,
  type Host,
  hostOf,
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

const PROGRAM = fileURLToPath(new URL('../../../bin/vswitchd-ts', import.meta.url))

/** The switch running with a configuration. */
export interface Running {
  readonly pid: number
  readonly rundir: string
  /** @param bridge to which the rule is added */
  addFlow(bridge: string, flow: string): void
  stop(): void
}

/** @param parent the folder of its run directory, where leases are kept, too */
export function startOurs(config: object, parent = '/run', options: readonly string[] = []): Running {
  const rundir = mkdtempSync(join(parent, 'vswitchd-'))
  const file = join(rundir, 'config.json')
  writeFileSync(file, JSON.stringify(config))
  execFileSync(PROGRAM, ['start', file, '--detach', '--rundir', rundir, ...options], { stdio: 'pipe' })
  return {
    rundir,
    pid: Number(readFileSync(join(rundir, 'vswitchd-ts.pid'), 'utf8')),
    addFlow: (bridge, flow) => {
      execFileSync(PROGRAM, ['ofctl', '--rundir', rundir, 'add-flow', bridge, flow], { stdio: 'pipe' })
    },
    stop: () => {
      execFileSync(PROGRAM, ['stop', '--rundir', rundir], { stdio: 'pipe' })
      rmSync(rundir, { recursive: true, force: true })
    },
  }
}

function networkOf(running: Running, from: Host, to: Host, nextHop: string, own: string[] = []): Network {
  return {
    from,
    to,
    nextHop,
    pids: [running.pid],
    stop: async () => {
      running.stop()
      for (const name of own) ip('netns', 'del', name)
    },
  }
}

export const ourTaps: Peer = {
  name: 'ours, TAP',
  start: async () => {
    const running = startOurs({
      bridges: { br: {} },
      hosts: {
        a: { interfaces: { eth0: { bridge: 'br', address: INSIDE } } },
        b: { interfaces: { eth0: { bridge: 'br', address: BESIDE } } },
      },
    })
    const to = hostOf('b', BESIDE)
    const addFlow = (flow: string) => running.addFlow('br', flow)
    return { ...networkOf(running, hostOf('a', INSIDE), to, macOf(to)), addFlow }
  },
}

function onVeths(...options: string[]): Network {
  addNamespaces('a', 'b')
  const from = wire('v1', 'a', INSIDE)
  const to = wire('v2', 'b', BESIDE)
  const port = (device: string) => ({ type: 'system', device })
  const config = { bridges: { br: { ports: { v1: port('v1'), v2: port('v2') } } } }
  const running = startOurs(config, '/run', options)
  return networkOf(running, from, to, macOf(to), ['a', 'b'])
}

export const ourVeths: Peer = { name: 'ours, AF_PACKET on veth', start: async () => onVeths() }

export const ourBusyVeths: Peer = {
  name: 'ours, busy polling',
  only: 'round trip',
  start: async () => onVeths('--busy-poll'),
}

/** From a packet socket, whose host cuts TCP up by itself, to a TAP. */
function ontoTap(name: string, ...options: string[]): Peer {
  return {
    name,
    missing: lacking('ethtool'),
    start: async () => {
      addNamespaces('a')
      const from = wire('v1', 'a', INSIDE)
      const offloads = ['tso', 'off', 'gso', 'off']
      execFileSync('ip', ['netns', 'exec', 'a', 'ethtool', '-K', 'eth0', ...offloads], { stdio: 'ignore' })
      const config = {
        bridges: { br: { ports: { v1: { type: 'system', device: 'v1' } } } },
        hosts: { b: { interfaces: { eth0: { bridge: 'br', address: BESIDE } } } },
      }
      const running = startOurs(config, '/run', options)
      const to = hostOf('b', BESIDE)
      return networkOf(running, from, to, macOf(to), ['a'])
    },
  }
}

export const ourGro = ontoTap('ours, AF_PACKET to TAP, --gro all', '--gro', 'all')
export const ourWithoutGro = ontoTap('ours, AF_PACKET to TAP, --no-gro', '--no-gro')

const ROUTER_MAC = '02:00:00:00:00:fe'

const ROUTER = {
  interfaces: {
    eth0: { bridge: 'in', address: `${GATEWAY}/24`, mac: ROUTER_MAC },
    eth1: { bridge: 'out', address: `${TRANSLATED}/24` },
  },
  nat: [{ type: 'snat', source: '10.99.0.0/24', to: TRANSLATED }],
}

export const ourSnat: Peer = {
  name: 'ours, SNAT, TAP',
  start: async () => {
    const running = startOurs({
      bridges: { in: {}, out: {} },
      hosts: {
        a: { interfaces: { eth0: { bridge: 'in', address: INSIDE, gateway: GATEWAY } } },
        b: { interfaces: { eth0: { bridge: 'out', address: OUTSIDE } } },
      },
      routers: { rt: ROUTER },
    })
    return networkOf(running, hostOf('a', INSIDE), hostOf('b', OUTSIDE), ROUTER_MAC)
  },
}

export const ourSnatVeths: Peer = {
  name: 'ours, SNAT, AF_PACKET on veth',
  start: async () => {
    addNamespaces('a', 'b')
    const from = wire('v1', 'a', INSIDE, GATEWAY)
    const to = wire('v2', 'b', OUTSIDE)
    const bridge = (device: string) => ({ ports: { [device]: { type: 'system', device } } })
    const running = startOurs({ bridges: { in: bridge('v1'), out: bridge('v2') }, routers: { rt: ROUTER } })
    return networkOf(running, from, to, ROUTER_MAC, ['a', 'b'])
  },
}
