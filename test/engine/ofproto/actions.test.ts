/** Actions beyond those of the differential tests: what each does to a frame's bytes, or to its way. */
import { expect, test } from 'vitest'
import type { DpifEvent } from '../../../engine/dpif.ts'
import { OFPG_ANY } from '../../../protocols/openflow/flow-mod.ts'
import type { GroupMod } from '../../../protocols/openflow/group.ts'
import { METER_CONTROLLER, METER_PKTPS, METER_SLOWPATH } from '../../../protocols/openflow/meter.ts'
import { OFPP_ANY } from '../../../protocols/openflow/port.ts'
import { parseFlowLine } from '../../../protocols/openflow/text/flow-parse.ts'
import { checksum, verify } from '../../../protocols/wire/checksum.ts'
import { fromHex, hex } from '../../support/frames.ts'
import { OpenflowLab } from '../../support/openflow-lab.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']
const ETH = '020000000002 020000000001'
const A = '0a000001'
const B = '0a000002'

function withIpChecksum(frame: Uint8Array): Uint8Array {
  const sum = checksum(frame, 14, 20)
  frame[24] = sum >>> 8
  frame[25] = sum
  return frame
}

/** UDP without a checksum. */
function udp(src: string, dst: string, from: string, to: string): Uint8Array {
  return withIpChecksum(
    fromHex(`${ETH} 0800 4500 0020 0000 0000 4011 0000 ${src} ${dst} ${from} ${to} 000c 0000 01020304`),
  )
}

function tcp(
  src: string,
  dst: string,
  from: string,
  to: string,
  seq: string,
  ack: string,
  flags: string,
): Uint8Array {
  const head = `${ETH} 0800 4500 0028 0000 0000 4006 0000 ${src} ${dst}`
  return withIpChecksum(fromHex(`${head} ${from} ${to} ${seq} ${ack} 50${flags} 2000 0000 0000`))
}

function lab(...flows: string[]): OpenflowLab {
  const made = new OpenflowLab(PORTS)
  made.flows(flows)
  return made
}

const clean = (text: string): string => text.replaceAll(' ', '')

test('labels are pushed behind tags, changed and popped, and the payload is read anew when it matters', () => {
  const frame = udp(A, B, '0001', '0002')
  const push = lab(
    'actions=push_vlan:0x8100,push_mpls:0x8847,set_mpls_label:5,push_mpls:0x8847,set_mpls_ttl:9,output:2',
  )
  const pushed = push.send(1, frame)[0]
  expect(pushed).toBe(`p2 ${clean(`${ETH} 8100 0000 8847 00005009 00005140`)}${hex(frame).slice(28)}`)
  const pop = lab(
    'table=0,actions=pop_mpls:0x8847,pop_mpls:0x0800,strip_vlan,resubmit(,1)',
    'table=1,udp,nw_dst=10.0.0.2,actions=dec_ttl,output:3',
  )
  const back = pop.send(1, fromHex(pushed.slice(3)))
  expect(back).toHaveLength(1)
  const bytes = fromHex(back[0].slice(3))
  expect(bytes[22]).toBe(0x3f)
  expect(verify(bytes, 14, 20)).toBe(true)
  expect(hex(bytes.subarray(26))).toBe(hex(frame.subarray(26)))
})

test('a packet with more labels than can be known is dropped when another is pushed', () => {
  const made = lab('actions=push_mpls:0x8847,output:2')
  expect(made.send(1, fromHex(`${ETH} 8847 00001040 00002040 00003040 00004140 4500`))).toEqual([])
})

test('IPv6 addresses, hop limit, traffic class and label change with the transport checksum', () => {
  const head = `${ETH} 86dd 60000000 000c 11 40`
  const addresses = `${'20010db8'.padEnd(31, '0')}1 ${'20010db8'.padEnd(31, '0')}2`
  const frame = fromHex(`${head} ${addresses} 0001 0002 000c 0000 01020304`)
  const pseudo = (f: Uint8Array): number => {
    const p = new Uint8Array(40 + 12)
    p.set(f.subarray(22, 54), 0)
    p[35] = 12
    p[39] = 17
    p.set(f.subarray(54, 66), 40)
    return checksum(p, 0, p.length)
  }
  const sum = pseudo(frame)
  frame[60] = sum >>> 8
  frame[61] = sum
  expect(pseudo(frame)).toBe(0)
  const made = lab(
    'udp6,actions=set_field:fe80::9->ipv6_dst,load:7->NXM_NX_IPV6_SRC[0..15],mod_nw_ttl:3,mod_nw_tos:8,set_field:0x12345->ipv6_label,mod_tp_src:9,output:2',
  )
  const out = fromHex(made.send(1, frame)[0].slice(3))
  expect(pseudo(out)).toBe(0)
  expect(hex(out.subarray(14, 22))).toBe('60812345000c1103')
  expect(hex(out.subarray(22, 38))).toBe(`${'20010db8'.padEnd(31, '0')}7`)
  expect(hex(out.subarray(54, 56))).toBe('0009')
})

test('ARP fields are rewritten', () => {
  const arp = fromHex(`${ETH} 0806 0001 0800 06 04 0001 020000000001 ${A} 000000000000 ${B}`)
  const made = lab(
    'arp,actions=move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],set_field:02:00:00:00:00:99->arp_sha,set_field:2->arp_op,move:NXM_OF_ARP_TPA[]->NXM_NX_REG0[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],move:NXM_NX_REG0[]->NXM_OF_ARP_SPA[],in_port',
  )
  const want = clean(`${ETH} 0806 0001 0800 06 04 0002 020000000099 ${B} 020000000001 ${A}`)
  expect(made.send(1, arp)).toEqual([`p1 ${want}`])
})

test('output is cut to its length, and other outputs are not', () => {
  const frame = udp(A, B, '0001', '0002')
  const made = lab('actions=output(port=2,max_len=20),output:3')
  expect(made.send(1, frame)).toEqual([`p2 ${hex(frame.subarray(0, 20))}`, `p3 ${hex(frame)}`])
})

test('check_pkt_larger asks each packet of one flow anew', () => {
  const made = lab(
    'table=0,actions=check_pkt_larger(46)->NXM_NX_REG0[0],resubmit(,1)',
    'table=1,reg0=1/1,actions=mod_tp_src:7,output:2',
    'table=1,reg0=0/1,actions=output:3',
  )
  const short = udp(A, B, '0001', '0002')
  const long = fromHex(`${hex(short)}00`)
  for (let i = 0; i < 3; i++) {
    expect(made.send(1, short)).toEqual([`p3 ${hex(short)}`])
    expect(made.send(1, long).map((s) => s.slice(0, 2))).toEqual(['p2'])
  }
  expect(made.lab.commands.stats().upcalls).toBe(1)
})

test('packets reach the controller with what the translation knows, also from the cache', () => {
  const made = lab(
    'priority=7,cookie=0x99,udp,actions=load:5->NXM_NX_REG3[],controller(max_len=20,userdata=01.02,id=3)',
  )
  const events: DpifEvent[] = []
  made.lab.local.onEvent((e) => events.push(e))
  const frame = udp(A, B, '0001', '0002')
  for (let i = 0; i < 2; i++) made.send(1, frame)
  expect(events).toHaveLength(2)
  const [, e] = events
  if (e.type !== 'packet-in') throw new Error(`not a packet-in: ${e.type}`)
  const { template: t } = e
  expect([hex(e.packet), t.maxLen]).toEqual([hex(frame), 20])
  expect([t.reason, t.table, t.cookie, t.controllerId]).toEqual(['action', 0, 0x99n, 3])
  expect([t.metadata.value[0], t.metadata.value[35], [...t.userdata]]).toEqual([1, 5, [1, 2]])
})

test('a TTL that runs out goes to the controller and ends the table', () => {
  const made = lab('table=0,ip,actions=resubmit(,1),output:3', 'table=1,ip,actions=dec_ttl,output:2')
  const events: DpifEvent[] = []
  made.lab.local.onEvent((e) => events.push(e))
  const frame = udp(A, B, '0001', '0002')
  frame[22] = 1
  expect(made.send(1, withIpChecksum(frame.fill(0, 24, 26)))).toEqual([`p3 ${hex(frame)}`])
  expect(events.map((e) => (e.type === 'packet-in' ? e.template.reason : e.type))).toEqual(['invalid_ttl'])
})

test('a meter keeps packets from controllers: its own, or else the one for all', () => {
  const made = lab('in_port=1,actions=controller(meter_id=1),2', 'in_port=3,actions=controller,2')
  const { commands } = made.lab
  let toController = 0
  made.lab.local.onEvent((e) => {
    if (e.type === 'packet-in') toController++
  })
  const frame = udp(A, B, '0001', '0002')
  /** Of four packets by each port: those that reach controllers; all reach port 2. */
  const counts = (): number[] =>
    [1, 3].map((port) => {
      toController = 0
      for (let i = 0; i < 4; i++) expect(made.send(port, frame)).toEqual([`p2 ${hex(frame)}`])
      return toController
    })
  const meter = (id: number, rate: number) => ({
    command: 'add' as const,
    meter: id,
    flags: METER_PKTPS,
    bands: [{ type: 'drop' as const, rate, burst: 0, precLevel: 0 }],
  })
  expect(counts()).toEqual([4, 4])
  expect(commands.meterMod('br0', meter(METER_CONTROLLER, 5))).toBeUndefined()
  expect(counts()).toEqual([4, 1])
  expect(commands.meterMod('br0', meter(1, 3))).toBeUndefined()
  expect(commands.meterMod('br0', meter(METER_SLOWPATH, 3))).toBeUndefined()
  expect(counts()).toEqual([3, 0])
  expect(commands.meterStats('br0', METER_CONTROLLER)[0].packetIn).toBe(12)
})

test('a meter drops what exceeds its rate, by the clock', () => {
  const made = lab()
  const { commands } = made.lab
  const meter = { command: 'add', meter: 1, flags: METER_PKTPS } as const
  const bands = [{ type: 'drop', rate: 2, burst: 0, precLevel: 0 }] as const
  expect(commands.meterMod('br0', { ...meter, bands: [{ ...bands[0], type: 'dscp_remark' }] })).toBe(
    'OFPMMFC_BAD_BAND',
  )
  expect(commands.meterMod('br0', { ...meter, bands })).toBeUndefined()
  expect(commands.meterMod('br0', { ...meter, bands })).toBe('OFPMMFC_METER_EXISTS')
  made.flows(['actions=meter:1,output:2'])
  const frame = udp(A, B, '0001', '0002')
  const passed = (): number => [1, 2, 3, 4].reduce((n) => n + made.send(1, frame).length, 0)
  expect(passed()).toBe(2)
  const [stats] = commands.meterStats('br0')
  expect([stats.packetIn, stats.bands[0].packetCount, stats.flowCount]).toEqual([4, 2, 1])
  commands.meterMod('br0', { ...meter, command: 'delete', bands: [] })
  expect(made.counters().size).toBe(0)
})

function group(
  id: number,
  groupType: GroupMod['groupType'],
  buckets: Partial<GroupMod['buckets'][0]>[],
): GroupMod {
  const whole = buckets.map((b, i) => ({
    id: i,
    weight: 1,
    watchPort: OFPP_ANY,
    watchGroup: OFPG_ANY,
    actions: [],
    ...b,
  }))
  const selection = { method: '', param: 0n, fields: [] }
  return { command: 'add', groupType, group: id, commandBucketId: 0xffff_ffff, buckets: whole, selection }
}

const output = (port: number) => [{ type: 'output', port, maxLen: 0 } as const]

test('fast failover takes the first bucket whose port is there', () => {
  const made = lab()
  const { commands } = made.lab
  const buckets = [2, 3].map((p) => ({ watchPort: p, actions: output(p) }))
  expect(commands.groupMod('br0', group(1, 'fast_failover', buckets))).toBeUndefined()
  made.flows(['actions=group:1'])
  const frame = udp(A, B, '0001', '0002')
  expect(made.send(1, frame)).toEqual([`p2 ${hex(frame)}`])
  commands.portDelete('p2')
  expect(made.send(1, frame)).toEqual([`p3 ${hex(frame)}`])
})

test('select spreads flows by weight and keeps each where it is', () => {
  const made = lab()
  const buckets = [2, 3, 4].map((p, id) => ({ id, weight: id === 2 ? 0 : id * 2 + 1, actions: output(p) }))
  made.lab.commands.groupMod('br0', group(1, 'select', buckets))
  made.flows(['actions=group:1'])
  const by = new Map<string, number>()
  for (let i = 1; i <= 400; i++) {
    // Of UDP no ports are hashed, as in Open vSwitch.
    const frame = udp(`0a00${i.toString(16).padStart(4, '0')}`, B, '0001', '0002')
    const [sent] = made.send(1, frame)
    expect(made.send(1, frame)).toEqual([sent])
    by.set(sent.slice(0, 2), (by.get(sent.slice(0, 2)) ?? 0) + 1)
  }
  expect([...by.keys()].sort()).toEqual(['p2', 'p3'])
  expect(by.get('p3')! / by.get('p2')!).toBeGreaterThan(2)
  const [stats] = made.lab.commands.groupStats('br0')
  expect([stats.packetCount, stats.refCount]).toEqual([800, 1])
})

test('learn makes a rule that sends answers back where the first packet came from', () => {
  const made = lab(
    'table=0,actions=learn(table=1,hard_timeout=60,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),resubmit(,1)',
    'table=1,priority=0,actions=flood',
  )
  const there = udp(A, B, '0001', '0002')
  expect(made.send(1, there)).toHaveLength(3)
  const back = fromHex(`020000000001 020000000002 ${hex(there).slice(24)}`)
  expect(made.send(2, back)).toEqual([`p1 ${hex(back)}`])
  expect(made.send(1, there)).toEqual([`p2 ${hex(there)}`])
})

test('ct() tells new from established, forgets nothing and translates both ways', () => {
  const made = lab(
    'table=0,in_port=1,ip,actions=ct(table=1,zone=5,nat)',
    'table=0,in_port=2,ip,actions=ct(table=2,zone=5,nat)',
    'table=1,ct_state=+trk+new,ip,actions=ct(commit,zone=5,nat(src=192.168.0.1:5000-5001),exec(set_field:7->ct_mark)),output:2',
    'table=1,ct_state=+trk+est,ct_mark=7,ip,actions=output:2',
    'table=2,ct_state=+trk+est+rpl,ip,actions=output:1',
  )
  const syn = tcp(A, B, '1000', '0050', '00000001', '00000000', '02')
  const [out] = made.send(1, syn)
  const sent = fromHex(out.slice(3))
  expect([out.slice(0, 2), hex(sent.subarray(26, 30))]).toEqual(['p2', 'c0a80001'])
  expect(verify(sent, 14, 20)).toBe(true)
  const port = hex(sent.subarray(34, 36))
  const synAck = tcp(B, 'c0a80001', '0050', port, '00000009', '00000002', '12')
  const back = made.send(2, synAck)
  expect(back).toHaveLength(1)
  const got = fromHex(back[0].slice(3))
  expect([back[0].slice(0, 2), hex(got.subarray(30, 34)), hex(got.subarray(36, 38))]).toEqual([
    'p1',
    A,
    '1000',
  ])
  for (let i = 0; i < 3; i++) {
    expect(made.send(1, tcp(A, B, '1000', '0050', '00000002', '0000000a', '10'))).toHaveLength(1)
  }
  expect(made.send(2, tcp(B, 'c0a80001', '0051', port, '00000009', '00000002', '12'))).toEqual([])
  made.lab.commands.ctFlush(5)
  expect(made.send(2, synAck)).toEqual([])
})

test("resubmits without end drop the packet, in Open vSwitch's measure", () => {
  const made = lab('table=0,actions=output:2,resubmit(,0)')
  expect(made.send(1, udp(A, B, '0001', '0002'))).toEqual([])
})

test('a trace tells the way in the words of ofproto/trace and changes nothing', () => {
  const made = lab(
    'table=0,priority=9,udp,actions=load:7->NXM_NX_REG1[],resubmit(,5),output:3',
    'table=5,priority=1,actions=mod_tp_dst:5',
  )
  const { value } = parseFlowLine(
    'in_port=1,udp,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,udp_dst=4',
    undefined,
    'delete',
  ).match
  const lines = made.lab.commands.trace('br0', value, 1)
  expect(lines.slice(1, 9)).toEqual([
    '',
    'bridge("br0")',
    '-------------',
    ' 0. udp, priority 9',
    '    load:0x7->NXM_NX_REG1[]',
    '    resubmit(,5)',
    '     5. priority 1',
    '            mod_tp_dst:5',
  ])
  expect(lines.at(-1)).toBe('Datapath actions: set(tp(dst=5)),p3')
  expect([...made.counters().values()]).toEqual(['0/0', '0/0'])
})
