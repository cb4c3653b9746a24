/** What controllers are told without asking, and who is told: with us as with Open vSwitch, by a clock that we turn. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { encodeMessage, type MessageBodies, type MessageType } from '../../protocols/openflow/message.ts'
import { MESSAGE_FORMS } from '../../protocols/openflow/message-forms.ts'
import type { OfVersion } from '../../protocols/openflow/version.ts'
import { DATAGRAM, Dialogue, O13, O15 } from '../support/openflow-dialogue.ts'
import { sampleBody } from '../support/openflow-samples.ts'
import type { Watchers } from '../support/openflow-watchers.ts'

let dialogue: Dialogue
const watchers: Watchers[] = []
beforeAll(async () => {
  dialogue = await Dialogue.start(['p1', 'p2', 'p3', 'p4'])
  await dialogue.stopTime()
})
afterAll(() => dialogue.stop())
beforeEach(() => dialogue.reset())
afterEach(() => {
  for (const watcher of watchers.splice(0)) watcher.stop()
  expect(dialogue.mistakes).toEqual([])
})

/** The oldest, one between, and the newest. */
const VERSIONS: readonly OfVersion[] = [1, 4, 6]
const of = (version: OfVersion) => `-O OpenFlow1${version - 1}`

/** Connections that ask for what is told without asking. */
async function watch(version: OfVersion): Promise<Watchers> {
  const watcher = await dialogue.watch(...of(version).split(' '), '65534')
  watchers.push(watcher)
  return watcher
}

test.each(VERSIONS)('why and when a flow goes, by version %i', async (version) => {
  const w = await watch(version)
  const add = (flow: string) => `${of(version)} add-flow br0 send_flow_rem,${flow}`
  await dialogue.expectAlike(
    add('priority=1,idle_timeout=2,udp,actions=2'),
    add('priority=2,hard_timeout=3,arp,actions=2'),
    add('cookie=5,priority=3,tcp,actions=2'),
    O15('add-group br0 group_id=1,type=all,bucket=output:1'),
    O13('add-meter br0 meter=1,kbps,band=type=drop,rate=10'),
    O13('add-flow br0 send_flow_rem,priority=5,sctp,actions=meter:1,2'),
    O13('add-flow br0 send_flow_rem,table=3,priority=6,ip,actions=group:1'),
  )
  await dialogue.pass(1)
  await dialogue.expectSentAlike(1, DATAGRAM)
  await dialogue.pass(2)
  expect(await w.expectAlike('used')).toBe('')
  await dialogue.pass(1)
  expect(await w.expectAlike('timeouts')).toMatch(
    /reason=idle[\s\S]*reason=hard|reason=hard[\s\S]*reason=idle/,
  )
  await dialogue.expectAlike(O15('del-groups br0'), O13('del-meters br0'))
  // Before 1.4 there is no word for a meter, and before 1.3 none for a group.
  const told = await w.expectAlike('what they named')
  expect(told.match(/\w+_delete/g) ?? []).toHaveLength(version === 1 ? 0 : version === 4 ? 1 : 2)
  await dialogue.expectAlike('--strict del-flows br0 priority=3,tcp')
  expect(await w.expectAlike('deleted')).toMatch(/reason=delete .*cookie:0x5/)
})

test.each([1, 5] as OfVersion[])(
  'who is primary, and what others may not, by version %i',
  async (version) => {
    const [a, b] = [await watch(version), await watch(version)]
    const both = async (what: string) => [
      await a.expectAlike(`${what}, one`),
      await b.expectAlike(`${what}, other`),
    ]
    const role = async (w: Watchers, wanted: 'nochange' | 'equal' | 'primary' | 'secondary', id?: bigint) => {
      // Nicira's form has neither.
      if (version === 1 && wanted === 'nochange') return
      await w.send(version, 'ROLE_REQUEST', { role: wanted, generationId: version === 1 ? undefined : id })
      // What the other is told, it is told by then.
      await w.expectAlike(`${wanted} ${id}`)
      await (w === a ? b : a).expectAlike(`${wanted} ${id}, other`)
    }
    await role(a, 'nochange')
    await role(a, 'primary', 5n)
    await role(b, 'primary', 6n)
    await role(a, 'secondary', 4n)
    await role(a, 'secondary', 0xffff_ffff_0000_0000n)
    await role(a, 'secondary', 7n)
    await role(b, 'equal')
    await role(b, 'primary', 7n)
    await dialogue.expectAlike(`${of(version)} add-flow br0 priority=1,send_flow_rem,actions=controller`)
    await dialogue.expectSentAlike(1, DATAGRAM)
    expect((await both('packet'))[0]).toBe('')
    await dialogue.expectAlike(
      `${of(version)} mod-port br0 p2 no-flood`,
      `${of(version)} mod-port br0 p2 flood`,
    )
    await both('port')
    await dialogue.expectAlike(`${of(version)} del-flows br0`)
    expect((await both('flow'))[0]).toBe('')
    const types = new Set(
      MESSAGE_FORMS.filter((f) => f.first <= version && f.last >= version).map((f) => f.type),
    )
    for (const type of types) {
      if (!/MOD$|PACKET_OUT|SET_CONFIG|SET_ASYNC|BUNDLE_CONTROL/.test(type)) continue
      await a.send(version, type, sampleBody(type, version))
    }
    expect((await both('forbidden'))[0]).toMatch(version === 1 ? /OFPBRC_EPERM/ : /OFPBRC_IS_SECONDARY/)
  },
)

test.each([1, 5] as OfVersion[])('what a controller has asked for, by version %i', async (version) => {
  const w = await watch(version)
  const wanted = (packetIn: number, portStatus: number, flowRemoved: number) => ({
    packet_in: { primary: packetIn, secondary: 0 },
    port_status: { primary: portStatus, secondary: 7 },
    flow_removed: { primary: flowRemoved, secondary: 0 },
  })
  const lists = [
    `add-flow br0 priority=1,send_flow_rem,actions=controller`,
    'add-flow br0 priority=0,ip,actions=controller',
    'add-flow br0 priority=3,in_port=3,actions=controller(reason=invalid_ttl),controller(reason=no_match)',
    'add-flow br0 priority=3,in_port=4,actions=write_actions(controller)',
  ].map(O13)
  for (const config of [wanted(1 << 1, 7, 0x3b), wanted(1 << 0, 4, 0), wanted(0xff, 4, 0xff)]) {
    await w.send(version, 'SET_ASYNC_CONFIG', config)
    if (version >= 4)
      await w.send(version, 'GET_ASYNC_REQUEST', undefined as MessageBodies['GET_ASYNC_REQUEST'])
    await dialogue.expectAlike(...lists)
    for (const port of [1, 3, 4]) await dialogue.expectSentAlike(port, DATAGRAM)
    await w.expectAlike('packets')
    await dialogue.expectAlike(
      O13('del-flows br0'),
      O13('mod-port br0 p2 no-flood'),
      O13('mod-port br0 p2 flood'),
    )
    await w.expectAlike('a flow and a port')
    await dialogue.expectAlike(O13('add-flow br0 priority=0,actions=controller'))
    await dialogue.expectSentAlike(1, DATAGRAM)
    await w.expectAlike('a miss')
    await dialogue.expectAlike(O13('del-flows br0'))
    await w.take()
  }
})

test('tables that are full refuse, or let go who ends first, and warn', async () => {
  const w = await watch(5)
  await w.send(5, 'SET_ASYNC_CONFIG', { table_status: { primary: 0x18, secondary: 0 } })
  const O14 = (command: string) => `-O OpenFlow14 ${command}`
  const add = (...flows: string[]) => flows.map((flow) => O14(`add-flow br0 send_flow_rem,${flow},actions=2`))
  const FLOWS = [
    'priority=1,ip',
    'priority=2,udp,idle_timeout=30',
    'priority=3,tcp,hard_timeout=20',
    'importance=9,priority=4,arp,hard_timeout=10',
    'importance=1,priority=5,icmp,hard_timeout=100',
    'priority=6,icmp6,importance=3,idle_timeout=40',
    'priority=7,sctp',
    'priority=8,ipv6',
    'priority=9,rarp,importance=200,idle_timeout=5',
  ]
  for (const policy of ['refuse', 'evict'] as const) {
    await dialogue.limitTable(0, 4, policy)
    await dialogue.expectAlike(...add(...FLOWS), O14('dump-flows br0'), O14('dump-table-desc br0 0'))
    const told = await w.expectAlike(policy)
    expect(told.includes('reason=eviction')).toBe(policy === 'evict')
    await dialogue.limitTable(0, 2, policy)
    await dialogue.pass(1)
    await w.expectAlike('with less room')
    // OpenFlow may ask for it, too, and no longer ask, without a word in what the database says.
    await dialogue.expectAlike(O14('mod-table br0 0 evict'), O14('mod-table br0 0 noevict'))
    await dialogue.expectAlike(O14('dump-flows br0'), O14('mod-table br0 0 vacancy:20,80'))
    await dialogue.limitTable(0, 10, policy)
    await dialogue.expectAlike(O14('del-flows br0'))
    await w.take()
    const numbered = Array.from({ length: 10 }, (_, i) => `priority=${i},ip,idle_timeout=50,actions=2`)
    await dialogue.expectAlike(O14(`add-flows br0 - <<< ${numbered.join(' ;; ')}`))
    await dialogue.expectAlike(...add('priority=10,ip,idle_timeout=50', 'priority=11,ip,idle_timeout=50'))
    await dialogue.expectAlike(O14('dump-flows br0'), O14('dump-table-desc br0 0'))
    expect(await w.expectAlike('fills')).toContain('reason=VACANCY_DOWN')
    await dialogue.expectAlike(O14('del-flows br0'))
    expect(await w.expectAlike('empties')).toContain('reason=VACANCY_UP')
    await dialogue.expectAlike(O14('mod-table br0 0 novacancy'))
    await w.take()
  }
  // Of groups the largest makes room: by port, and by what a rule cannot match or does not, too.
  await dialogue.limitTable(0, 6, 'evict', ['in_port', 'udp_dst[0..7]', 'NXM_OF_ETH_SRC[40..47]'])
  for (const flow of [
    'in_port=1,tcp,tcp_dst=7,hard_timeout=100',
    'in_port=1,tcp,tcp_dst=8,hard_timeout=120',
    'in_port=1,tcp,tcp_dst=9,hard_timeout=140',
    'in_port=1,tcp,hard_timeout=160',
    'in_port=1,udp,udp_dst=0x107,hard_timeout=60',
    'in_port=1,dl_src=10:00:00:00:00:01,hard_timeout=40',
    'in_port=1,udp,udp_dst=0x207,hard_timeout=80',
    'in_port=2,hard_timeout=20',
  ]) {
    await dialogue.expectAlike(...add(flow))
  }
  await dialogue.expectAlike(O14('dump-flows br0'))
  expect(await w.expectAlike('groups')).toContain('reason=eviction')
  await dialogue.expectAlike(O14('del-flows br0'))
  await w.take()
  await dialogue.limitTable(0, 1_000_000, 'refuse')
})

test('packets to the controller are metered by the meter that is named, or by that of them all', async () => {
  const w = await watch(4)
  await dialogue.expectAlike(
    O13('add-meter br0 meter=5,pktps,band=type=drop,rate=3'),
    O13('add-meter br0 meter=controller,pktps,band=type=drop,rate=2'),
    O13('add-flow br0 in_port=1,actions=controller(meter_id=5)'),
    O13('add-flow br0 in_port=2,actions=controller'),
    O13('add-flow br0 in_port=3,actions=controller(meter_id=77)'),
  )
  for (const [port, passed] of [
    [1, 3],
    [2, 2],
    [3, 2],
    [1, 3],
  ] as const) {
    if (port === 3) await dialogue.pass(1)
    for (let i = 0; i < 6; i++) await dialogue.expectSentAlike(port, DATAGRAM)
    expect((await w.expectAlike(`port ${port}`)).match(/PACKET_IN/g)).toHaveLength(passed)
    await dialogue.expectAlike(O13('meter-stats br0'))
  }
})

test('ports are changed in bundles that need not be atomic', async () => {
  const version = 5
  const w = await watch(version)
  const macs = await dialogue.macs('p2')
  const encode = <T extends MessageType>(type: T, body: MessageBodies[T]) =>
    encodeMessage(type, body, { version, xid: 0x1234 })!
  const mod = (hwAddrs: readonly Uint8Array[], config: number, port = 2) =>
    hwAddrs.map((hwAddr) => encode('PORT_MOD', { port, hwAddr, config, mask: 0x65, advertise: 0 }))
  const flow = encode('FLOW_MOD', {
    ...sampleBody('FLOW_MOD', version),
    table: 0,
    flags: 0,
    bufferId: 0xffff_ffff,
  })
  const stranger = macs.map(() => new Uint8Array(6))
  const bundles = [
    [mod(macs, 0x20), [flow, flow]],
    [[flow, flow], mod(stranger, 0)],
    [mod(macs, 0), mod(macs, 0, 99)],
    [mod(macs, 0x44), mod(macs, 0x20)],
    [mod(macs, 0)],
  ]
  for (const flags of [2, 3]) {
    for (const bundle of flags === 2 ? bundles : bundles.slice(0, 1)) {
      await w.send(version, 'BUNDLE_CONTROL', { bundle: 9, control: 'open_request', flags })
      for (const messages of bundle) {
        const [theirs, ours] = messages.map((message) =>
          encode('BUNDLE_ADD_MESSAGE', { bundle: 9, flags, message }),
        )
        await w.sendEach(theirs!, ours!)
      }
      await w.send(version, 'BUNDLE_CONTROL', { bundle: 9, control: 'commit_request', flags })
      await w.expectAlike()
      await dialogue.expectAlike(
        `${of(version)} dump-ports-desc br0`,
        `${of(version)} --no-stats dump-flows br0`,
      )
    }
  }
})

test('select groups choose by the hash that Open vSwitch has, among buckets that live', async () => {
  const GROUPS = [
    'bucket=output:2,bucket=output:3,bucket=output:4',
    'selection_method=dp_hash,bucket=watch_port:2,output:2,bucket=watch_port:3,output:3,bucket=watch_port:4,output:4',
    'selection_method=dp_hash,selection_method_param=4294967301,bucket=weight:3,output:2,bucket=output:3',
    'selection_method=dp_hash,selection_method_param=7,bucket=weight:0,output:2,bucket=output:3,bucket=weight:9,output:4',
  ]
  for (const [n, group] of GROUPS.entries()) {
    await dialogue.expectAlike(
      O15(`add-group br0 group_id=${n},type=select,${group}`),
      O15(`add-flow br0 actions=group:${n}`),
    )
    for (let i = 0; i < 16; i++) {
      const frame = DATAGRAM.slice()
      frame.set([i], 29)
      frame.set([i >> 3, i * 7], 34)
      if (n === 1 && i === 6) await dialogue.expectAlike(O15('mod-port br0 p3 down'))
      await dialogue.expectSentAlike(1, frame)
    }
    if (n === 1) await dialogue.expectAlike(O15('mod-port br0 p3 up'))
  }
})

test('tables are named by OpenFlow 1.5', async () => {
  const versions = [10, 12, 13, 15].map((v) => `-O OpenFlow${v} dump-tables br0`)
  await dialogue.expectAlike(O15('mod-table br0 1 name:foo'), O15('mod-table br0 7 name:seven'), ...versions)
  await dialogue.expectAlike(O15('mod-table br0 foo name:bar'), O15('mod-table br0 7 name:'), ...versions)
  await dialogue.expectAlike(
    O15('--names --no-stats dump-flows br0 table=bar'),
    O15('mod-table br0 ALL name:x'),
  )
})
