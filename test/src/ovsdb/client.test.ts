import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Channel } from '../../../src/ovsdb/channel.ts'
import { type Attachment, OvsdbClient, ServerUnsuitable } from '../../../src/ovsdb/client.ts'
import { type Remote, remoteAt, remoteWithin } from '../../../src/ovsdb/remote.ts'
import { ConnectionLost, RpcPeer } from '../../../src/ovsdb/rpc-peer.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const settle = () => new Promise((resolve) => setImmediate(resolve))

/** A server within the process that answers every request with its name; down, it refuses connections. */
function fakeServer(name: string, clock: VirtualClock) {
  const server = {
    up: true,
    attempts: 0,
    peers: [] as RpcPeer[],
    remote: undefined as unknown as Remote,
  }
  const accept = (channel: Channel) => {
    const peer: RpcPeer = new RpcPeer(channel, clock, 0, {
      request: ({ id, method }) => peer.reply(id, `${name}: ${method}`),
    })
    server.peers.push(peer)
  }
  const { open } = remoteWithin(accept)
  server.remote = {
    name,
    passive: false,
    needsProbes: false,
    open: (signal) => {
      server.attempts++
      return server.up ? open(signal) : Promise.reject(new Error('refused'))
    },
  }
  return server
}

test('what is asked for before there is a connection waits for it', async () => {
  const clock = new VirtualClock()
  const server = fakeServer('a', clock)
  const client = new OvsdbClient({ remotes: [server.remote], clock })
  const reply = client.request('hello', [])
  client.start()
  expect(await reply).toBe('a: hello')
  client.close()
  await expect(client.request('hello', [])).rejects.toBeInstanceOf(ConnectionLost)
  expect(clock.pending).toBe(0)
})

test('the wait between attempts doubles from 1 s to 8 s, and begins anew after a connection that has lasted', async () => {
  const clock = new VirtualClock()
  const server = fakeServer('a', clock)
  server.up = false
  const client = new OvsdbClient({ remotes: [server.remote], clock })
  client.start()
  await settle()
  for (const [attempts, seconds] of [
    [1, 1],
    [2, 2],
    [3, 4],
    [4, 8],
    [5, 8],
  ]) {
    expect(server.attempts).toBe(attempts)
    clock.advance(seconds * 1000 - 1)
    await settle()
    expect(server.attempts).toBe(attempts)
    if (attempts === 5) server.up = true
    clock.advance(1)
    await settle()
  }
  expect(client.connected).toBe(true)
  clock.advance(8000)
  server.peers[0].close()
  await settle()
  expect(client.connected).toBe(false)
  clock.advance(1000)
  await settle()
  expect(client.connected).toBe(true)
  client.close()
})

test('of several servers all are tried before it waits', async () => {
  const clock = new VirtualClock()
  const [a, b, c] = ['a', 'b', 'c'].map((name) => fakeServer(name, clock))
  a.up = false
  b.up = false
  const client = new OvsdbClient({ remotes: [a.remote, b.remote, c.remote], clock })
  client.start()
  expect(await client.request('m', [])).toBe('c: m')
  client.close()
})

test('an attachment prepares each connection, and may find the server unsuitable', async () => {
  const clock = new VirtualClock()
  const [a, b] = ['a', 'b'].map((name) => fakeServer(name, clock))
  const seen: string[] = []
  const attachment: Attachment = {
    connected: async (peer) => {
      const reply = (await peer.request('prepare', [])) as string
      seen.push(reply)
      if (reply.startsWith('a')) throw new ServerUnsuitable('not the leader')
    },
    notification: (method) => {
      seen.push(method)
      return true
    },
    disconnected: () => seen.push('gone'),
  }
  const client = new OvsdbClient({ remotes: [a.remote, b.remote], clock })
  client.attach(attachment)
  client.start()
  expect(await client.request('m', [])).toBe('b: m')
  b.peers[0].notify('news', [])
  await settle()
  expect(seen).toEqual(['a: prepare', 'gone', 'b: prepare', 'news'])
  client.close()
})

test('who does not retry hears of the first failure', async () => {
  const clock = new VirtualClock()
  const server = fakeServer('a', clock)
  server.up = false
  const failures: string[] = []
  const client = new OvsdbClient({
    remotes: [server.remote],
    clock,
    retry: false,
    failed: (reason) => failures.push(reason),
  })
  client.start()
  await expect(client.request('m', [])).rejects.toEqual(new ConnectionLost('refused'))
  expect(failures).toEqual(['refused'])
  expect(clock.pending).toBe(0)
})

const dir = mkdtempSync(join(tmpdir(), 'ovsdb-client-'))
afterAll(() => rmSync(dir, { recursive: true }))

test('a passive remote waits for the server, once more after each', async () => {
  const clock = new VirtualClock()
  const path = join(dir, 'client.sock')
  const client = new OvsdbClient({ remotes: [remoteAt(`punix:${path}`, undefined)!], clock })
  client.start()
  for (let round = 0; round < 2; round++) {
    const reply = client.request('m', [])
    const channel = await openWhenThere(path)
    const server: RpcPeer = new RpcPeer(channel, clock, 0, { request: ({ id }) => server.reply(id, round) })
    expect(await reply).toBe(round)
    server.close()
    await expect.poll(() => client.connected).toBe(false)
    clock.advance(8000)
  }
  client.close()
})

async function openWhenThere(path: string): Promise<Channel> {
  const { open } = remoteAt(`unix:${path}`, undefined)!
  for (;;) {
    try {
      return await open(new AbortController().signal)
    } catch {
      await settle()
    }
  }
}

test.each(['', 'unix:', 'tcp', 'tcp:', 'http://x', 'db:a,b,c', 'ssl:h:99999'])(
  '"%s" is no remote',
  (text) => {
    expect(remoteAt(text, undefined)).toBeUndefined()
  },
)
