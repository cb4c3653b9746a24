/**
 * Two namespaces that can reach each other, once through this switch and once through the kernel's bridge.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Two hosts, the second at `address`, and a way to take everything down again. */
export interface Pair {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly address: string
  stop(): void
}

const PROGRAM = fileURLToPath(new URL('../../../bin/vswitchd-ts', import.meta.url))

export function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' })
}

/** Through a bridge of ours, over TAPs. */
export function ourBridge(): Pair {
  return ours('ours, TAP to TAP', 'bench-a', 'bench-b', '10.99.0.2', {
    bridges: { 'bench-br': {} },
    hosts: {
      'bench-a': { interfaces: { eth0: { bridge: 'bench-br', address: '10.99.0.1/24' } } },
      'bench-b': { interfaces: { eth0: { bridge: 'bench-br', address: '10.99.0.2/24' } } },
    },
  })
}

/** Through a router of ours with SNAT. */
export function ourSnat(): Pair {
  return ours('ours, SNAT', 'bench-a', 'bench-b', '10.99.1.2', {
    bridges: { 'bench-in': {}, 'bench-out': {} },
    hosts: {
      'bench-a': {
        interfaces: { eth0: { bridge: 'bench-in', address: '10.99.0.1/24', gateway: '10.99.0.254' } },
      },
      'bench-b': { interfaces: { eth0: { bridge: 'bench-out', address: '10.99.1.2/24' } } },
    },
    routers: {
      'bench-rt': {
        interfaces: {
          eth0: { bridge: 'bench-in', address: '10.99.0.254/24' },
          eth1: { bridge: 'bench-out', address: '10.99.1.254/24' },
        },
        nat: [{ type: 'snat', source: '10.99.0.0/24', to: '10.99.1.254' }],
      },
    },
  })
}

function ours(name: string, from: string, to: string, address: string, config: object): Pair {
  const dir = mkdtempSync(join(tmpdir(), 'vswitchd-bench-'))
  const file = join(dir, 'config.json')
  writeFileSync(file, JSON.stringify(config))
  execFileSync(PROGRAM, ['start', file, '--detach', '--rundir', dir], { stdio: 'pipe' })
  return {
    name,
    from,
    to,
    address,
    stop: () => {
      execFileSync(PROGRAM, ['stop', '--rundir', dir], { stdio: 'pipe' })
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** The peer: two veth pairs on a bridge of the kernel's, in a namespace of their own. */
export function kernelBridge(): Pair {
  const [a, b, sw] = ['bench-ka', 'bench-kb', 'bench-ks']
  for (const ns of [a, b, sw]) ip('netns', 'add', ns)
  ip('-n', sw, 'link', 'add', 'br0', 'up', 'type', 'bridge')
  for (const [ns, port, address] of [
    [a, 'p0', '10.99.0.1/24'],
    [b, 'p1', '10.99.0.2/24'],
  ]) {
    ip('-n', sw, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns)
    ip('-n', sw, 'link', 'set', port, 'master', 'br0', 'up')
    ip('-n', ns, 'addr', 'add', address, 'dev', 'eth0')
    ip('-n', ns, 'link', 'set', 'eth0', 'up')
  }
  return {
    name: 'kernel bridge, veth',
    from: a,
    to: b,
    address: '10.99.0.2',
    stop: () => {
      for (const ns of [a, b, sw]) ip('netns', 'del', ns)
    },
  }
}
