/** The unmodified ovs-ofctl programs our bridges. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../support/world.ts'

let world: World
const CONFIG = {
  bridges: { 'br-in': { address: '10.0.0.254/24', failMode: 'secure' }, 'br-ex': {} },
  hosts: Object.fromEntries(
    [1, 2].map((i) => [
      `vm${i}`,
      { interfaces: { eth0: { bridge: 'br-in', address: `10.0.0.${i}/24`, mac: `02:00:00:00:00:0${i}` } } },
    ]),
  ),
}

beforeAll(async () => {
  world = await World.create()
  await world.start(CONFIG)
})
afterAll(() => world.close())

const ofctl = (...args: string[]) => world.ok(['ovs-ofctl', ...args])
const flows = async (...args: string[]) =>
  (await ofctl('--no-stats', 'dump-flows', ...args))
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)

test.each(['OpenFlow10', 'OpenFlow11', 'OpenFlow12', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15'])(
  'show, by %s',
  async (version) => {
    const text = await ofctl('-O', version, 'show', 'br-in')
    expect(text).toMatch(/dpid:[0-9a-f]{16}/)
    expect(text).toMatch(/\b1\(vm1\.eth0\): addr:02:00:00:00:00:01/)
    expect(text).toMatch(/\b2\(vm2\.eth0\): addr:02:00:00:00:00:02/)
    expect(text).toMatch(/LOCAL\(br-in\): addr:/)
    expect(text).toMatch(/n_tables:254/)
  },
)

test('flows are added, shown, changed and removed', async () => {
  expect(await flows('br-in')).toEqual([])
  await ofctl('add-flow', 'br-in', 'priority=7,in_port=1,ip,nw_dst=10.0.0.0/24,actions=output:2')
  await ofctl('add-flow', 'br-in', 'table=3,cookie=0x5,tcp,tp_dst=80,actions=drop')
  expect(await flows('br-in')).toEqual([
    'priority=7,ip,in_port=1,nw_dst=10.0.0.0/24 actions=output:2',
    'cookie=0x5, table=3, tcp,tp_dst=80 actions=drop',
  ])
  await ofctl('mod-flows', 'br-in', 'tcp,tp_dst=80,table=3,cookie=0x5,actions=normal')
  expect(await flows('br-in', 'table=3')).toEqual(['cookie=0x5, table=3, tcp,tp_dst=80 actions=NORMAL'])
  await ofctl('del-flows', 'br-in', 'cookie=0x5/-1')
  expect(await flows('br-in')).toHaveLength(1)
  await ofctl('del-flows', 'br-in')
  expect(await flows('br-in')).toEqual([])
})
