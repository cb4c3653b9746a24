/** DHCP servers with a table of 60,000 addresses and every lease on the disk before it is acknowledged. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startOurs } from '../peers/ours.ts'
import { addNamespaces, ip, lacking } from '../peers/peer.ts'
import { endProcess } from '../support/end-process.ts'

/** Where the clients are, with an interface eth0 that has an address of the network. */
export const CLIENTS = 'a'
const SERVER = 'server'
export const CLIENT = '10.99.0.1'
const CLIENT_ADDRESS = `${CLIENT}/16`
const SERVER_ADDRESS = '10.99.0.254'
const FIRST = '10.99.1.0'
const LAST = '10.99.235.95'
const LEASE_SECONDS = 3600
/** Until a server answers. */
const START_MS = 1500

export interface DhcpServer {
  readonly name: string
  readonly missing?: string | undefined
  start(): Promise<Serving>
}

/** A server that runs. */
export interface Serving {
  readonly pid: number
  stop(): Promise<void>
}

export const ours: DhcpServer = {
  name: 'ours',
  start: async () => {
    const dhcp = { range: [FIRST, LAST], leaseTime: LEASE_SECONDS, probe: false }
    const disk = mkdtempSync(join(tmpdir(), 'dhcp-'))
    const running = startOurs(
      {
        bridges: { br: {} },
        hosts: { [CLIENTS]: { interfaces: { eth0: { bridge: 'br', address: CLIENT_ADDRESS } } } },
        routers: { rt: { interfaces: { eth0: { bridge: 'br', address: `${SERVER_ADDRESS}/16`, dhcp } } } },
      },
      disk,
    )
    return { pid: running.pid, stop: async () => running.stop() }
  },
}

/** A server of its own namespace, joined to the clients' by a veth pair. */
function daemon(name: string, program: string, args: (dir: string) => string[]): DhcpServer {
  return {
    name,
    missing: lacking(program),
    start: async () => {
      const dir = mkdtempSync(join(tmpdir(), 'dhcp-'))
      addNamespaces(CLIENTS, SERVER)
      ip('-n', SERVER, 'link', 'add', 'eth0', 'up', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', CLIENTS)
      ip('-n', SERVER, 'addr', 'add', `${SERVER_ADDRESS}/16`, 'dev', 'eth0')
      ip('-n', CLIENTS, 'addr', 'add', CLIENT_ADDRESS, 'dev', 'eth0')
      ip('-n', CLIENTS, 'link', 'set', 'eth0', 'up')
      const child = spawn('ip', ['netns', 'exec', SERVER, program, ...args(dir)], {
        stdio: 'ignore',
        env: { ...process.env, KEA_PIDFILE_DIR: dir, KEA_LOCKFILE_DIR: dir },
      })
      await sleep(START_MS)
      if (child.exitCode !== null) throw new Error(`${program} has ended`)
      const stop = async () => {
        await endProcess(child)
        for (const namespace of [CLIENTS, SERVER]) ip('netns', 'del', namespace)
        rmSync(dir, { recursive: true, force: true })
      }
      return { pid: child.pid!, stop }
    },
  }
}

export const dnsmasq = daemon('dnsmasq', 'dnsmasq', (dir) => [
  ...[
    '--keep-in-foreground',
    '--port=0',
    '--no-ping',
    '--interface=eth0',
    '--user=root',
    '--conf-file=/dev/null',
  ],
  ...[
    `--dhcp-range=${FIRST},${LAST},255.255.0.0,${LEASE_SECONDS}`,
    '--dhcp-lease-max=65536',
    '--dhcp-authoritative',
  ],
  ...[`--dhcp-leasefile=${dir}/leases`, `--pid-file=${dir}/pid`, '--quiet-dhcp', '--log-facility=/dev/null'],
])

export const kea = daemon('Kea, memfile', 'kea-dhcp4', (dir) => {
  const config = {
    Dhcp4: {
      'interfaces-config': { interfaces: ['eth0'] },
      'lease-database': { type: 'memfile', persist: true, name: `${dir}/leases.csv`, 'lfc-interval': 0 },
      'valid-lifetime': LEASE_SECONDS,
      subnet4: [{ subnet: '10.99.0.0/16', pools: [{ pool: `${FIRST} - ${LAST}` }] }],
      loggers: [{ name: 'kea-dhcp4', output_options: [{ output: '/dev/null' }], severity: 'ERROR' }],
    },
  }
  writeFileSync(join(dir, 'kea.json'), JSON.stringify(config))
  return ['-c', join(dir, 'kea.json')]
})
