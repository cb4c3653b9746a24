import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../../protocols/wire/utf8.ts'

test('encodes as the platform does, lone surrogates included', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', '\ud800', '\udfff'), (text, odd) => {
      expect(encodeUtf8(text + odd)).toEqual(Uint8Array.from(new TextEncoder().encode(text + odd)))
    }),
  )
})

test('decodes whatever is well formed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(decodeUtf8(Buffer.from(text))).toBe(Buffer.from(text).toString())
    }),
  )
})

test('refuses what the platform refuses, and goes on behind it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      let valid = true
      try {
        new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
      } catch {
        valid = false
      }
      const original = Buffer.from(bytes).includes(Buffer.from('\ufffd'))
      fc.pre(!original)
      expect(decodeUtf8(bytes).includes('\ufffd')).toBe(!valid)
    }),
    { numRuns: 2000 },
  )
  expect(decodeUtf8(Uint8Array.of(0x61, 0xc0, 0x80, 0x62))).toBe('a\ufffd\ufffdb')
})

test('reads within its bounds', () => {
  const b = encodeUtf8('xé!')
  expect(decodeUtf8(b, 1, 3)).toBe('é')
  expect(decodeUtf8(b, 1, 2)).toBe('\ufffd')
})
