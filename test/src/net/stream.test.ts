import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Listener,
  listenStreams,
  openStream,
  type Stream,
  type TlsFiles,
} from '../../../src/net/stream.ts'
import { parseOfAddress } from '../../../src/openflow/address.ts'
import { makePeers } from '../../support/certificates.ts'

const never = new AbortController().signal
let dir = ''

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vswitchd-transport-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

/** What comes through, both ways, and the listener's view of the peer. */
async function converse(
  target: string,
  active: (listener: Listener) => string,
  passiveTls?: TlsFiles,
  activeTls?: TlsFiles,
) {
  const came: Stream[] = []
  const listener = await listenStreams(parseOfAddress(target)!, passiveTls, (stream) => {
    came.push(stream)
    stream.duplex.on('data', (chunk: Buffer) => stream.duplex.write(chunk.toString().toUpperCase()))
  })
  try {
    const duplex = await openStream(parseOfAddress(active(listener))!, activeTls, never)
    const answer = await askOver(duplex)
    return { answer, peer: came[0]?.peer }
  } finally {
    await listener.close()
  }
}

/** What is said to "hello"; undefined when the connection ends instead. */
async function askOver(duplex: Duplex): Promise<string | undefined> {
  const answer = new Promise<string | undefined>((resolve) => {
    duplex.once('data', (chunk) => resolve(String(chunk)))
    duplex.on('error', () => {}).once('close', () => resolve(undefined))
  })
  duplex.write('hello')
  try {
    return await answer
  } finally {
    duplex.destroy()
  }
}

test('TCP', async () => {
  const { answer, peer } = await converse('ptcp:0:127.0.0.1', (l) => `tcp:127.0.0.1:${l.port}`)
  expect(answer).toBe('HELLO')
  expect(peer).toMatch(/^tcp:127\.0\.0\.1:\d+$/)
})

test('a Unix socket is for its owner, and replaces one that was left', async () => {
  const path = join(dir, 'sub', 'br0.mgmt')
  for (let i = 0; i < 2; i++) {
    const { answer } = await converse(`punix:${path}`, () => {
      expect(statSync(path).mode & 0o777).toBe(0o600)
      return `unix:${path}`
    })
    expect(answer).toBe('HELLO')
  }
})

const overTls = (passive: TlsFiles, active: TlsFiles) =>
  converse('pssl:0:127.0.0.1', (l) => `ssl:127.0.0.1:${l.port}`, passive, active)

test('TLS with certificates on both sides', async () => {
  const peers = await makePeers(join(dir, 'one'))
  const { answer, peer } = await overTls(peers.controller, peers.switch)
  expect(answer).toBe('HELLO')
  expect(peer).toMatch(/^ssl:/)
})

test('TLS refuses whom another CA has signed', async () => {
  const ours = await makePeers(join(dir, 'ours'))
  const theirs = await makePeers(join(dir, 'theirs'))
  const strangeServer = { ...theirs.controller, caCert: ours.controller.caCert }
  await expect(overTls(strangeServer, ours.switch)).rejects.toThrow(/certificate/)
  // A client that trusts the server but shows a stranger's certificate.
  const strangeClient = { ...theirs.switch, caCert: ours.switch.caCert }
  expect((await overTls(ours.controller, strangeClient)).answer).toBeUndefined()
  // Whom nobody checks is let in.
  const trusting = { ...ours.controller, caCert: 'none' }
  expect((await overTls(trusting, { ...strangeClient, caCert: 'none' })).answer).toBe('HELLO')
})

test('a CA that is not known yet is learned from whoever comes first, on either side, and kept', async () => {
  const peers = await makePeers(join(dir, 'first'))
  const others = await makePeers(join(dir, 'second'))
  const shows = (files: TlsFiles, type: string) => ({
    ...files,
    peerCaCert: join(dir, 'first', 'pki', `${type}ca`, 'cacert.pem'),
  })
  const learns = (files: TlsFiles) => ({
    ...files,
    caCert: join(dir, 'first', `learned-${files.caCert.includes('switchca') ? 'passively' : 'actively'}.pem`),
    bootstrapCaCert: true,
  })
  // The client asks once more by itself.
  const client = learns(peers.switch)
  expect((await overTls(shows(peers.controller, 'controller'), client)).answer).toBe('HELLO')
  expect(readFileSync(client.caCert, 'utf8')).toBe(readFileSync(peers.switch.caCert, 'utf8'))
  expect(statSync(client.caCert).mode & 0o777).toBe(0o444)
  await expect(overTls({ ...others.controller, caCert: 'none' }, client)).rejects.toThrow(/certificate/)

  // The server turns the first away that has taught it: it was not checked.
  const server = learns(peers.controller)
  expect((await overTls(server, peers.switch)).answer).toBeUndefined()
  expect(existsSync(server.caCert)).toBe(false) // it showed no CA
  const listener = await listenStreams(parseOfAddress('pssl:0:127.0.0.1')!, server, ({ duplex }) =>
    duplex
      .on('error', () => {})
      .resume()
      .end('HELLO'),
  )
  const come = async (files: TlsFiles) =>
    await askOver(await openStream(parseOfAddress(`ssl:127.0.0.1:${listener.port}`)!, files, never))
  expect(await come(shows(peers.switch, 'switch'))).toBeUndefined()
  expect(readFileSync(server.caCert, 'utf8')).toBe(readFileSync(peers.controller.caCert, 'utf8'))
  expect(await come(peers.switch)).toBe('HELLO')
  expect(await come({ ...others.switch, caCert: 'none' })).toBeUndefined()
  await listener.close()
})

test('keys that are renewed while a listener stands are taken for the next that comes', async () => {
  const peers = await makePeers(join(dir, 'old'))
  const renewed = await makePeers(join(dir, 'new'))
  const listener = await listenStreams(parseOfAddress('pssl:0:127.0.0.1')!, peers.controller, ({ duplex }) =>
    duplex
      .on('error', () => {})
      .resume()
      .end('HELLO'),
  )
  const come = async (files: TlsFiles) =>
    await askOver(await openStream(parseOfAddress(`ssl:127.0.0.1:${listener.port}`)!, files, never))
  expect(await come(peers.switch)).toBe('HELLO')
  for (const key of ['privateKey', 'certificate', 'caCert'] as const) {
    renameSync(renewed.controller[key], peers.controller[key])
  }
  expect(await come(renewed.switch)).toBe('HELLO')
  await expect(come(peers.switch)).rejects.toThrow(/certificate/)
  await listener.close()
})

test('nobody there, nothing that can be opened, and giving up', async () => {
  const gone = await listenStreams(parseOfAddress('ptcp:0:127.0.0.1')!, undefined, () => {})
  const { port } = gone
  await gone.close()
  await expect(openStream(parseOfAddress(`tcp:127.0.0.1:${port}`)!, undefined, never)).rejects.toThrow(
    'ECONNREFUSED',
  )
  await expect(openStream(parseOfAddress('unix:/nowhere/x')!, undefined, never)).rejects.toThrow('ENOENT')
  await expect(openStream(parseOfAddress('ssl:127.0.0.1')!, undefined, never)).rejects.toThrow(
    'needs a private key',
  )
  const abort = new AbortController()
  // A listener that never finishes the handshake: plain TCP asked for TLS.
  const silent = await listenStreams(parseOfAddress('ptcp:0:127.0.0.1')!, undefined, () => {})
  const opening = openStream(
    parseOfAddress(`ssl:127.0.0.1:${silent.port}`)!,
    (await makePeers(join(dir, 'x'))).switch,
    abort.signal,
  )
  setImmediate(() => abort.abort())
  await expect(opening).rejects.toThrow('given up')
  const late = openStream(parseOfAddress(`tcp:127.0.0.1:${silent.port}`)!, undefined, abort.signal)
  await expect(late).rejects.toThrow('given up')
  await silent.close()
})

test.each(['tcp', 'ssl'])('what both ends of %s send has the DSCP that each was given', async (method) => {
  const peers = method === 'ssl' ? await makePeers(join(dir, 'dscp')) : undefined
  const came: Stream[] = []
  const listener = await listenStreams(
    parseOfAddress(`p${method}:0:127.0.0.1`)!,
    peers?.controller,
    (s) => came.push(s),
    10,
  )
  const there = parseOfAddress(`${method}:127.0.0.1:${listener.port}`)!
  const duplex = await openStream(there, peers?.switch, never, 12)
  /** TOS of the established connections that meet a condition. */
  const tos = (...where: string[]) =>
    /tos:(\S+)/.exec(execFileSync('ss', ['-tinH', '--tos', ...where], { encoding: 'utf8' }))?.[1]
  const port = `:${listener.port}`
  expect([tos('sport', '=', port), tos('dport', '=', port)].map(Number)).toEqual([10 << 2, 12 << 2])
  duplex.destroy()
  for (const stream of came) stream.duplex.destroy()
  await listener.close()
})
