/**
 * Our ofctl beside ovs-ofctl: the same command against the same real Open vSwitch prints the same, byte for byte,
 * but for time and transaction ids; and what ours changes is changed as the other would have.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { runCli } from '../src/cli/run-cli.ts'
import { OpenVswitch } from '../support/ovs.ts'
import { until } from '../support/until.ts'

const VERSIONS = ['OpenFlow10', 'OpenFlow11', 'OpenFlow12', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15']
const WITH_METERS = VERSIONS.slice(3)

let ovs: OpenVswitch

beforeAll(async () => {
  ovs = await OpenVswitch.start()
  await ovs.addBridge('br0', { ports: ['p1', 'p2', 'p-3'] })
})
afterAll(() => ovs.stop())
beforeEach(async () => {
  await ovs.ofctl('del-flows', 'br0')
  await ovs.ofctl('-O', 'OpenFlow15', 'del-groups', 'br0')
  await ovs.ofctl('-O', 'OpenFlow13', 'del-meters', 'br0')
})

function ofctl(...args: string[]): ReturnType<typeof runCli> {
  return runCli(['ofctl', '--rundir', ovs.directory, ...args])
}

/** Our command must succeed. */
async function ours(...args: string[]): Promise<string> {
  const { code, out, err } = await ofctl(...args)
  expect(err).toBe('')
  expect(code).toBe(0)
  return out
}

/** Without what two runs cannot have alike. */
function timeless(text: string): string {
  return text
    .replaceAll(/(duration[=:])[0-9.]+s/g, '$1s')
    .replaceAll(/xid=0x[0-9a-f]+/g, 'xid')
    .replaceAll(/_age=\d+/g, '_age')
}

async function expectSame(...args: string[]): Promise<string> {
  const theirs = timeless(await ovs.ofctl(...args))
  expect(timeless(await ours(...args))).toBe(theirs)
  return theirs
}

const FLOWS = `
# every kind of line
priority=100,tcp,nw_src=10.0.0.0/8,tp_dst=80,actions=mod_nw_tos:32,output:2
table=1,priority=5,cookie=0x12,ipv6,ipv6_dst=fe80::/10,actions=resubmit(,2)

in_port=LOCAL,dl_vlan=5,actions=strip_vlan,NORMAL   # to where it belongs
priority=3,arp,arp_tpa=1.2.3.4,idle_timeout=60,hard_timeout=600,send_flow_rem,actions=controller
reg0=0x5/0xff,ct_state=+trk+new,ip,actions=ct(commit,zone=5,nat(src=1.1.1.1-1.1.1.9)),load:0x3->NXM_NX_REG1[]
dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=flood
in_port=p1,actions=p2,"p-3"
modify udp,actions=3
delete in_port=p2
`

function file(name: string, text: string): string {
  const path = ovs.path(name)
  writeFileSync(path, text)
  return path
}

const GROUPS = [
  'group_id=1,type=select,selection_method=hash,fields(ip_src,eth_dst=ff:ff:ff:00:00:00),bucket=bucket_id:5,weight:10,watch_port:1,actions=output:1,bucket=actions=output:2',
  'group_id=2,type=all,bucket=actions=output:1,output:2,bucket=drop',
  'group_id=3,type=ff,bucket=watch_port:1,watch_group:2,actions=output:1',
  'group_id=4,type=indirect,bucket=move:NXM_NX_REG0[]->NXM_NX_REG1[],output:1',
  'group_id=6,type=select,selection_method=dp_hash,selection_method_param=3,bucket=output:1',
  'group_id=5,type=select',
]
const METERS = [
  'meter=1,kbps,burst,stats,band=type=drop,rate=1000,burst_size=100',
  'meter=2,pktps,bands=type=drop rate=10',
]

describe('what a switch is', () => {
  const COMMANDS = [
    'show',
    'dump-desc',
    'dump-ports',
    'dump-ports-desc',
    'dump-tables',
    'get-frags',
    'queue-stats',
  ]
  test.each(VERSIONS)('%s', async (version) => {
    for (const command of COMMANDS) await expectSame('-O', version, command, 'br0')
    await expectSame('-O', version, 'dump-ports', 'br0', 'p2')
    await expectSame('-O', version, 'dump-ports-desc', 'br0', '2')
  })

  test('tables in full', async () => {
    for (const version of WITH_METERS) await expectSame('-O', version, 'dump-table-features', 'br0')
    for (const version of VERSIONS.slice(4)) await expectSame('-O', version, 'dump-table-desc', 'br0')
  })
})

describe('flows', () => {
  test('are added, changed and removed from a file as ovs-ofctl does it', async () => {
    const path = file('flows', FLOWS)
    await ovs.ofctl('add-flow', 'br0', 'udp,actions=1')
    await ovs.ofctl('add-flow', 'br0', 'in_port=2,actions=1')
    await ovs.ofctl('add-flows', 'br0', path)
    const wanted = await ovs.ofctl('--no-stats', 'dump-flows', 'br0')
    for (const version of VERSIONS) {
      // 1.1 has no word for all tables, and its fixed match no registers.
      await ours('-O', version === 'OpenFlow11' ? 'OpenFlow12' : version, 'del-flows', 'br0')
      expect(await ovs.ofctl('--no-stats', 'dump-flows', 'br0')).toBe('')
      await ours('-O', version === 'OpenFlow11' ? 'OpenFlow12' : version, 'add-flow', 'br0', 'udp,actions=1')
      await ours('-O', version, 'add-flow', 'br0', 'in_port=2,actions=1')
      await ours('-O', version === 'OpenFlow11' ? 'OpenFlow12' : version, 'add-flows', 'br0', path)
      const got = await ovs.ofctl('--no-stats', 'dump-flows', 'br0')
      expect(got.split('\n').sort()).toEqual(wanted.split('\n').sort())
    }
  })

  test.each(VERSIONS)('are listed alike: %s', async (version) => {
    await ovs.ofctl('add-flows', 'br0', file('flows', FLOWS))
    expect((await expectSame('-O', version, 'dump-flows', 'br0')).split('\n')).toHaveLength(10)
    await expectSame('-O', version, 'dump-flows', 'br0', 'table=1')
    await expectSame('-O', version, 'dump-flows', 'br0', 'tcp,out_port=2')
    await expectSame('-O', version, '--names', '--no-stats', 'dump-flows', 'br0')
    await expectSame('-O', version, '--rsort', 'dump-flows', 'br0', 'table=0,ip')
    await expectSame('-O', version, 'dump-aggregate', 'br0', 'tcp')
  })

  test('strictly and not, by cookie, and all at once or none', async () => {
    await ours('add-flow', 'br0', 'priority=7,tcp,cookie=0x5,actions=1')
    await ours('mod-flows', 'br0', 'cookie=5/-1,ip,actions=2')
    expect(await ovs.ofctl('--no-stats', 'dump-flows', 'br0')).toContain('priority=7,tcp actions=output:2')
    await ours('--strict', 'del-flows', 'br0', 'tcp')
    expect(await ovs.ofctl('--no-stats', 'dump-flows', 'br0')).toContain('priority=7,tcp')
    const bad = file('bad', 'udp,actions=1\nsctp,actions=group:77\n')
    expect((await ofctl('--bundle', 'add-flows', 'br0', bad)).err).toContain('OFPBAC_BAD_OUT_GROUP')
    expect(await ovs.ofctl('--no-stats', 'dump-flows', 'br0')).not.toContain('udp')
    await ours('--bundle', 'add-flows', 'br0', file('good', 'udp,actions=1\ndelete tcp\n'))
    expect(await ovs.ofctl('--no-stats', 'dump-flows', 'br0')).toBe(' udp actions=output:1\n')
    await ours('--strict', 'del-flows', 'br0', 'udp,priority=32768')
    expect(await ovs.ofctl('--no-stats', 'dump-flows', 'br0')).toBe('')
  })

  test('thousands come over in parts and arrive whole', async () => {
    const lines = Array.from(
      { length: 5000 },
      (_, i) => `priority=${i},tcp,nw_dst=10.0.${i >> 8}.${i & 255},actions=1`,
    )
    await ours('add-flows', 'br0', file('many', lines.join('\n')))
    const listed = await ours('--no-stats', '--sort', 'dump-flows', 'br0')
    expect(listed).toBe(await ovs.ofctl('--no-stats', '--sort', 'dump-flows', 'br0'))
    expect(listed.split('\n')).toHaveLength(5001)
  })

  test('are compared with files and made the same', async () => {
    await ovs.ofctl('add-flows', 'br0', file('flows', FLOWS))
    const other = file(
      'other',
      'priority=3,arp,arp_tpa=1.2.3.4,actions=drop\ntable=2,priority=9,udp,actions=1\n',
    )
    const theirs = await ovs.tryOfctl('diff-flows', 'br0', other)
    const found = await ofctl('diff-flows', 'br0', other)
    expect(found.code).toBe(2)
    expect(theirs.code).toBe(2)
    expect(found.out.split('\n').sort()).toEqual(theirs.stdout.split('\n').sort())
    await ours('replace-flows', 'br0', other)
    expect(await ours('diff-flows', other, 'br0')).toBe('')
    expect((await ovs.tryOfctl('diff-flows', 'br0', other)).code).toBe(0)
  })
})

describe('groups and meters', () => {
  test.each(VERSIONS)('%s', async (version) => {
    for (const group of GROUPS) await ours('-O', 'OpenFlow15', 'add-group', 'br0', group)
    for (const what of ['dump-groups', 'dump-group-stats', 'dump-group-features']) {
      await expectSame('-O', version, what, 'br0')
    }
    await expectSame('-O', version, 'dump-groups', 'br0', '3')
    if (!WITH_METERS.includes(version)) return
    for (const meter of METERS) await ours('-O', version, 'add-meter', 'br0', meter)
    for (const what of ['dump-meters', 'meter-stats', 'meter-features'])
      await expectSame('-O', version, what, 'br0')
    await expectSame('-O', version, 'dump-meters', 'br0', 'meter=2')
  })

  test('are the same whoever makes them', async () => {
    const dump = async () =>
      (await ovs.ofctl('-O', 'OpenFlow15', 'dump-groups', 'br0')).split('\n').slice(1).sort()
    for (const group of GROUPS) await ovs.ofctl('-O', 'OpenFlow15', 'add-group', 'br0', group)
    const wanted = await dump()
    for (const version of ['OpenFlow10', 'OpenFlow15']) {
      await ours('-O', version, 'del-groups', 'br0')
      expect(await dump()).toEqual([''])
      await ours('-O', version, 'add-groups', 'br0', file('groups', GROUPS.join('\n')))
      expect(await dump()).toEqual(wanted)
    }
    await ours(
      '-O',
      'OpenFlow15',
      'insert-buckets',
      'br0',
      'group_id=2,command_bucket_id=first,bucket=bucket_id:9,actions=3',
    )
    expect((await dump()).join()).toContain('type=all,bucket=bucket_id:9,actions=output:3,bucket=bucket_id:0')
    await ours('-O', 'OpenFlow15', 'remove-buckets', 'br0', 'group_id=2,command_bucket_id=all')
    expect(await dump()).toContain(' group_id=2,type=all')
    await ours('mod-group', 'br0', 'group_id=4,type=indirect,bucket=output:3')
    await ours('--may-create', 'mod-group', 'br0', 'group_id=44,type=all')
    expect((await dump()).join()).toMatch(
      /group_id=4,type=indirect,bucket=bucket_id:0,actions=output:3.*group_id=44/,
    )
    await ours('del-groups', 'br0', 'group_id=44')
    expect((await dump()).join()).not.toContain('group_id=44')
  })

  test('meters are changed and removed', async () => {
    await ours('-O', 'OpenFlow13', 'add-meter', 'br0', METERS[0]!)
    await ours('-O', 'OpenFlow13', 'mod-meter', 'br0', 'meter=1,pktps,band=type=drop,rate=5')
    expect(await ovs.ofctl('-O', 'OpenFlow13', 'dump-meters', 'br0')).toContain(
      'pktps bands=\ntype=drop rate=5',
    )
    await ours('-O', 'OpenFlow13', 'del-meters', 'br0', 'meter=1')
    expect(await ovs.ofctl('-O', 'OpenFlow13', 'dump-meters', 'br0')).not.toContain('meter=1')
  })
})

describe('settings', () => {
  test('of ports', async () => {
    await ours('mod-port', 'br0', 'p1', 'no-flood')
    expect(await expectSame('show', 'br0')).toContain('NO_FLOOD')
    await ours('mod-port', 'br0', '1', 'flood')
    expect(await expectSame('show', 'br0')).not.toContain('NO_FLOOD')
  })

  test('of tables and fragments', async () => {
    await ours('-O', 'OpenFlow14', 'mod-table', 'br0', '3', 'evict')
    expect(await expectSame('-O', 'OpenFlow14', 'dump-table-desc', 'br0')).toContain(
      'table 3:\n   eviction=on',
    )
    await ours('-O', 'OpenFlow14', 'mod-table', 'br0', '3', 'noevict')
    expect(await expectSame('-O', 'OpenFlow14', 'dump-table-desc', 'br0')).not.toContain('eviction=on')
    await ours('set-frags', 'br0', 'drop')
    expect(await ovs.ofctl('get-frags', 'br0')).toBe('drop\n')
    await ours('set-frags', 'br0', 'normal')
  })
})

test('packets are sent', async () => {
  const frame = '0200000000020200000000010800'.padEnd(120, '0')
  await ovs.sent()
  await ours('packet-out', 'br0', `in_port=1 packet=${frame} actions=output:2`)
  await ours('packet-out', 'br0', 'p1', 'output:"p-3"', frame)
  await ovs.settle()
  expect((await ovs.sent()).map((s) => [s.port, Buffer.from(s.frame).toString('hex')])).toEqual([
    ['p2', frame],
    ['p-3', frame],
  ])
})

test('a switch is there or not', async () => {
  await ours('probe', 'br0')
  expect((await ours('ping', 'br0', '20')).split('\n')).toHaveLength(11)
  await ours('probe', `unix:${ovs.path('br0.mgmt')}`)
  const absent = await ofctl('probe', 'br9')
  expect(absent.code).toBe(4)
  expect(absent.err).toContain('br9 is not a bridge or a socket.')
})

const COMMAND = new URL('../../bin/vswitchd-ts', import.meta.url).pathname

/** Runs until the end of the test; what it has printed so far. */
function watch(command: string, args: readonly string[]): () => string {
  const child = spawn(command, args, { env: ovs.env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  // ovs-ofctl shows what it monitors on standard error.
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  return () => text
}

test.each(['OpenFlow10', 'OpenFlow13'])('what happens is shown alike: %s', async (version) => {
  const args = ['-O', version, 'monitor', 'br0', '65534', 'watch:']
  const shown = [watch('ovs-ofctl', args), watch(COMMAND, ['ofctl', ...args])]
  await until(() => shown.every((text) => text().includes('FLOW_MONITOR reply')), 'both watch')
  await ovs.settle()
  await ovs.ofctl('add-flow', 'br0', 'priority=5,tcp,idle_timeout=9,actions=controller(userdata=01.02),2')
  await ovs.ofctl('mod-flows', 'br0', 'tcp,actions=3')
  await ovs.ofctl('mod-port', 'br0', 'p1', 'down')
  await ovs.ofctl('mod-port', 'br0', 'p1', 'up')
  await ovs.ofctl('del-flows', 'br0')
  await until(() => shown.every((text) => text().includes('DELETED')), 'both have seen the end')
  const [theirs, found] = shown.map((text) => timeless(text()))
  expect(found).toBe(theirs)
})
