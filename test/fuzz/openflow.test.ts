/**
 * A million OpenFlow messages that are none: random bytes behind a plausible header, true messages cut short, with
 * bits turned, lengths lied about and pieces exchanged. The decoder answers each with a message or an error, reads
 * nothing behind its end, and what it accepts can be written again.
 */

import { expect, test } from 'vitest'
import { isFault } from '../../protocols/openflow/error.ts'
import { decodeMessage, encodeErrorReply, encodeMessage } from '../../protocols/openflow/message.ts'
import { MESSAGE_FORMS } from '../../protocols/openflow/message-forms.ts'
import { MessageReader } from '../../protocols/openflow/message-reader.ts'
import type { OfVersion } from '../../protocols/openflow/version.ts'
import { type Random, seededRandom } from '../../protocols/random.ts'
import { sampleBody } from '../support/openflow-samples.ts'

const MESSAGES = 1_000_000
const MAX = 512

const seeds: Uint8Array[] = []
for (const form of MESSAGE_FORMS) {
  for (let v = form.first; v <= form.last; v++) {
    const version = v as OfVersion
    const bytes = encodeMessage(form.type, sampleBody(form.type, version), { version, xid: 1, form })!
    if (bytes.length <= MAX) seeds.push(bytes)
  }
}

/** Bytes that mean something in many places: lengths, all ones, the largest values. */
const TELLING = [0, 1, 3, 4, 7, 8, 12, 16, 24, 0x7f, 0x80, 0xfe, 0xff]

function mutate(b: Uint8Array, length: number, random: Random): number {
  const n = 1 + (random() % 4)
  for (let i = 0; i < n; i++) {
    const at = random() % Math.max(1, length)
    switch (random() % 5) {
      case 0:
        b[at] ^= 1 << (random() % 8)
        break
      case 1:
        b[at] = TELLING[random() % TELLING.length]
        break
      case 2:
        b[at] = random()
        break
      case 3:
        length = Math.max(8, at)
        break
      default: {
        const other = seeds[random() % seeds.length]
        const from = random() % other.length
        const size = Math.min(other.length - from, 1 + (random() % 32), MAX - at)
        b.set(other.subarray(from, from + size), at)
        length = Math.max(length, at + size)
      }
    }
  }
  return length
}

test('a million messages make no decoder throw, read beyond their end or say what cannot be said again', () => {
  const random = seededRandom(0x0f10)
  const buffer = new Uint8Array(MAX + 64)
  let accepted = 0
  let refused = 0
  for (let i = 0; i < MESSAGES; i++) {
    const seed = seeds[random() % seeds.length]
    buffer.set(seed)
    let length = seed.length
    if (random() % 8 === 0) for (let o = 8; o < length; o++) buffer[o] = random()
    else length = mutate(buffer, length, random)
    // Mostly the length is right, so that the message gets as far as its body.
    if (random() % 16 !== 0) {
      buffer[2] = length >>> 8
      buffer[3] = length
    }
    const b = buffer.subarray(0, length)
    const message = decodeMessage(b)
    if (isFault(message)) {
      refused++
      if ((i & 0xff) === 0) expect(isFault(decodeMessage(encodeErrorReply(message.error, b, 4)))).toBe(false)
      continue
    }
    accepted++
    if ((i & 0x3f) !== 0) continue
    // What stands behind the message must make no difference.
    const before = encodeMessage(message.type, message.body as never, message)
    buffer.fill(0xff, length)
    const again = decodeMessage(buffer.subarray(0, length))
    expect(isFault(again)).toBe(false)
    if (!isFault(again)) expect(encodeMessage(again.type, again.body as never, again)).toEqual(before)
  }
  expect(accepted).toBeGreaterThan(MESSAGES / 20)
  expect(refused).toBeGreaterThan(MESSAGES / 20)
}, 300_000)

test('a random stream is bounded: it yields messages or fails, and holds no more than one', () => {
  const random = seededRandom(7)
  for (let run = 0; run < 200; run++) {
    const reader = new MessageReader()
    for (let i = 0; i < 50; i++) {
      const chunk = Uint8Array.from({ length: random() % 400 }, () => random())
      reader.push(chunk, (bytes) => {
        decodeMessage(bytes)
        return true
      })
      expect(reader.pending).toBeLessThan(0x1_0000)
    }
  }
})
