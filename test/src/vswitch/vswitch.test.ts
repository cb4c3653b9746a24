import { afterEach, expect, test } from 'vitest'
import { emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import type { JsonObject } from '../../../protocols/ovsdb/json-text.ts'
import { seededRandom } from '../../../protocols/random.ts'
import type { Network } from '../../../src/config/network.ts'
import type { Switch } from '../../../src/daemon/switch.ts'
import { OvsdbClient } from '../../../src/ovsdb/client.ts'
import { OvsdbServer } from '../../../src/ovsdb/server.ts'
import type { Convergence } from '../../../src/reconcile/converge.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { VSwitch } from '../../../src/vswitch/vswitch.ts'
import { empty } from '../../support/databases.ts'
import { until } from '../../support/until.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A switch that can be whatever it is told, after a while. */
class FakeSwitch {
  readonly seen: Network[] = []
  network: Network = { bridges: [], hosts: [], routers: [] }
  readonly dpif = { ports: () => Promise.resolve([]) }
  onNotice() {}
  controllerStatus() {
    return undefined
  }
  async converge(network: Network): Promise<Convergence> {
    await Promise.resolve()
    this.seen.push(network)
    this.network = network
    return { elements: [], failures: [], done: [] }
  }
  async reconcile(network: Network): Promise<readonly string[]> {
    if (network.hosts.length > 0) throw new Error('no hosts here')
    this.network = network
    return ['done']
  }
}

function world() {
  const server = new OvsdbServer({ clock: realClock, random: seededRandom(7) })
  for (const which of ['ovs', 'lab'] as const) {
    const { schema } = empty(which)
    const served = server.add(emptyDatabase(schema))
    served.execute([{ op: 'insert', table: schema.name, row: {} }])
  }
  const client = () => {
    const made = new OvsdbClient({ remotes: [server.remote], clock: realClock })
    closers.push(() => made.close())
    return made
  }
  const follower = (network: FakeSwitch) => {
    const ovs = client()
    const vswitch = new VSwitch({
      network: network as unknown as Switch,
      ovs,
      lab: ovs,
      clock: realClock,
      log: () => {},
    })
    ovs.start()
    closers.push(() => vswitch.close())
    return vswitch
  }
  const user = client()
  user.start()
  const root = async () => {
    const [result] = await user.transact('Open_vSwitch', [{ op: 'select', table: 'Open_vSwitch', where: [] }])
    return ((result as JsonObject)['rows'] as JsonObject[])[0]!
  }
  return { user, follower, root }
}

const bridge = (name: string) => [
  { op: 'insert', table: 'Bridge', 'uuid-name': 'b', row: { name } },
  { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', 'insert', ['named-uuid', 'b']]] },
  { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] },
]

test('every change is dealt with, whenever it comes, and only then said to be', async () => {
  const { user, follower, root } = world()
  const network = new FakeSwitch()
  await follower(network).follow()
  const random = seededRandom(1)
  for (let n = 1; n <= 150; n++) {
    await user.transact('Open_vSwitch', bridge(`br${n}`))
    // Anywhere in a round, or behind it.
    for (let turns = random() % 40; turns > 0; turns--) await Promise.resolve()
    const { cur_cfg } = await root()
    expect(network.network.bridges.length).toBeGreaterThanOrEqual(cur_cfg as number)
  }
  await until(async () => (await root())['cur_cfg'] === 150, 'the last change is dealt with')
  expect(network.network.bridges).toHaveLength(150)
  // What it has written itself is nothing new.
  const rounds = network.seen.length
  expect(rounds).toBeLessThanOrEqual(152)
  await user.transact('Open_vSwitch', [
    { op: 'update', table: 'Open_vSwitch', where: [], row: { statistics: ['map', [['a', 'b']]] } },
  ])
  expect(network.seen).toHaveLength(rounds)
})

test('a network that is refused leaves the database as it was, another replaces all of it', async () => {
  const { user, follower, root } = world()
  const network = new FakeSwitch()
  const vswitch = follower(network)
  await user.transact('Open_vSwitch', bridge('br0'))
  await vswitch.ready()
  await vswitch.follow()
  const host = { name: 'vm1', loopback: true, addresses: [], interfaces: [], routes: [], dns: [] }
  await expect(vswitch.replace({ bridges: [], hosts: [host], routers: [] })).rejects.toThrow('no hosts here')
  expect(network.network.bridges.map(({ name }) => name)).toEqual(['br0'])
  expect(await vswitch.replace({ bridges: [], hosts: [], routers: [] })).toEqual(['done'])
  expect((await root())['bridges']).toEqual(['set', []])
})

test('of two switches on one database the second waits until the first is gone', async () => {
  const { follower } = world()
  const [first, second] = [new FakeSwitch(), new FakeSwitch()]
  await follower(first).follow()
  const end = closers.at(-2)!
  await until(() => first.seen.length > 0, 'the first has the lock')
  await follower(second).follow()
  expect(second.seen).toEqual([])
  await end()
  await until(() => second.seen.length > 0, 'the second has the lock')
})
