import { duplexPair } from 'node:stream'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { W_IN_PORT } from '../../../protocols/flow-key.ts'
import { isFault } from '../../../protocols/openflow/error.ts'
import { FF_SEND_FLOW_REM, type FlowMod } from '../../../protocols/openflow/flow-mod.ts'
import { emptyMatch, setMatchBits } from '../../../protocols/openflow/match.ts'
import { decodeMessage } from '../../../protocols/openflow/message.ts'
import { MessageReader } from '../../../protocols/openflow/message-reader.ts'
import { OFPP_ANY, OFPP_NORMAL } from '../../../protocols/openflow/port.ts'
import { PC_NO_FLOOD } from '../../../protocols/openflow/port-desc.ts'
import { OF10, OF12, OF13, OF14, OF15, type OfVersion } from '../../../protocols/openflow/version.ts'
import { flowMod, statsRequest } from '../../support/flow-mods.ts'
import { OpenflowLab, type Peer } from '../../support/openflow-peer.ts'
import { until } from '../../support/until.ts'

let lab: OpenflowLab
beforeEach(() => {
  lab = new OpenflowLab()
})
afterEach(() => {
  expect(lab.mistakes).toEqual([])
})

function flow(change: Partial<FlowMod> = {}, inPort?: number): FlowMod {
  const match = emptyMatch()
  if (inPort !== undefined) setMatchBits(match, W_IN_PORT, inPort, 0xffff_ffff)
  return flowMod('add', {
    match,
    priority: 5,
    newCookie: 7n,
    actions: [{ type: 'output', port: OFPP_NORMAL, maxLen: 0 }],
    ...change,
  })
}

const VERSIONS: readonly OfVersion[] = [1, 2, 3, 4, 5, 6]

describe.each(VERSIONS)('by version %i', (version) => {
  test('is described, programmed and asked', async () => {
    const peer = await lab.peer(version)
    const features = await peer.ask('FEATURES_REQUEST', undefined)
    expect(features).toMatchObject({
      type: 'FEATURES_REPLY',
      body: { datapathId: 0x1234n, tables: 254, buffers: 0 },
    })
    expect(await peer.ask('DESC_STATS_REQUEST', undefined)).toMatchObject({ body: { software: '1.2.3' } })
    expect(await peer.ask('PORT_DESC_STATS_REQUEST', { port: OFPP_ANY })).toMatchObject({
      body: [
        { port: 1, name: 'p1' },
        { port: 2, name: 'p2' },
      ],
    })
    peer.send('FLOW_MOD', flow({ flags: FF_SEND_FLOW_REM }, 1))
    peer.send('FLOW_MOD', flow({}, 2))
    const stats = await peer.ask('FLOW_STATS_REQUEST', statsRequest())
    expect((stats.body as unknown[]).length).toBe(2)
    peer.send('FLOW_MOD', flow({ command: 'delete' }))
    await peer.barrier()
    expect(peer.all('FLOW_REMOVED')).toMatchObject([{ cookie: 7n, reason: 'delete', priority: 5 }])
    expect(await peer.ask('AGGREGATE_STATS_REQUEST', statsRequest())).toMatchObject({
      body: { flowCount: 0 },
    })
  })
})

test('each faulty flow-mod of many is answered by its own error, and the others stand', async () => {
  const peer = await lab.peer(OF13)
  const overlapping = flow({ flags: 2, priority: 9 })
  const xids = [
    peer.send('FLOW_MOD', flow({ priority: 9 }, 1)),
    peer.send('FLOW_MOD', overlapping),
    peer.send('FLOW_MOD', flow({ priority: 1 }, 2)),
    peer.send('FLOW_MOD', flow({ table: 254 })),
    peer.send('FLOW_MOD', flow({ bufferId: 3, priority: 2 }, 2)),
  ]
  await peer.barrier()
  const errors = peer.received.flatMap((m) => (m.type === 'ERROR' ? [[m.xid, m.body.name]] : []))
  expect(errors).toEqual([
    [xids[1], 'OFPFMFC_OVERLAP'],
    [xids[3], 'OFPBRC_EPERM'],
    [xids[4], 'OFPBRC_BUFFER_UNKNOWN'],
  ])
  expect(await peer.ask('AGGREGATE_STATS_REQUEST', statsRequest())).toMatchObject({
    body: { flowCount: 3 },
  })
})

test('who snoops hears echoes of controllers in both directions, and nothing of services', async () => {
  const peer = await lab.peer(OF13)
  const service = await lab.peer(OF13, 'service')
  const [ours, theirs] = duplexPair()
  const reader = new MessageReader()
  const heard: string[] = []
  theirs.on('data', (chunk: Buffer) => {
    reader.push(chunk, (bytes) => {
      const message = decodeMessage(bytes)
      if (!isFault(message)) heard.push(message.type)
      return true
    })
  })
  lab.sw.snoop(ours)
  service.send('ECHO_REQUEST', Uint8Array.of(9))
  peer.send('ECHO_REQUEST', Uint8Array.of(1, 2))
  peer.send('ECHO_REPLY', new Uint8Array(0))
  await Promise.all([peer.barrier(), service.barrier()])
  await until(() => heard.includes('BARRIER_REPLY'), 'the barrier is heard')
  const told = ['HELLO', 'ECHO_REQUEST', 'ECHO_REPLY', 'ECHO_REPLY', 'BARRIER_REQUEST', 'BARRIER_REPLY']
  expect(heard).toEqual(told)
})

describe('roles', () => {
  const role = (peer: Peer, to: 'equal' | 'primary' | 'secondary' | 'nochange', generationId?: bigint) =>
    peer.ask('ROLE_REQUEST', { role: to, generationId })

  test('there is one primary; the others may look and not touch', async () => {
    const a = await lab.peer(OF14)
    const b = await lab.peer(OF14)
    expect(await role(a, 'primary', 1n)).toMatchObject({
      type: 'ROLE_REPLY',
      body: { role: 'primary', generationId: 1n },
    })
    expect(await role(b, 'primary', 2n)).toMatchObject({ body: { role: 'primary' } })
    expect(await role(a, 'nochange')).toMatchObject({ body: { role: 'secondary', generationId: 2n } })
    expect(a.all('ROLE_STATUS')).toMatchObject([{ role: 'secondary', reason: 'primary_request' }])
    expect(await a.errorOf('FLOW_MOD', flow())).toBe('OFPBRC_IS_SECONDARY')
    expect(await b.errorOf('FLOW_MOD', flow())).toBeUndefined()
    expect(await a.ask('AGGREGATE_STATS_REQUEST', statsRequest())).toMatchObject({
      body: { flowCount: 1 },
    })
  })

  test('a request that is older than the last is stale, as if on a circle', async () => {
    const a = await lab.peer(OF12)
    expect(await role(a, 'primary', 5n)).toMatchObject({ type: 'ROLE_REPLY' })
    expect(await role(a, 'secondary', 4n)).toMatchObject({ type: 'ERROR', body: { name: 'OFPRRFC_STALE' } })
    expect(await role(a, 'secondary', 0x7fff_ffff_ffff_ffffn)).toMatchObject({ type: 'ROLE_REPLY' })
    expect(await role(a, 'secondary', 0xffff_ffff_ffff_fff0n)).toMatchObject({ type: 'ROLE_REPLY' })
    expect(await role(a, 'primary', 3n)).toMatchObject({ type: 'ROLE_REPLY' })
    expect(await role(a, 'equal')).toMatchObject({ body: { role: 'equal' } })
  })
})

describe('asynchronous messages', () => {
  test('ports that come, change and go are told', async () => {
    const peer = await lab.peer(OF13)
    await lab.sw.portsChanged()
    lab.lab.port('p3', 'br0')
    await lab.sw.portsChanged()
    lab.lab.deletePort('p3')
    await lab.sw.portsChanged()
    await peer.barrier()
    const told = peer.all('PORT_STATUS').map(({ reason, desc }) => `${reason} ${desc.port} ${desc.name}`)
    expect(told.slice(-2)).toEqual(['add 3 p3', 'delete 3 p3'])
  })

  test('services hear nothing until they ask; controllers what they ask for', async () => {
    const service = await lab.peer(OF10, 'service')
    const asking = await lab.peer(OF10, 'service')
    const picky = await lab.peer(OF15)
    asking.send('SET_CONFIG', { frag: 'normal', invalidTtlToController: undefined, missSendLen: 64 })
    picky.send('SET_ASYNC_CONFIG', { flow_removed: { primary: 1, secondary: 0 } })
    await Promise.all([asking.barrier(), picky.barrier()])
    picky.send('FLOW_MOD', flow({ flags: FF_SEND_FLOW_REM }))
    picky.send('FLOW_MOD', flow({ command: 'delete' }))
    await Promise.all([picky.barrier(), asking.barrier(), service.barrier()])
    expect(service.all('FLOW_REMOVED')).toEqual([])
    expect(asking.all('FLOW_REMOVED')).toHaveLength(1)
    expect(picky.all('FLOW_REMOVED')).toEqual([])
  })
})

test('port-mods name the port by number and MAC address', async () => {
  const peer = await lab.peer(OF10)
  const mod = {
    port: 1,
    hwAddr: Uint8Array.of(2, 0, 0, 0, 0, 1),
    config: PC_NO_FLOOD,
    mask: PC_NO_FLOOD,
    advertise: 0,
  }
  expect(await peer.errorOf('PORT_MOD', { ...mod, port: 9 })).toBe('OFPPMFC_BAD_PORT')
  expect(await peer.errorOf('PORT_MOD', { ...mod, port: 2 })).toBe('OFPPMFC_BAD_HW_ADDR')
  expect(await peer.errorOf('PORT_MOD', mod)).toBeUndefined()
  expect(await peer.ask('PORT_DESC_STATS_REQUEST', { port: OFPP_ANY })).toMatchObject({
    body: [{ config: PC_NO_FLOOD }, { config: 0 }],
  })
})

describe('bundles', () => {
  const control = (
    peer: Peer,
    type: 'open_request' | 'close_request' | 'commit_request' | 'discard_request',
    flags = 3,
  ) => peer.ask('BUNDLE_CONTROL', { bundle: 1, control: type, flags })

  test('what is wrongly said of one is refused, and it is given up', async () => {
    const peer = await lab.peer(OF14)
    const refused = (name: string) => ({ type: 'ERROR', body: { name } })
    expect(await control(peer, 'commit_request')).toMatchObject(refused('OFPBFC_BAD_ID'))
    expect(await control(peer, 'open_request')).toMatchObject({ body: { control: 'open_reply' } })
    expect(await control(peer, 'open_request')).toMatchObject(refused('OFPBFC_BAD_ID'))
    expect(await control(peer, 'close_request')).toMatchObject(refused('OFPBFC_BAD_ID'))
    await control(peer, 'open_request')
    expect(await control(peer, 'close_request', 1)).toMatchObject(refused('OFPBFC_BAD_FLAGS'))
    await control(peer, 'open_request')
    await control(peer, 'close_request')
    expect(await control(peer, 'close_request')).toMatchObject(refused('OFPBFC_BUNDLE_CLOSED'))
    await control(peer, 'open_request')
    expect(await control(peer, 'discard_request')).toMatchObject({ body: { control: 'discard_reply' } })
    expect(await control(peer, 'discard_request')).toMatchObject(refused('OFPBFC_BAD_ID'))
  })
})

describe('strangers', () => {
  test('random bytes end the connection or are answered; the switch goes on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1 }),
        async (chunks) => {
          const { duplex, reason } = lab.raw()
          duplex.resume()
          for (const chunk of chunks) duplex.write(chunk)
          duplex.end()
          await lab.ended(reason)
        },
      ),
      { numRuns: 200 },
    )
    await (await lab.peer(OF13)).barrier()
  })

  test('messages of every type with random bodies are answered by errors or done, in order', async () => {
    const body = fc.uint8Array({ maxLength: 120 })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...VERSIONS),
        fc.array(fc.tuple(fc.nat(35), body), { maxLength: 30 }),
        async (version, messages) => {
          const peer = await lab.peer(version, 'service')
          for (const [type, bytes] of messages) {
            const message = Buffer.concat([Buffer.from([version, type, 0, 0, 0, 0, 0, 1]), bytes])
            message.writeUInt16BE(message.length, 2)
            peer.duplex.write(message)
          }
          await peer.barrier()
          peer.duplex.destroy()
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a connection of no common version is told so', async () => {
    lab.sw.configure(0x1234n, 1 << OF13)
    const { peer } = lab.connect(OF10)
    await until(() => peer.reason, 'it ends', 5000)
    expect(peer.reason).toBe('version negotiation failed')
  })

  test('who never reads is not answered without end', async () => {
    const { duplex, reason } = lab.raw()
    const { peer } = lab.connect(OF13)
    await until(() => peer.version, 'ready', 5000)
    for (let i = 0; i < 2000; i++) peer.send('FLOW_MOD', flow({ priority: i }, 1))
    await peer.barrier()
    // Asks for all flows again and again, and reads nothing.
    const hello = Uint8Array.of(4, 0, 0, 8, 0, 0, 0, 1)
    duplex.write(hello)
    const request = Buffer.alloc(56)
    request.set([4, 18, 0, 56, 0, 0, 0, 2, 0, 1])
    request.set([0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 16)
    request.set([0, 1, 0, 4], 48)
    for (let i = 0; i < 500; i++) duplex.write(request)
    const connection = [...lab.sw.connections].find((c) => c.kind === 'service')!
    await until(() => connection.backlog > 1 << 19, 'its answers wait', 5000)
    for (let i = 0; i < 20; i++) await peer.barrier()
    // A megabyte of answers, more or less, and not 500 times 2,000 flows of a hundred bytes.
    expect(connection.backlog).toBeLessThan(3 << 20)
    expect(reason()).toBeUndefined()
    duplex.destroy()
  })
})

test('statistics of IPFIX exporters are answered where there are exporters', async () => {
  const peer = await lab.peer(OF10)
  expect(await peer.errorOf('IPFIX_BRIDGE_STATS_REQUEST', undefined)).toBe('NXST_NOT_CONFIGURED')
  expect(await peer.errorOf('IPFIX_FLOW_STATS_REQUEST', undefined)).toBe('NXST_NOT_CONFIGURED')
  const stats = (collectorSetId: number) => ({
    totalFlows: 9,
    currentFlows: 1,
    packets: 20,
    ipv4Packets: 12,
    ipv6Packets: 5,
    errorPackets: 3,
    ipv4ErrorPackets: 2,
    ipv6ErrorPackets: 1,
    transmittedPackets: 30,
    transmitErrors: 4,
    collectorSetId,
  })
  lab.exported.bridge = stats(0)
  lab.exported.sets = [stats(1), stats(7)]
  expect(await peer.ask('IPFIX_BRIDGE_STATS_REQUEST', undefined)).toMatchObject({ body: stats(0) })
  expect(await peer.ask('IPFIX_FLOW_STATS_REQUEST', undefined)).toMatchObject({ body: [stats(1), stats(7)] })
})
