import { beforeEach, describe, expect, test } from 'vitest'
import { W_IN_PORT } from '../../../protocols/flow-key.ts'
import { type FlowMod, OFPG_ANY } from '../../../protocols/openflow/flow-mod.ts'
import { emptyMatch, setMatchBits } from '../../../protocols/openflow/match.ts'
import { encodeMessage, type Message } from '../../../protocols/openflow/message.ts'
import {
  type FlowMonitorRequest,
  type FlowUpdate,
  FMF_ADD,
  FMF_INITIAL,
  FMF_INSTRUCTIONS,
  FMF_MODIFY,
  FMF_NO_ABBREV,
  FMF_REMOVED,
} from '../../../protocols/openflow/monitor.ts'
import { OFPP_ANY } from '../../../protocols/openflow/port.ts'
import { OF10, OF13, OF14, OF15, type OfVersion } from '../../../protocols/openflow/version.ts'
import { flowMod } from '../../support/flow-mods.ts'
import { OpenflowLab, type Peer } from '../../support/openflow-peer.ts'

const ALL = FMF_INITIAL | FMF_ADD | FMF_REMOVED | FMF_MODIFY | FMF_INSTRUCTIONS
const output = (port: number): FlowMod['actions'] => [{ type: 'output', port, maxLen: 0 }]

let lab: OpenflowLab
beforeEach(() => {
  lab = new OpenflowLab()
})

function inPort(port: number | undefined) {
  const match = emptyMatch()
  if (port !== undefined) setMatchBits(match, W_IN_PORT, port, 0xffff_ffff)
  return match
}

function flow(port: number | undefined, change: Partial<FlowMod> = {}): FlowMod {
  return flowMod('add', { match: inPort(port), priority: 5, actions: output(2), ...change })
}

function monitor(change: Partial<FlowMonitorRequest> = {}): FlowMonitorRequest {
  return {
    id: 1,
    command: 'add',
    flags: ALL,
    outPort: OFPP_ANY,
    outGroup: OFPG_ANY,
    table: 0xff,
    match: emptyMatch(),
    ...change,
  }
}

/** An update in a few words: event, in_port, and the port it outputs to. */
function brief(u: FlowUpdate): string {
  if (!('match' in u)) return 'xid' in u ? `${u.event} ${u.xid}` : u.event
  const [action] = u.actions
  const to = action?.type === 'output' ? ` to ${action.port}` : ''
  return `${u.event} ${u.match.value[W_IN_PORT]}${to}`
}

const unasked = (m: Message) => m.xid === 0 && m.type === 'FLOW_MONITOR_STATS_REPLY'
const told = (peer: Peer): string[] =>
  peer.received.filter(unasked).flatMap((m) => (m.body as FlowUpdate[]).map(brief))

async function begin(peer: Peer, ...requests: FlowMonitorRequest[]): Promise<string[]> {
  const answer = await peer.ask('FLOW_MONITOR_STATS_REQUEST', requests)
  if (answer.type === 'ERROR') return [answer.body.name ?? 'unknown error']
  return (answer.body as FlowUpdate[]).map(brief)
}

async function change(peer: Peer, ...mods: FlowMod[]): Promise<number[]> {
  const xids = mods.map((mod) => peer.send('FLOW_MOD', mod))
  await peer.barrier()
  return xids
}

describe.each<OfVersion>([1, 2, 3, 4, 5, 6])('by version %i', (version) => {
  test('what there is, and what is added, modified and deleted', async () => {
    const peer = await lab.peer(version)
    const watcher = await lab.peer(version)
    await change(peer, flow(1))
    expect(await begin(watcher, monitor())).toEqual([`${version < OF14 ? 'added' : 'initial'} 1 to 2`])
    await change(
      peer,
      flow(2),
      flow(2, { command: 'modify_strict', actions: output(1) }),
      flow(2, { command: 'modify_strict', actions: output(1) }),
      flow(1, { command: 'delete' }),
    )
    await watcher.barrier()
    // Of the second modification there is nothing to tell: it changed nothing.
    expect(told(watcher)).toEqual(['added 2 to 2', 'modified 2 to 1', 'deleted 1 to 2'])
  })
})

test('own changes are told by their xids, unless asked for in full', async () => {
  const peer = await lab.peer(OF10)
  const full = await lab.peer(OF14)
  await begin(peer, monitor())
  await begin(full, monitor({ flags: ALL | FMF_NO_ABBREV }))
  const xids = await change(peer, flow(1), flow(1, { command: 'delete' }))
  await change(full, flow(2))
  await peer.barrier()
  expect(told(peer)).toEqual([...xids.map((xid) => `abbrev ${xid}`), 'added 2 to 2'])
  expect(told(full)).toEqual(['added 1 to 2', 'deleted 1 to 2', 'added 2 to 2'])
})

test('tables, matches, outputs and kinds of changes are chosen', async () => {
  const peer = await lab.peer(OF13)
  const watcher = await lab.peer(OF15)
  await change(peer, flow(1), flow(2, { table: 3 }))
  expect(await begin(watcher, monitor({ table: 3 }))).toEqual(['initial 2 to 2'])
  expect(await begin(watcher, monitor({ id: 2, table: 0, outPort: 1, flags: FMF_MODIFY }))).toEqual([])
  expect(await begin(watcher, monitor({ id: 3, match: inPort(7), flags: ALL & ~FMF_INSTRUCTIONS }))).toEqual(
    [],
  )
  await change(
    peer,
    flow(1, { command: 'modify', actions: output(1) }),
    flow(1, { command: 'modify', actions: output(2) }),
    flow(1, { command: 'modify', actions: output(4) }),
    flow(3),
    flow(7),
    flow(8, { table: 3 }),
  )
  await watcher.barrier()
  expect(told(watcher)).toEqual(['modified 1', 'modified 1', 'added 7', 'added 8 to 2'])
})

test('monitors are known by number, and end when they are cancelled or their connection ends', async () => {
  const peer = await lab.peer(OF14)
  const old = await lab.peer(OF13)
  expect(await begin(peer, monitor(), monitor())).toEqual(['OFPMOFC_MONITOR_EXISTS'])
  expect(await begin(peer, monitor({ command: 'delete' }))).toEqual(['OFPMOFC_UNKNOWN_MONITOR'])
  expect(await begin(peer, monitor({ command: 'modify' }))).toEqual(['OFPMOFC_UNKNOWN_MONITOR'])
  expect(await begin(peer, monitor())).toEqual([])
  expect(await begin(peer, monitor({ command: 'modify', table: 9 }))).toEqual([])
  expect(await begin(old, monitor())).toEqual([])
  await change(old, flow(1), flow(2, { table: 9 }))
  await peer.barrier()
  expect(told(peer)).toEqual(['added 2 to 2'])
  expect(await begin(peer, monitor({ command: 'delete' }))).toEqual([])
  expect(await old.errorOf('FLOW_MONITOR_CANCEL', { id: 5 })).toBe('OFPMOFC_UNKNOWN_MONITOR')
  expect(await old.errorOf('FLOW_MONITOR_CANCEL', { id: 1 })).toBeUndefined()
  const before = told(old)
  await change(old, flow(4))
  expect(told(old)).toEqual(before)
  const { tables } = lab.lab.local.datapath.topology.bridges.get('br0')!
  expect(tables.monitors).toBeUndefined()
  await begin(peer, monitor())
  expect(tables.monitors?.size).toBe(1)
  peer.duplex.end()
  await lab.ended(() => peer.reason)
  await old.barrier()
  expect(tables.monitors).toBeUndefined()
})

test('the changes of a bundle are told together, and those of one that fails not at all', async () => {
  const peer = await lab.peer(OF14)
  const watcher = await lab.peer(OF14)
  await begin(watcher, monitor())
  await begin(peer, monitor())
  const bundle = async (...mods: FlowMod[]) => {
    const control = { bundle: 1, flags: 3 }
    await peer.ask('BUNDLE_CONTROL', { ...control, control: 'open_request' })
    // A message in a bundle has the xid of the one that brings it.
    const before = peer.send('BARRIER_REQUEST', undefined)
    for (const [i, mod] of mods.entries()) {
      const message = encodeMessage('FLOW_MOD', mod, { version: OF14, xid: before + 1 + i })!
      peer.send('BUNDLE_ADD_MESSAGE', { ...control, message })
    }
    await peer.ask('BUNDLE_CONTROL', { ...control, control: 'commit_request' })
    await watcher.barrier()
  }
  await bundle(flow(1), flow(1, { table: 254 }))
  expect(told(watcher)).toEqual([])
  await bundle(flow(1), flow(2), flow(1, { command: 'delete' }))
  expect(watcher.received.filter(unasked)).toHaveLength(1)
  expect(told(watcher)).toEqual(['added 1 to 2', 'added 2 to 2', 'deleted 1 to 2'])
  expect(told(peer)).toHaveLength(1)
})

describe.each<OfVersion>([OF10, OF14])('a slow reader, by version %i', (version) => {
  test('is told no more until it has read, and then what has changed meanwhile', async () => {
    const peer = await lab.peer(OF13)
    const watcher = await lab.peer(version)
    await change(peer, flow(1), flow(2))
    await begin(watcher, monitor())
    watcher.duplex.pause()
    const many = Array.from({ length: 5000 }, (_, i) => flow(1000 + i, { table: 1 }))
    await change(peer, ...many)
    await change(
      peer,
      flow(1, { command: 'delete' }),
      flow(2, { command: 'modify', actions: output(1) }),
      flow(3),
      flow(4),
      flow(4, { command: 'delete' }),
    )
    watcher.duplex.resume()
    const turn = (event: 'paused' | 'resumed') =>
      watcher.received.findIndex(
        (m) =>
          m.type === `FLOW_MONITOR_${event.toUpperCase()}` ||
          (unasked(m) && (m.body as FlowUpdate[]).some((u) => u.event === event)),
      )
    await watcher.until(() => (turn('resumed') < 0 ? undefined : true))
    const text = told(watcher)
    expect(turn('paused')).toBeGreaterThan(0)
    expect(turn('resumed')).toBeGreaterThan(turn('paused'))
    // All that was added is told of, each once, whether before the pause or after it.
    for (const { match } of many.slice(-1)) expect(text).toContain(`added ${match.value[W_IN_PORT]} to 2`)
    expect(text.filter((t) => t.startsWith('added'))).toHaveLength(5001)
    expect(new Set(text).size).toBe(text.length)
    expect(text).toContain('deleted 1 to 2')
    expect(text).toContain('modified 2 to 1')
    expect(text).toContain('added 3 to 2')
    // It came and went while nothing was told.
    expect(text.filter((t) => / 4\b/.test(t))).toEqual([])
    await change(peer, flow(9))
    await watcher.barrier()
    expect(told(watcher).at(-1)).toBe('added 9 to 2')
  })
})
