import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFault } from '../../../protocols/openflow/error.ts'
import { decodeMessage, type Message } from '../../../protocols/openflow/message.ts'
import { formByName } from '../../../protocols/openflow/message-forms.ts'
import { MessageReader } from '../../../protocols/openflow/message-reader.ts'
import { encodeList, MultipartAssembler, MultipartWriter } from '../../../protocols/openflow/multipart.ts'
import type { OfVersion } from '../../../protocols/openflow/version.ts'
import { sampleBody } from '../../support/openflow-samples.ts'

function read(bytes: Uint8Array): Message {
  const m = decodeMessage(bytes)
  if (isFault(m)) throw new Error(m.error)
  return m
}

describe('a long list', () => {
  test.each([1, 2, 3, 4, 5, 6] as OfVersion[])(
    'of flows is spread and put together in version byte %d',
    (version) => {
      const [stats] = sampleBody('FLOW_STATS_REPLY', version)
      const flows = Array.from({ length: 3000 }, (_, i) => ({ ...stats, priority: i }))
      const pieces = encodeList('FLOW_STATS_REPLY', flows, { version, xid: 8 })
      expect(pieces.length).toBeGreaterThan(2)
      for (const p of pieces) expect(p.length).toBeLessThanOrEqual(0xffff)
      const messages = pieces.map(read)
      expect(messages.map((m) => m.more)).toEqual(pieces.map((_, i) => i < pieces.length - 1))
      const assembler = new MultipartAssembler(10_000)
      const whole = messages.map((m) => assembler.add(m))
      expect(whole.slice(0, -1).every((m) => m === undefined)).toBe(true)
      const last = whole.at(-1) as Message & { body: { priority: number }[] }
      expect(last.body.map((f) => f.priority)).toEqual(flows.map((f) => f.priority))
    },
  )

  test('that is empty is one message', () => {
    const pieces = encodeList('FLOW_STATS_REPLY', [], { version: 4, xid: 8 })
    expect(pieces.map((p) => read(p).body)).toEqual([[]])
  })

  test('lists of different xids do not mix', () => {
    const [a, b] = [1, 2].map((xid) =>
      encodeList('PORT_STATS_REPLY', Array(1000).fill(sampleBody('PORT_STATS_REPLY', 4)[0]), {
        version: 4,
        xid,
      }).map(read),
    )
    const assembler = new MultipartAssembler()
    const whole = [a[0], b[0], a[1], b[1]].map((m) => assembler.add(m))
    expect(whole.map((m) => (typeof m === 'object' ? m.xid : undefined))).toEqual([
      undefined,
      undefined,
      1,
      2,
    ])
    expect((whole[2] as Message).body).toHaveLength(1000)
  })

  test('an entry that fits into no message is left out and counted', () => {
    const [stats] = sampleBody('GROUP_STATS_REPLY', 4)
    const huge = { ...stats, buckets: Array(5000).fill(stats.buckets[0]) }
    const w = new MultipartWriter('GROUP_STATS_REPLY', formByName('OFPST13_GROUP_REPLY')!, 4, 1)
    for (const s of [stats, huge, stats]) w.append(s)
    expect(w.finish().map((p) => (read(p).body as unknown[]).length)).toEqual([2])
    expect(w.dropped).toBe(1)
  })

  test('full messages can be sent while the list goes on', () => {
    const [stats] = sampleBody('PORT_STATS_REPLY', 4)
    const w = new MultipartWriter('PORT_STATS_REPLY', formByName('OFPST13_PORT_REPLY')!, 4, 1)
    let taken = 0
    for (let i = 0; i < 2000; i++) {
      w.append(stats)
      taken += w.takeFull().length
    }
    expect(taken).toBe(3)
    expect(w.finish()).toHaveLength(1)
  })
})

describe('a stream', () => {
  test('is cut into its messages however it comes', () => {
    const message = fc.integer({ min: 8, max: 6000 }).map((length) => {
      const b = new Uint8Array(length).fill(length & 0xff)
      b.set([4, 2, length >>> 8, length])
      return b
    })
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 3000 })),
        (messages, cuts) => {
          const stream = new Uint8Array(messages.reduce((n, m) => n + m.length, 0))
          let at = 0
          for (const m of messages) {
            stream.set(m, at)
            at += m.length
          }
          const reader = new MessageReader()
          const out: Uint8Array[] = []
          for (let o = 0; o < stream.length; ) {
            const n = cuts.next().value
            reader.push(stream.subarray(o, o + n), (b) => {
              out.push(b.slice())
              return true
            })
            o += n
          }
          expect(out).toEqual(messages)
          expect(reader.pending).toBe(0)
        },
      ),
      { numRuns: 200 },
    )
  })
})
