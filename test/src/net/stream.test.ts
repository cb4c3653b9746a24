import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
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

const never = new AbortController().signal
let dir = ''

/** A CA of its own, with a key and certificate signed by it. */
function makeKeys(name: string): TlsFiles {
  const at = (file: string) => join(dir, `${name}-${file}`)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const key = (file: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    file,
  ]
  openssl('req', '-x509', ...key(at('ca.key')), '-out', at('ca.pem'), '-subj', `/CN=${name} CA`, '-days', '2')
  openssl('req', ...key(at('key.pem')), '-out', at('req.pem'), '-subj', `/CN=${name}`)
  openssl(
    ...['x509', '-req', '-in', at('req.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key')],
    ...['-CAcreateserial', '-out', at('cert.pem'), '-days', '2'],
  )
  return { privateKey: at('key.pem'), certificate: at('cert.pem'), caCert: at('ca.pem') }
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vswitchd-transport-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

/** What comes through, both ways, and the listener's view of the peer. */
async function converse(target: string, active: (listener: Listener) => string, tls?: TlsFiles) {
  const came: Stream[] = []
  const listener = await listenStreams(parseOfAddress(target)!, tls, (stream) => {
    came.push(stream)
    stream.duplex.on('data', (chunk: Buffer) => stream.duplex.write(chunk.toString().toUpperCase()))
  })
  try {
    const duplex = await openStream(parseOfAddress(active(listener))!, tls, never)
    duplex.write('hello')
    const answer = await new Promise((resolve) => duplex.once('data', (chunk) => resolve(String(chunk))))
    duplex.destroy()
    return { answer, peer: came[0]?.peer }
  } finally {
    await listener.close()
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

test('TLS with certificates on both sides', async () => {
  const keys = makeKeys('one')
  const { answer, peer } = await converse('pssl:0:127.0.0.1', (l) => `ssl:127.0.0.1:${l.port}`, keys)
  expect(answer).toBe('HELLO')
  expect(peer).toMatch(/^ssl:/)
})

test('TLS refuses whom another CA has signed, and who has no certificate', async () => {
  const ours = makeKeys('ours')
  const theirs = makeKeys('theirs')
  const came: Stream[] = []
  const listener = await listenStreams(parseOfAddress('pssl:0:127.0.0.1')!, ours, (s) => came.push(s))
  const address = parseOfAddress(`ssl:127.0.0.1:${listener.port}`)!
  await expect(openStream(address, theirs, never)).rejects.toThrow(/certificate/)
  // A client that trusts the server but shows a stranger's certificate.
  const mixed = { ...theirs, caCert: ours.caCert }
  const refused = await openStream(address, mixed, never).then(
    (duplex: Duplex) =>
      new Promise((resolve) => duplex.on('error', resolve).on('close', () => resolve('closed'))),
    (error) => error,
  )
  expect(refused).toBeDefined()
  await listener.close()
  expect(came).toEqual([])
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
  const opening = openStream(parseOfAddress(`ssl:127.0.0.1:${silent.port}`)!, makeKeys('x'), abort.signal)
  setImmediate(() => abort.abort())
  await expect(opening).rejects.toThrow('given up')
  await silent.close()
})
