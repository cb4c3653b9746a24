import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ask, askStop, askStream } from '../../../src/control/client.ts'
import { LineReader } from '../../../src/control/lines.ts'
import { MAX_REQUEST_BYTES, SOCKET_NAME } from '../../../src/control/protocol.ts'
import { startControlServer } from '../../../src/control/server.ts'
import { CliError } from '../../../src/errors.ts'
import { HANDLERS, STATUS, serve, testRundir } from './handlers.ts'

/** Sends bytes as they are and answers all that comes back until the server closes. */
function raw(path: string, ...parts: (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(path)
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')))
    for (const part of parts) socket.write(part)
    socket.end()
  })
}

const answers = async (path: string, ...parts: (string | Uint8Array)[]) =>
  (await raw(path, ...parts))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

test('a question is answered', async () => {
  const { rundir } = await serve()
  expect(await ask(rundir, 'status', {})).toEqual(STATUS)
  expect(await ask(rundir, 'reload', { config: '/x.json' })).toEqual({ steps: ['read /x.json'] })
})

test('the socket is its owner’s alone', async () => {
  const { path } = await serve()
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('an error comes over with its exit code and its hint', async () => {
  const { rundir } = await serve({
    reload: () => {
      throw new CliError('The configuration is invalid.', { code: 3, hint: 'Read it again.' })
    },
    fdb: () => Promise.reject(new TypeError('a bug')),
  })
  await expect(ask(rundir, 'reload', {})).rejects.toMatchObject({
    name: 'CliError',
    code: 3,
    message: 'The configuration is invalid.',
    hint: 'Read it again.',
  })
  await expect(ask(rundir, 'fdb', {})).rejects.toMatchObject({ name: 'CliError', code: 1, message: 'a bug' })
})

test('where no switch runs the error says so', async () => {
  const rundir = testRundir()
  await expect(ask(rundir, 'status', {})).rejects.toMatchObject({
    code: 4,
    message: `No switch is running in ${rundir}.`,
  })
})

test('requests of one connection are answered in their order, however they are cut', async () => {
  const { path } = await serve({
    fdb: () => new Promise((resolve) => setTimeout(() => resolve([]), 20)),
  })
  const text = '{"method":"fdb","id":1}\n\n{"method":"arp","params":{},"id":"zwei"}\n'
  expect(await answers(path, ...text)).toEqual([
    { result: [], error: null, id: 1 },
    { result: [], error: null, id: 'zwei' },
  ])
})

test.each([
  ['no JSON', 'hello\n', 'The request is no JSON.'],
  ['no object', '[1]\n', 'The request is no object.'],
  ['no method', '{"id":1}\n', 'The request has no method.'],
  ['parameters of another kind', '{"method":"fdb","params":[1]}\n', 'The parameters are no object.'],
  ['an unknown method', '{"method":"fly","params":{}}\n', 'The switch knows no method "fly".'],
  [
    'an inherited name',
    '{"method":"constructor","params":{}}\n',
    'The switch knows no method "constructor".',
  ],
])('%s is refused and the connection goes on', async (_what, request, message) => {
  const { path } = await serve()
  const [refused, answered] = await answers(path, request, '{"method":"arp","id":2}\n')
  expect(refused).toMatchObject({ result: null, error: { code: 2, message } })
  expect(answered).toEqual({ result: [], error: null, id: 2 })
})

test('a request without end is cut off, and others are served', async () => {
  const { path, rundir } = await serve()
  await raw(path, Buffer.alloc(MAX_REQUEST_BYTES + 70_000, 0x20))
  expect(await ask(rundir, 'arp', {})).toEqual([])
})

test('one that asks and leaves, or asks and never reads, harms nobody', async () => {
  const { path, rundir } = await serve({ flows: () => HANDLERS.flows({}) })
  const lazy = connect(path)
  lazy.on('error', () => {})
  lazy.pause()
  for (let i = 0; i < 1000; i++) lazy.write('{"method":"status","id":1}\n')
  const rude = connect(path)
  rude.on('error', () => {})
  await new Promise<void>((resolve) => rude.write('{"method":"status","id":1}\n', () => resolve()))
  rude.destroy()
  expect(await ask(rundir, 'arp', {})).toEqual([])
  lazy.destroy()
})

test('whatever bytes come, the server goes on', async () => {
  const { path, rundir } = await serve()
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      await raw(path, bytes, '\n')
    }),
    { numRuns: 100 },
  )
  expect(await ask(rundir, 'arp', {})).toEqual([])
})

test('a capture is an answer and then bytes', async () => {
  const { rundir } = await serve()
  const { result, bytes } = await askStream(rundir, 'capture', { target: 'vm1' })
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(chunk as Buffer)
  expect(result).toEqual({ ports: ['vm1'] })
  expect([...Buffer.concat(chunks)]).toEqual([0x0a, 0x0d, 0x0d, 0x0a])
})

test('a capture learns that its reader has left', async () => {
  let left = () => {}
  const gone = new Promise<void>((resolve) => {
    left = resolve
  })
  const { rundir } = await serve({
    capture: () => ({
      result: { ports: [] },
      run: (_output, signal) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            left()
            resolve()
          }),
        ),
    }),
  })
  const { bytes } = await askStream(rundir, 'capture', { target: 'vm1' })
  bytes.destroy()
  await gone
})

test('a second switch in one run directory is refused, a dead socket is replaced', async () => {
  const { path } = await serve()
  await expect(startControlServer(path, HANDLERS)).rejects.toMatchObject({ code: 5 })

  // A socket file that nobody listens to any more, as kill -9 leaves it.
  const rundir = testRundir()
  const dead = join(rundir, SOCKET_NAME)
  const listen = `require('net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 9))`
  spawnSync(process.execPath, ['-e', listen])
  expect(statSync(dead).isSocket()).toBe(true)
  const server = await startControlServer(dead, HANDLERS)
  expect(await ask(rundir, 'arp', {})).toEqual([])
  await server.close()
})

test('stopping waits until the switch has closed', async () => {
  const rundir = testRundir()
  let closed = false
  const server = await startControlServer(join(rundir, SOCKET_NAME), {
    ...HANDLERS,
    stop: () => {
      setTimeout(() => {
        closed = true
        void server.close()
      }, 50)
      return { pid: 42 }
    },
  })
  expect(await askStop(rundir)).toEqual({ pid: 42 })
  expect(closed).toBe(true)
  await expect(ask(rundir, 'status', {})).rejects.toMatchObject({ code: 4 })
})

test('a line reader gives the same lines however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string().filter((s) => !s.includes('\n'))),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        const reader = new LineReader(1000)
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + cuts[i % cuts.length]!
          reader.push(bytes.subarray(at, end))
          at = end
        }
        const got: string[] = []
        for (let line = reader.next(); line !== undefined; line = reader.next()) got.push(line)
        expect(got).toEqual(lines)
      },
    ),
  )
})
