import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { RpcMessage } from '../../../protocols/ovsdb/json-rpc.ts'
import { type Channel, channelPair, StreamChannel } from '../../../src/ovsdb/channel.ts'
import { ConnectionLost, RpcError, RpcPeer } from '../../../src/ovsdb/rpc-peer.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { until } from '../../support/until.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** Two ends of one TCP connection on loopback. */
async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer()
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const there = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const { port } = server.address() as { port: number }
  const here = connect({ port, host: '127.0.0.1' })
  return [here, await there]
}

const kinds: [string, () => Promise<readonly [Channel, Channel]>][] = [
  [
    'over a stream',
    async () => {
      const [here, there] = await socketPair()
      return [new StreamChannel(here, 'tcp'), new StreamChannel(there, 'tcp')]
    },
  ],
  ['within the process', async () => channelPair()],
]

/** What comes out of a channel. */
function listen(channel: Channel) {
  const heard = { messages: [] as RpcMessage[], closed: [] as (string | undefined)[] }
  channel.start({ message: (m) => heard.messages.push(m), closed: (reason) => heard.closed.push(reason) })
  return heard
}

const note = (n: number): RpcMessage => ({
  type: 'notification',
  method: 'n',
  params: [n, { big: 2n ** 60n }],
})

describe.each(kinds)('a channel %s', (_, pair) => {
  test('carries messages in their order, also those sent before anybody listened', async () => {
    const [a, b] = await pair()
    for (let i = 0; i < 100; i++) a.send(note(i))
    const heard = listen(b)
    listen(a)
    await until(() => heard.messages.length === 100, 'all messages')
    expect(heard.messages).toEqual(Array.from({ length: 100 }, (_, i) => note(i)))
    a.close()
  })

  test('brings what was sent before it was closed, and tells each end once', async () => {
    const [a, b] = await pair()
    const [here, there] = [listen(a), listen(b)]
    a.send(note(1))
    a.close()
    a.close()
    a.send(note(2))
    await until(() => there.closed.length > 0, 'the other end to hear of it')
    expect(there).toEqual({ messages: [note(1)], closed: ['connection closed by peer'] })
    expect(here).toEqual({ messages: [], closed: [undefined] })
  })

  test('holds messages back while it is paused', async () => {
    const [a, b] = await pair()
    listen(a)
    const heard: RpcMessage[] = []
    b.start({
      message: (m) => {
        heard.push(m)
        b.pause()
      },
      closed: () => {},
    })
    for (let i = 0; i < 3; i++) a.send(note(i))
    for (let i = 0; i < 3; i++) {
      await until(() => heard.length === i + 1, 'the next message')
      await new Promise((resolve) => setImmediate(resolve))
      expect(heard).toHaveLength(i + 1)
      b.resume()
    }
    a.close()
  })
})

describe('a stream channel', () => {
  test.each([
    ['{"method":}', 'error parsing stream: line 1, column 10, byte 10: syntax error expecting value'],
    ['hello', 'error parsing stream: line 1, column 0, byte 0: syntax error at beginning of input'],
    ['[1]', 'received bad JSON-RPC message: message is not a JSON object'],
  ])('is closed by %s, after what came before it', async (text, reason) => {
    const [a, b] = await socketPair()
    const heard = listen(new StreamChannel(b, 'tcp'))
    a.write(`{"id":1,"method":"m","params":[]}${text}`)
    await until(() => heard.closed.length > 0, 'the channel to be closed')
    expect(heard.messages).toHaveLength(1)
    expect(heard.closed).toEqual([reason])
    await until(() => a.closed, 'the peer to be disconnected')
  })

  test('knows what the peer has not taken', async () => {
    const [a, b] = await socketPair()
    const channel = new StreamChannel(a, 'tcp')
    listen(channel)
    const big: RpcMessage = { type: 'notification', method: 'n', params: ['x'.repeat(1 << 20)] }
    for (let i = 0; i < 32; i++) channel.send(big)
    expect(channel.backlog).toBeGreaterThan(32 << 20)
    await new Promise((resolve) => setImmediate(resolve))
    expect(channel.backlog).toBeGreaterThan(8 << 20)
    b.resume()
    await until(() => channel.backlog === 0, 'the backlog to be taken')
    channel.abort()
    await until(() => b.closed, 'the peer to be disconnected')
  })
})

describe('a peer', () => {
  test('matches replies, in whatever order they come, and errors', async () => {
    const [a, b] = channelPair()
    const requests: (RpcMessage & { type: 'request' })[] = []
    const server = new RpcPeer(b, realClock, 0, { request: (m) => requests.push(m) })
    const client = new RpcPeer(a, realClock, 0, {})
    const [one, two, three] = ['one', 'two', 'three'].map((m) => client.request(m, []))
    await until(() => requests.length === 3, 'all requests')
    server.reply(requests[2].id, '3')
    server.replyError(requests[1].id, { error: 'no' })
    server.reply(requests[0].id, '1')
    expect(await three).toBe('3')
    await expect(two).rejects.toEqual(new RpcError({ error: 'no' }))
    expect(await one).toBe('1')
    expect(await client.request('echo', [1, 'a'])).toEqual([1, 'a'])
    const unanswered = client.request('four', [])
    server.close()
    await expect(unanswered).rejects.toBeInstanceOf(ConnectionLost)
    await expect(client.request('five', [])).rejects.toBeInstanceOf(ConnectionLost)
  })

  test('that is silent is probed, and given up when it stays so', async () => {
    const clock = new VirtualClock()
    const [a, b] = channelPair()
    const probes: RpcMessage[] = []
    let closed: string | undefined
    b.start({ message: (m) => probes.push(m), closed: () => {} })
    const peer = new RpcPeer(a, clock, 5000, { closed: (reason) => (closed = reason) })
    const settle = () => new Promise((resolve) => setImmediate(resolve))
    clock.advance(4999)
    await settle()
    expect(probes).toHaveLength(0)
    clock.advance(1)
    await settle()
    expect(probes).toMatchObject([{ type: 'request', method: 'echo' }])
    b.send({ type: 'reply', result: [], id: 'echo' })
    await settle()
    clock.advance(5000)
    await settle()
    expect(probes).toHaveLength(2)
    clock.advance(4999)
    expect(peer.closed).toBe(false)
    clock.advance(1)
    expect(closed).toBe('no response to inactivity probe after 10.0 seconds, disconnecting')
    expect(clock.pending).toBe(0)
  })
})
