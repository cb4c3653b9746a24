/** Streams over TLS with Open vSwitch at the other end, both sides of which learn the authority of the other. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listenStreams, openStream, type TlsFiles } from '../../../src/net/stream.ts'
import { parseOfAddress } from '../../../src/openflow/address.ts'
import { makePeers } from '../../support/certificates.ts'
import { until } from '../../support/until.ts'

const OFPT_HELLO = 0
let dir = ''
let peers: Awaited<ReturnType<typeof makePeers>>

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'vswitchd-tls-'))
  peers = await makePeers(dir)
})
afterAll(() => rmSync(dir, { recursive: true }))

const at = (file: string) => join(dir, file)
const authorityOf = (type: string) => at(`pki/${type}ca/cacert.pem`)
const textOf = (file: string) => readFileSync(file, 'utf8')

/** A program that shows the certificate of a controller and its authority's. */
function asController(program: string, ...args: string[]) {
  const { privateKey, certificate } = peers.controller
  const tls = ['-p', privateKey, '-c', certificate, '--peer-ca-cert', authorityOf('controller')]
  return spawn(program, [...tls, ...args], { stdio: 'ignore', env: { ...process.env, OVS_RUNDIR: dir } })
}

/** Who learns the authority of controllers, and shows that of switches. */
const learning = (file: string): TlsFiles => ({
  ...peers.switch,
  caCert: at(file),
  bootstrapCaCert: true,
  peerCaCert: authorityOf('switch'),
})

/** The first bytes that come; undefined when none do. */
async function firstBytes(duplex: Duplex): Promise<Buffer | undefined> {
  const bytes = await new Promise<Buffer | undefined>((resolve) => {
    duplex.once('data', resolve)
    duplex.on('error', () => {}).once('close', () => resolve(undefined))
  })
  duplex.destroy()
  return bytes
}

test('we learn whom ovs-testcontroller is signed by', async () => {
  const reserved = await listenStreams(parseOfAddress('ptcp:0:127.0.0.1')!, undefined, () => {})
  await reserved.close()
  const method = `pssl:${reserved.port}:127.0.0.1`
  const program = asController('ovs-testcontroller', '-C', authorityOf('switch'), '--unixctl=none', method)
  try {
    const files = learning('controllers.pem')
    const open = () =>
      openStream(parseOfAddress(`ssl:127.0.0.1:${reserved.port}`)!, files, AbortSignal.timeout(5000)).catch(
        () => undefined,
      )
    const duplex = await until(open, 'ovs-testcontroller listens')
    expect((await firstBytes(duplex))?.[1]).toBe(OFPT_HELLO)
    expect(textOf(files.caCert)).toBe(textOf(authorityOf('controller')))
  } finally {
    program.kill()
  }
})

test('ovs-vsctl learns whom we are signed by, and we, whom it is signed by', async () => {
  const files = learning('came.pem')
  let said: (bytes: Buffer | undefined) => void = () => {}
  const first = new Promise<Buffer | undefined>((resolve) => {
    said = resolve
  })
  const listener = await listenStreams(parseOfAddress('pssl:0:127.0.0.1')!, files, ({ duplex }) => {
    void firstBytes(duplex).then(said)
  })
  const learned = at('switches.pem')
  const database = `--db=ssl:127.0.0.1:${listener.port}`
  const program = asController('ovs-vsctl', '--bootstrap-ca-cert', learned, '--retry', database, 'show')
  try {
    expect(String(await first)).toMatch(/^{.*"method"/)
    expect(textOf(files.caCert)).toBe(textOf(authorityOf('controller')))
    // OpenSSL writes more lines than the certificate's.
    expect(textOf(learned)).toContain(textOf(authorityOf('switch')).trim())
  } finally {
    program.kill()
    await listener.close()
  }
})
