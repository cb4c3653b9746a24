import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SequenceEdits } from '../../../engine/conntrack/sequence-edits.ts'

/** A stream of a hundred bytes from `start` on, some of which are replaced. */
const streams = fc.record({
  start: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  parts: fc.array(
    fc.record({
      kept: fc.integer({ min: 1, max: 9 }),
      length: fc.integer({ min: 1, max: 6 }),
      text: fc.integer({ min: 1, max: 9 }),
    }),
    { maxLength: 12 },
  ),
})

test('numbers of either end are those of counting bytes, over the wrap of sequence numbers, too', () => {
  fc.assert(
    fc.property(streams, ({ start, parts }) => {
      const edits = new SequenceEdits()
      /** For every byte of the sender's that is kept, how far it is from the start at either end. */
      const kept: [sent: number, received: number][] = []
      let [sent, received] = [0, 0]
      for (const { kept: n, length, text } of parts) {
        for (let i = 0; i < n; i++) kept.push([sent++, received++])
        edits.add({ at: (start + sent) | 0, length, text: new Uint8Array(text) })
        const [at, seen] = [sent, received]
        for (let i = 1; i < length; i++)
          expect(edits.toReceiver((start + at + i) | 0)).toBe((start + seen) | 0)
        for (let i = 1; i < text; i++) expect(edits.toSender((start + seen + i) | 0)).toBe((start + at) | 0)
        sent += length
        received += text
      }
      for (let i = 0; i < 5; i++) kept.push([sent++, received++])
      for (const [a, b] of kept) {
        expect(edits.toReceiver((start + a) | 0)).toBe((start + b) | 0)
        expect(edits.toSender((start + b) | 0)).toBe((start + a) | 0)
      }
    }),
  )
})
