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

test('bundles are carried out whole or not at all', async () => {
  const good = 'add table=1,priority=1,actions=drop\nadd table=1,priority=2,actions=normal\n'
  await world.ok(['ovs-ofctl', '-O', 'OpenFlow14', '--bundle', 'add-flows', 'br-in', '-'], { input: good })
  expect(await flows('br-in')).toHaveLength(2)
  // The last flow overlaps the first.
  const bad = 'table=2,tcp,actions=drop\ncheck_overlap,table=2,ip,tcp,tp_dst=1,actions=drop\n'
  const result = await world.exec(['ovs-ofctl', '-O', 'OpenFlow13', '--bundle', 'add-flows', 'br-in', '-'], {
    input: bad.replaceAll('tcp,actions', 'priority=5,tcp,actions').replace('check_', 'priority=5,check_'),
  })
  expect(result.code).toBe(1)
  expect(result.stderr).toContain('OFPFMFC_OVERLAP')
  expect(result.stderr).toContain('OFPBFC_MSG_FAILED')
  expect(await flows('br-in')).toHaveLength(2)
  await ofctl('del-flows', 'br-in')
})

test('statistics of every kind, descriptions and settings', async () => {
  const o13 = (...args: string[]) => ofctl('-O', 'OpenFlow13', ...args)
  expect(await ofctl('dump-desc', 'br-in')).toContain('Manufacturer: vswitchd-ts')
  expect(await o13('dump-aggregate', 'br-in')).toContain('flow_count=0')
  expect(await ofctl('dump-tables', 'br-in')).toMatch(/table 0:\s+active=0/)
  expect(await o13('dump-table-features', 'br-in')).toMatch(/tables 1\.\.\.252: ditto/)
  expect(await ofctl('-O', 'OpenFlow14', 'dump-table-desc', 'br-in')).toContain('table 253:')
  expect(await ofctl('dump-ports', 'br-in')).toMatch(/3 ports\n(.*\n)*\s+port LOCAL: rx pkts=\d+/)
  expect(await o13('dump-ports', 'br-in', '1')).toMatch(/port\s+"?(1|vm1\.eth0)"?: rx pkts=\d+/)
  expect(await ofctl('-O', 'OpenFlow15', 'dump-ports-desc', 'br-in', '1')).toContain('1(vm1.eth0)')
  expect(await ofctl('queue-stats', 'br-in')).toContain('0 queues')
  expect(await ofctl('dump-ports', 'br-in', '77')).toContain('0 ports')
  expect((await ofctl('get-frags', 'br-in')).trim()).toBe('normal')
  await ofctl('set-frags', 'br-in', 'nx-match')
  expect((await ofctl('get-frags', 'br-in')).trim()).toBe('nx-match')
  await ofctl('set-frags', 'br-in', 'normal')
})

test('a port is configured by its MAC address', async () => {
  await ofctl('mod-port', 'br-in', 'vm1.eth0', 'noflood')
  expect(await ofctl('show', 'br-in')).toMatch(/1\(vm1\.eth0\).*\n\s+config:\s+NO_FLOOD/)
  await ofctl('mod-port', 'br-in', '1', 'flood')
  expect(await ofctl('show', 'br-in')).toMatch(/1\(vm1\.eth0\).*\n\s+config:\s+0/)
})

test('a bridge without controllers begins as a learning switch', async () => {
  expect(await flows('br-ex')).toEqual(['priority=0 actions=NORMAL'])
})

test('flow monitors tell what becomes of flows', async () => {
  await ofctl('add-flow', 'br-in', 'table=1,actions=drop')
  const monitors = ['OpenFlow10', 'OpenFlow13', 'OpenFlow14'].map((version) =>
    world.spawn(['ovs-ofctl', '-O', version, 'monitor', 'br-in', 'watch:']),
  )
  for (const monitor of monitors) await monitor.waitFor(/event=(ADDED|INITIAL) table=1/, 5000)
  await ofctl('add-flow', 'br-in', 'table=2,idle_timeout=1,actions=normal')
  await ofctl('del-flows', 'br-in', 'table=1')
  for (const monitor of monitors) {
    await monitor.waitFor(/event=ADDED table=2 idle_timeout=1 cookie=0 actions=NORMAL/, 5000)
    await monitor.waitFor(/event=DELETED reason=delete table=1/, 5000)
    await monitor.waitFor(/event=DELETED reason=idle table=2/, 10_000)
    await monitor.stop('SIGTERM', 2000)
  }
})

test('groups, meters, TLV options and packet-outs', async () => {
  const o13 = (...args: string[]) => ofctl('-O', 'OpenFlow13', ...args)
  await o13('add-group', 'br-in', 'group_id=1,type=select,bucket=output:1,bucket=output:2')
  await o13('add-meter', 'br-in', 'meter=1,kbps,band=type=drop,rate=100')
  await o13('add-flow', 'br-in', 'actions=meter:1,group:1')
  expect(await o13('dump-groups', 'br-in')).toContain('group_id=1,type=select,bucket=actions=output:1')
  expect(await o13('dump-group-stats', 'br-in')).toContain('ref_count=1')
  expect(await o13('dump-meters', 'br-in')).toMatch(/meter=1 kbps bands=\s+type=drop rate=100/)
  expect(await o13('meter-stats', 'br-in')).toContain('meter:1 flow_count:1')
  expect(await o13('meter-features', 'br-in')).toContain('max_meter:262144')
  expect(await o13('dump-group-features', 'br-in')).toContain('max_groups=0xffffff00')
  await o13('del-groups', 'br-in')
  expect(await flows('br-in')).toEqual([])
  await ofctl('add-tlv-map', 'br-in', '{class=0xffff,type=0,len=4}->tun_metadata0')
  expect(await ofctl('dump-tlv-map', 'br-in')).toMatch(/0xffff\s+0\s+4\s+tun_metadata0/)
  const frame = `ffffffffffff02000000000908060001${'00'.repeat(44)}`
  const before = await ofctl('dump-ports', 'br-in', '2')
  await ofctl('packet-out', 'br-in', `in_port=1,packet=${frame},actions=output:2`)
  expect(await ofctl('dump-ports', 'br-in', '2')).not.toBe(before)
})
