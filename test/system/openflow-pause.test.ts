/**
 * controller(pause) beside a real Open vSwitch: the same flows, the same packet, a controller that resumes whatever is
 * paused. Every packet-in must say the same, its continuation included, and the packet must leave by the same ports.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PacketIn } from '../../protocols/openflow/packet-in.ts'
import { formatActions } from '../../protocols/openflow/text/action-format.ts'
import { parseFlowLine } from '../../protocols/openflow/text/flow-parse.ts'
import { parseGroup } from '../../protocols/openflow/text/group-parse.ts'
import { formatMatch } from '../../protocols/openflow/text/match-format.ts'
import { OF13 } from '../../protocols/openflow/version.ts'
import { RefPacket } from '../reference/openflow-packet.ts'
import { fromHex, hex } from '../support/frames.ts'
import { OpenflowLab, Peer } from '../support/openflow-peer.ts'
import { OvsSwitch } from '../support/ovs-openflow.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']
const FRAME = new RefPacket(
  fromHex('50540000000750540000000508004500001c000100008011' + '0000c0a80001c0a800020007000900080000'),
  0,
).fix().bytes

interface Case {
  readonly name: string
  readonly groups?: readonly string[]
  /** `pause` stands for a pausing action. */
  readonly flows: readonly string[]
  readonly pauses: number
  /** Open vSwitch forgets by which rule what remains was asked for; where packets leave is compared all the same. */
  readonly confused?: boolean
}

const CASES: readonly Case[] = [
  { name: 'at the end', flows: ['actions=2,pause'], pauses: 1 },
  { name: 'between outputs', flows: ['cookie=5,in_port=1,actions=pause,2,pause,3,pause,4'], pauses: 3 },
  {
    name: 'in tables within tables, of which one is relative to its own',
    flows: [
      'table=0,cookie=1,in_port=1,actions=pause,2,pause,resubmit(,1),pause,4,pause',
      'table=1,cookie=2,in_port=1,actions=pause,3,resubmit(,2),pause,2,pause',
      'table=2,cookie=3,in_port=1,actions=resubmit:55,pause',
      'table=2,in_port=55,actions=pause,3,note:00',
    ],
    pauses: 9,
    confused: true,
  },
  {
    name: 'before and after the action set is written',
    flows: ['in_port=1,actions=in_port,pause,resubmit(,1),pause,2', 'table=1,actions=write_actions(3)'],
    pauses: 2,
  },
  {
    name: 'before metadata and the next table',
    flows: [
      'table=0,in_port=1,actions=pause,2,pause,write_metadata:1/1,goto_table:1',
      'table=1,in_port=1,metadata=1,actions=pause,3,write_metadata:2/2,goto_table:2',
      'table=2,in_port=1,metadata=3,actions=pause,4',
    ],
    pauses: 4,
  },
  {
    name: 'with registers and a stack',
    flows: [
      'in_port=1,actions=set_field:2->reg0,set_field:3->xxreg3,push:NXM_NX_REG0[],push:NXM_NX_XXREG3[0..15],pause,pop:NXM_NX_REG1[],pause,output:NXM_NX_REG1[],pop:NXM_NX_REG2[],output:NXM_NX_REG2[]',
    ],
    pauses: 2,
  },
  {
    name: 'in a clone, which ends what is outside',
    flows: [
      'table=0,in_port=1,actions=set_field:1->reg1,resubmit(,2),4',
      'table=1,reg1=5,actions=pause,resubmit(,3)',
      'table=2,in_port=1,actions=clone(set_field:5->reg1,resubmit(,1)),resubmit(,3)',
      'table=3,reg1=1,actions=3',
      'table=3,reg1=5,actions=2',
    ],
    pauses: 1,
  },
  {
    name: 'in tables that the buckets of a group ask',
    groups: ['group_id=7,type=all,bucket=set_field:9->udp_dst,resubmit(,1),bucket=resubmit(,2)'],
    flows: [
      'cookie=0x77,in_port=1,udp,actions=group:7,4',
      'table=1,cookie=0x78,actions=pause,2',
      'table=2,actions=controller(userdata=01.02,pause),3',
    ],
    pauses: 2,
  },
  {
    name: 'after connection tracking',
    flows: [
      'table=0,in_port=1,udp,actions=ct(table=1,zone=3)',
      'table=1,udp,actions=pause,resubmit(,2)',
      'table=2,ct_state=+trk+new,ct_zone=3,udp,actions=2',
    ],
    pauses: 1,
  },
  {
    name: 'with a packet that is changed before and after',
    flows: [
      'in_port=1,udp,actions=mod_dl_src:02:00:00:00:00:09,push_vlan:0x8100,set_field:4102->vlan_vid,pause,dec_ttl,mod_nw_dst:10.1.1.1,pause,strip_vlan,2',
    ],
    pauses: 2,
  },
]

let ovs: OvsSwitch
beforeAll(async () => {
  ovs = await OvsSwitch.start(PORTS)
})
afterAll(() => ovs.stop())

const written = (line: string) => line.replaceAll(/(?<=[=,])pause(?=,|$)/g, 'controller(pause)')

/** What a packet-in says, but for what is a switch's own. */
function told({
  packet,
  totalLength,
  table,
  cookie,
  reason,
  metadata,
  userdata,
  continuation: c,
}: PacketIn): string {
  const frames = c?.frames.map((f) => `${f.table} 0x${f.cookie.toString(16)} ${formatActions(f.actions)}`)
  const parts = [
    hex(packet),
    totalLength,
    table,
    `0x${cookie.toString(16)}`,
    reason,
    formatMatch(metadata),
    hex(userdata),
  ]
  const rest = [
    c?.stack.map(hex).join(),
    c?.conntracked,
    c?.mirrors,
    frames?.join(' | '),
    formatActions(c?.actionSet ?? []),
  ]
  return [...parts, ...rest].join('; ')
}

/** Resumes every packet that is paused until none is; what was told of them. */
async function resumeAll(peer: Peer, settle: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = []
  for (let done = 0; ; ) {
    await settle()
    await peer.barrier()
    const packetIns = peer.all('PACKET_IN')
    if (packetIns.length === done) return seen
    for (const packetIn of packetIns.slice(done)) {
      seen.push(told(packetIn))
      peer.send('NXT_RESUME', packetIn)
    }
    done = packetIns.length
    expect(peer.all('ERROR')).toEqual([])
  }
}

async function listen(peer: Peer): Promise<void> {
  await peer.until(() => peer.version)
  peer.send('SET_PACKET_IN_FORMAT', 'nxt_packet_in2')
  peer.send('SET_CONFIG', { frag: 'normal', invalidTtlToController: undefined, missSendLen: 128 })
  await peer.barrier()
}

test.each(CASES)('$name', async ({ groups = [], flows, pauses, confused }) => {
  await ovs.clear()
  await ovs.ovs.appctl('dpctl/flush-conntrack')
  for (const group of groups) await ovs.ofctl('add-group', group)
  await ovs.flows(flows.map(written), 'OpenFlow13')
  const socket = connect(ovs.ovs.path('br0.mgmt'))
  await once(socket, 'connect')
  const theirs = new Peer(socket, OF13)
  await listen(theirs)
  const sentFirst = await ovs.send(1, FRAME)
  const expected = await resumeAll(theirs, () => ovs.ovs.settle())
  const sentLater = (await ovs.ovs.sent()).map((s) => `${s.port} ${hex(s.frame)}`)
  socket.destroy()
  expect(expected).toHaveLength(pauses)

  const lab = new OpenflowLab(PORTS)
  for (const group of groups) expect(lab.lab.commands.groupMod('br0', parseGroup(group))).toBeUndefined()
  const mods = flows.map((line) => parseFlowLine(written(line), undefined, 'add'))
  expect(lab.lab.commands.flowMod('br0', mods, true)).toEqual([])
  const ours = await lab.peer(OF13)
  await listen(ours)
  // Twice, so that a cached decision does what the first packet's did; each once by itself.
  for (let i = 0; i < 2; i++) {
    lab.lab.commands.ctFlush()
    ours.received.length = 0
    const sent = lab.lab.send('p1', FRAME)
    const seen = await resumeAll(ours, async () => {})
    expect(confused ? seen.length : seen).toEqual(confused ? pauses : expected)
    sent.push(...lab.lab.drain())
    const left = sent.map((s) => `${s.port} ${hex(s.frame)}`).sort()
    expect(left).toEqual([...sentFirst, ...sentLater].sort())
  }
  expect(lab.mistakes).toEqual([])
})

test('a packet whose bridge is gone cannot be resumed', async () => {
  const lab = new OpenflowLab(PORTS)
  lab.lab.commands.flowMod('br0', [parseFlowLine('actions=controller(pause),2', undefined, 'add')], true)
  const peer = await lab.peer(OF13)
  await listen(peer)
  lab.lab.send('p1', FRAME)
  await peer.barrier()
  const [packetIn] = peer.all('PACKET_IN')
  const bridge = packetIn!.continuation!.bridge.map((byte) => byte ^ 1)
  const continuation = { ...packetIn!.continuation!, bridge }
  expect(await peer.errorOf('NXT_RESUME', { ...packetIn!, continuation })).toBe('NXR_STALE')
  expect(await peer.errorOf('NXT_RESUME', packetIn!)).toBeUndefined()
})

/** Two bridges joined by a patch: br0 with p1 to p4 and `to1`, br1 with q1, q2 and `to0`. */
const BRIDGES = [
  { name: 'br0', flow: 'actions=2,output:5,3' },
  { name: 'br1', flow: 'actions=1,pause,2,pause' },
] as const

test('a packet that pauses beyond a patch goes on there, and its own bridge does not wait', async () => {
  await ovs.clear()
  await ovs.ovs.addBridge('br1', { ports: ['q1', 'q2'] })
  const patch = (bridge: string, name: string, peer: string, ofport: number) => {
    const settings = ['type=patch', `options:peer=${peer}`, `ofport_request=${ofport}`]
    return ovs.ovs.vsctl('add-port', bridge, name, '--', 'set', 'interface', name, ...settings)
  }
  await patch('br0', 'to1', 'to0', 5)
  await patch('br1', 'to0', 'to1', 3)
  for (const { name, flow } of BRIDGES)
    await ovs.ovs.ofctl('-O', 'OpenFlow13', 'add-flow', name, written(flow))
  await ovs.forgetCached()
  const theirs = await Promise.all(
    BRIDGES.map(async ({ name }) => {
      const socket = connect(ovs.ovs.path(`${name}.mgmt`))
      await once(socket, 'connect')
      const peer = new Peer(socket, OF13)
      await listen(peer)
      return { peer, socket }
    }),
  )
  const sentFirst = await ovs.send(1, FRAME)
  const expected: string[][] = []
  for (const { peer } of theirs) expected.push(await resumeAll(peer, () => ovs.ovs.settle()))
  const sentLater = (await ovs.ovs.sent()).map((s) => `${s.port} ${hex(s.frame)}`)
  for (const { socket } of theirs) socket.destroy()
  expect(expected.map((seen) => seen.length)).toEqual([0, 2])

  const lab = new OpenflowLab(PORTS)
  const other = lab.bridge('br1', ['q1', 'q2'])
  lab.lab.patch('to1', 'br0', 'to0')
  lab.lab.patch('to0', 'br1', 'to1')
  for (const { name, flow } of BRIDGES) {
    const mod = parseFlowLine(written(flow), undefined, 'add')
    expect(lab.lab.commands.flowMod(name, [mod], true)).toEqual([])
  }
  const ours = [await lab.peer(OF13), await lab.peer(OF13, 'controller', other)]
  for (const peer of ours) await listen(peer)
  for (let i = 0; i < 2; i++) {
    for (const peer of ours) peer.received.length = 0
    const first = lab.lab.send('p1', FRAME).map((s) => `${s.port} ${hex(s.frame)}`)
    const seen: string[][] = []
    for (const peer of ours) seen.push(await resumeAll(peer, async () => {}))
    expect(seen).toEqual(expected)
    expect(first.sort()).toEqual([...sentFirst].sort())
    expect(
      lab.lab
        .drain()
        .map((s) => `${s.port} ${hex(s.frame)}`)
        .sort(),
    ).toEqual([...sentLater].sort())
  }
  expect(lab.mistakes).toEqual([])
})
