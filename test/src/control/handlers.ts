import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { TRUNK_ALL } from '../../../engine/dpif.ts'
import { type PortRow, SOCKET_NAME, type Status } from '../../../src/control/protocol.ts'
import { type Handlers, startControlServer } from '../../../src/control/server.ts'

export const PORT: PortRow = {
  name: 'vm1.eth0',
  bridge: 'br-in',
  ofport: 1,
  kind: 'host',
  owner: 'vm1',
  interface: 'eth0',
  link: 'up',
  vlan: TRUNK_ALL,
  rxPackets: 1234,
  rxBytes: 1_234_567,
  rxErrors: 0,
  rxDropped: 0,
  txPackets: 5,
  txBytes: 500,
  txErrors: 1,
  txDropped: 2,
  rxPacketRate: 10,
  rxBitRate: 8000,
  txPacketRate: 0,
  txBitRate: 0,
}

export const STATUS: Status = {
  pid: 42,
  version: '0.1.0',
  config: '/etc/lab.json',
  uptime: 3725,
  bridges: [{ name: 'br-in', datapathId: '0000020000000001', ports: 1 }],
  ports: [PORT],
  drops: { 'router-no-route': 7 },
  datapath: {
    emcHits: 1,
    megaflowHits: 2,
    upcalls: 3,
    flows: 4,
    masks: 5,
    connections: 6,
    cells: 8,
    cellsFree: 7,
  },
}

export const HANDLERS: Handlers = {
  status: () => STATUS,
  stop: () => ({ pid: 42 }),
  reload: ({ config }) => ({ steps: config === undefined ? [] : [`read ${config}`] }),
  export: () => ({ bridges: { br0: {} } }),
  fdb: () => [{ bridge: 'br-in', port: 'vm1.eth0', ofport: 1, vlan: 0, mac: '02:00:00:00:00:01', age: 65 }],
  arp: () => [],
  routes: () => [],
  nat: () => [],
  leases: () => [],
  flows: () => [],
  queues: () => [],
  trace: ({ bridge, flow }) => [`Flow: ${flow}`, '', `bridge("${bridge}")`],
  capture: ({ target }) => ({
    result: { ports: [target] },
    run: async (output) => {
      output.write(Buffer.from([0x0a, 0x0d, 0x0d, 0x0a]))
    },
  }),
}

/** A run directory of the test's own. */
export function testRundir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'vswitchd-ts-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A control server with canned answers in a run directory of its own. */
export async function serve(handlers: Partial<Handlers> = {}): Promise<{ rundir: string; path: string }> {
  const rundir = testRundir()
  const path = join(rundir, SOCKET_NAME)
  const server = await startControlServer(path, { ...HANDLERS, ...handlers })
  onTestFinished(() => server.close())
  return { rundir, path }
}
