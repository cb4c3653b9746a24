import { describe, expect, test } from 'vitest'
import { isFault } from '../../../protocols/openflow/error.ts'
import { decodeMessage, encodeMessage, type Message } from '../../../protocols/openflow/message.ts'
import { Session, type SessionOptions } from '../../../protocols/openflow/session.ts'
import type { OfVersion } from '../../../protocols/openflow/version.ts'
import { sampleBody } from '../../support/openflow-samples.ts'

function read(bytes: Uint8Array): Message {
  const m = decodeMessage(bytes)
  if (isFault(m)) throw new Error(m.error)
  return m
}

class Harness {
  readonly sent: Message[] = []
  readonly messages: Message[] = []
  readonly closed: string[] = []
  readonly versions: OfVersion[] = []
  readonly session: Session

  constructor(options?: SessionOptions) {
    this.session = new Session(
      0,
      {
        send: (bytes) => this.sent.push(read(bytes)),
        connected: (version) => this.versions.push(version),
        message: (message) => this.messages.push(message),
        close: (reason) => this.closed.push(reason),
      },
      options,
    )
  }

  hello(versions: number, version: OfVersion, now = 0): this {
    this.session.receive(now, encodeMessage('HELLO', { versions }, { version })!)
    return this
  }
}

const bits = (...versions: number[]): number => versions.reduce((b, v) => b | (1 << v), 0)

describe('HELLO (OpenFlow 1.3.1 §6.3.1)', () => {
  test('offers what it was told to', () => {
    expect(new Harness({ versions: bits(1, 4) }).sent[0]).toMatchObject({
      type: 'HELLO',
      version: 4,
      body: { versions: bits(1, 4) },
    })
  })

  test.each([
    ['both have bitmaps: the highest common one', bits(1, 4, 6), bits(1, 4), 4, 4],
    ['a peer without bitmap speaks all up to its own', bits(1, 2, 3, 4), bits(1, 2), 2, 2],
    ['a gap in our versions is respected', bits(1, 4), bits(1, 2, 3), 3, 1],
  ] as const)('%s', (_, ours, theirs, theirHeader, agreed) => {
    const h = new Harness({ versions: ours }).hello(theirs, theirHeader as OfVersion)
    expect(h.versions).toEqual([agreed])
    expect(h.closed).toEqual([])
  })

  test('a peer of a version yet unknown gets the highest of ours', () => {
    const h = new Harness()
    h.session.receive(0, Uint8Array.of(9, 0, 0, 8, 0, 0, 0, 1))
    expect(h.versions).toEqual([6])
  })

  test('without a common version HELLO_FAILED says so and the connection ends', () => {
    const h = new Harness({ versions: bits(4) }).hello(bits(1), 1)
    expect(h.sent[1]).toMatchObject({ type: 'ERROR', version: 1, body: { name: 'OFPHFC_INCOMPATIBLE' } })
    const { data } = h.sent[1].body as { data: Uint8Array }
    expect(String.fromCharCode(...data)).toBe(
      'We support version 0x04, you support version 0x01, no common versions.',
    )
    expect(h.closed).toEqual(['version negotiation failed'])
  })

  test('anything before HELLO ends the connection', () => {
    const h = new Harness()
    h.session.receive(0, encodeMessage('BARRIER_REQUEST', undefined, { version: 4 })!)
    expect(h.closed).toEqual(['received a message while expecting HELLO'])
  })

  test('it may not take for ever', () => {
    const h = new Harness({ helloTimeout: 3000 })
    expect(h.session.pollAt()).toBe(3000)
    h.session.poll(2999)
    expect(h.closed).toEqual([])
    h.session.poll(3000)
    expect(h.closed).toEqual(['no HELLO came'])
    expect(h.session.pollAt()).toBeUndefined()
  })
})

describe('while connected', () => {
  test('echo requests are answered with their xid and data', () => {
    const h = new Harness().hello(bits(4), 4)
    h.session.receive(1, encodeMessage('ECHO_REQUEST', Uint8Array.of(1, 2, 3), { version: 4, xid: 77 })!)
    expect(h.sent[1]).toMatchObject({ type: 'ECHO_REPLY', xid: 77, body: Uint8Array.of(1, 2, 3) })
    expect(h.messages).toEqual([])
  })

  test('messages arrive however the stream is cut', () => {
    const h = new Harness().hello(bits(4), 4)
    const one = encodeMessage('FLOW_MOD', sampleBody('FLOW_MOD', 4), { version: 4, xid: 1 })!
    const stream = Uint8Array.of(...one, ...one, ...one)
    for (let i = 0; i < stream.length; i += 7) h.session.receive(1, stream.subarray(i, i + 7))
    expect(h.messages.map((m) => m.type)).toEqual(['FLOW_MOD', 'FLOW_MOD', 'FLOW_MOD'])
  })

  test('another version is refused with BAD_VERSION and the connection ends', () => {
    const h = new Harness().hello(bits(4), 4)
    h.session.receive(1, encodeMessage('BARRIER_REQUEST', undefined, { version: 1, xid: 5 })!)
    expect(h.sent[1]).toMatchObject({ type: 'ERROR', xid: 5, body: { name: 'OFPBRC_BAD_VERSION' } })
    expect(h.closed).toHaveLength(1)
  })

  test('what cannot be understood is answered with the error, its xid and itself', () => {
    const h = new Harness().hello(bits(4), 4)
    const unknown = new Uint8Array(100)
    unknown.set([4, 99, 0, 100, 0, 0, 0, 9])
    h.session.receive(1, unknown)
    expect(h.sent[1]).toMatchObject({
      type: 'ERROR',
      xid: 9,
      body: { name: 'OFPBRC_BAD_TYPE', data: unknown },
    })
    expect(h.closed).toEqual([])
  })

  test('an error that cannot be understood is not answered', () => {
    const h = new Harness().hello(bits(4), 4)
    h.session.receive(1, Uint8Array.of(4, 1, 0, 8, 0, 0, 0, 9))
    expect(h.sent).toHaveLength(1)
  })

  test('a message shorter than its header ends the connection', () => {
    const h = new Harness().hello(bits(4), 4)
    h.session.receive(1, Uint8Array.of(4, 2, 0, 7, 0, 0, 0, 9))
    expect(h.closed).toEqual(['received a message shorter than its header'])
    h.session.receive(2, encodeMessage('BARRIER_REQUEST', undefined, { version: 4 })!)
    expect(h.messages).toEqual([])
  })

  test('a list that never ends is refused, and bounded', () => {
    const h = new Harness({ maxWaitingEntries: 10 }).hello(bits(4), 4)
    const piece = encodeMessage('PORT_STATS_REPLY', sampleBody('PORT_STATS_REPLY', 4), {
      version: 4,
      xid: 3,
    })!
    piece[11] = 1
    for (let i = 0; i < 6; i++) h.session.receive(1, piece)
    expect(h.messages).toEqual([])
    expect(h.sent[1]).toMatchObject({ type: 'ERROR', body: { name: 'OFPBRC_MULTIPART_BUFFER_OVERFLOW' } })
  })
})

describe('inactivity', () => {
  test('a silent peer is asked, and given up when it stays silent', () => {
    const h = new Harness({ inactivityProbe: 5000 }).hello(bits(4), 4, 1000)
    expect(h.session.pollAt()).toBe(6000)
    h.session.poll(6000)
    expect(h.sent[1]).toMatchObject({ type: 'ECHO_REQUEST' })
    expect(h.session.pollAt()).toBe(11_000)
    h.session.poll(11_000)
    expect(h.closed).toEqual(['no response to inactivity probe'])
  })

  test('any message is a sign of life', () => {
    const h = new Harness({ inactivityProbe: 5000 }).hello(bits(4), 4, 1000)
    h.session.poll(6000)
    h.session.receive(7000, encodeMessage('ECHO_REPLY', new Uint8Array(0), { version: 4 })!)
    expect(h.session.pollAt()).toBe(12_000)
    h.session.poll(11_000)
    expect(h.closed).toEqual([])
  })

  test('0 switches it off', () => {
    expect(new Harness({ inactivityProbe: 0 }).hello(bits(4), 4).session.pollAt()).toBeUndefined()
  })
})
