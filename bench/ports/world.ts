/**
 * Ports that are added to a bridge, to be run in a private world (see `ports.ts`): so many in one transaction, until
 * the switch confirms it; beside them some one by one, by ovs-vsctl until it returns and by a client that costs
 * nothing itself. Of devices that the switch makes, of existing ones, and of such in memory. Prints the results as
 * JSON.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { Client } from '../ovsdb/client.ts'
import { missing } from '../peers/open-vswitch.ts'
import { Figures } from '../support/figures.ts'
import { leftOut } from '../support/result.ts'
import { type Daemons, startDaemons } from './daemons.ts'

const quick = process.argv.includes('--quick')
const SINGLES = 5
const BRIDGE = 'bench-br'
const figures = new Figures('ports')

const KINDS: readonly { readonly type: string; readonly counts: readonly number[] }[] = [
  { type: 'internal', counts: quick ? [0, 100] : [0, 100, 1000] },
  { type: 'system', counts: quick ? [0, 100] : [0, 100, 1000] },
  { type: 'dummy', counts: quick ? [0, 1000] : [0, 100, 1000, 10_000] },
]

async function timed(action: () => Promise<void> | void): Promise<number> {
  const begin = performance.now()
  await action()
  return performance.now() - begin
}

/** One end of each is to be a port. */
function makeVeths(names: readonly string[]): void {
  const commands = names.map((name) => `link add ${name} type veth peer name ${name}p`)
  execFileSync('ip', ['-batch', '-'], { input: `${commands.join('\n')}\n` })
}

/** Changes that have been asked for by clients of the bench; ovs-vsctl counts on from there. */
let asked = 1000

function portRows(names: readonly string[], type: string): Json[] {
  const rows = names.flatMap((name): Json[] => [
    { op: 'insert', table: 'Interface', 'uuid-name': `i_${name}`, row: { name, type } },
    {
      op: 'insert',
      table: 'Port',
      'uuid-name': `p_${name}`,
      row: { name, interfaces: ['named-uuid', `i_${name}`] },
    },
  ])
  const all: Json = ['set', names.map((name) => ['named-uuid', `p_${name}`])]
  const where: Json = [['name', '==', BRIDGE]]
  return [...rows, { op: 'mutate', table: 'Bridge', where, mutations: [['ports', 'insert', all]] }]
}

/** Adds ports in one transaction and waits until the switch says that they are there. */
async function addAtOnce(client: Client, names: readonly string[], type: string): Promise<void> {
  asked += 1000
  const settled = { cur_cfg: asked }
  const wait = { op: 'wait', table: 'Open_vSwitch', timeout: 300_000, where: [], columns: ['cur_cfg'] }
  const next = { op: 'update', table: 'Open_vSwitch', where: [], row: { next_cfg: asked } }
  await client.wholeReply(Client.transaction(...portRows(names, type), next))
  await client.wholeReply(Client.transaction({ ...wait, until: '==', rows: [settled] }))
}

function removeDevices(): void {
  const ours = readdirSync('/proc/sys/net/ipv4/conf').filter((name) => /^([qvc]\d+|bench-br)$/.test(name))
  const input = ours.map((name) => `link del ${name}\n`).join('')
  execFileSync('ip', ['-force', '-batch', '-'], { input, stdio: ['pipe', 'ignore', 'ignore'] })
}

async function measure(peer: string, daemons: Daemons, type: string, counts: readonly number[]) {
  daemons.vsctl('add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, 'datapath_type=netdev')
  const client = await Client.open(daemons.socket)
  let there = 0
  const named = (prefix: string, n: number) => {
    const names = Array.from({ length: n }, (_, i) => `${prefix}${there + i}`)
    if (type === 'system' && n > 0) makeVeths(names)
    return names
  }
  for (const count of counts) {
    const names = named('q', count - there)
    if (names.length > 0) {
      const took = await timed(() => addAtOnce(client, names, type))
      const beside = there === 0 ? '' : `, beside ${there}`
      figures.add(peer, `${names.length} ${type} ports in one transaction${beside}`, took, 'ms', true)
    }
    there = count
    const byVsctl = named('v', SINGLES)
    const each = await timed(() => {
      for (const name of byVsctl)
        daemons.vsctl('add-port', BRIDGE, name, '--', 'set', 'interface', name, `type=${type}`)
    })
    figures.add(peer, `ovs-vsctl add-port, ${type}, beside ${count}`, each / SINGLES, 'ms', true)
    const byClient = named('c', SINGLES)
    const alone = await timed(async () => {
      for (const name of byClient) await addAtOnce(client, [name], type)
    })
    figures.add(peer, `one ${type} port, beside ${count}`, alone / SINGLES, 'ms', true)
  }
  client.close()
}

if (missing !== undefined) {
  console.log(JSON.stringify([leftOut('ports', `${missing} is not installed`)]))
} else {
  for (const { type, counts } of KINDS) {
    for (const [peer, ours] of [
      ['ours', true],
      ['Open vSwitch', false],
    ] as const) {
      const daemons = startDaemons(ours, type === 'dummy')
      try {
        await measure(peer, daemons, type, counts)
      } finally {
        await daemons.stop()
        // Devices outlive their switch, or are its peers'.
        removeDevices()
      }
    }
  }
  console.log(JSON.stringify(figures.results(['ours'])))
}
