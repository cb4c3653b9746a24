import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonStream } from '../../../protocols/ovsdb/json-stream.ts'
import { formatJson, type Json, JsonError, parseJson } from '../../../protocols/ovsdb/json-text.ts'

const bytes = (text: string) => Buffer.from(text, 'utf8')

function read(chunks: readonly Uint8Array[], options = {}): { values: Json[]; failure: string | undefined } {
  const stream = new JsonStream(options)
  const values: Json[] = []
  for (const chunk of chunks) stream.push(chunk, (v) => values.push(v))
  return { values, failure: stream.failure?.message }
}

const json = fc.oneof(
  fc.array(fc.jsonValue(), { maxLength: 4 }),
  fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { maxKeys: 4 }),
) as fc.Arbitrary<Json>

/** JSON has no -0, and OVSDB neither U+0000 nor halves of pairs; large integers are another test's. */
const sent = json
  .map((v) => JSON.stringify(v, (_, x) => (Number.isInteger(x) && !Number.isSafeInteger(x) ? 0.5 : x)))
  .filter((text) => !/\\u0000|\\ud[89a-f]/.test(text))
  .map((text): Json => JSON.parse(text))

describe('values in a stream', () => {
  test('come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(sent, { maxLength: 4 }),
        fc.array(fc.nat(60)),
        fc.constantFrom('', ' \n'),
        (values, cuts, gap) => {
          const all = bytes(values.map(formatJson).join(gap) + gap)
          const chunks: Uint8Array[] = []
          let from = 0
          for (const cut of cuts) {
            chunks.push(all.subarray(from, from + cut))
            from += cut
          }
          chunks.push(all.subarray(from))
          expect(read(chunks)).toEqual({ values, failure: undefined })
          const decode = (b: Uint8Array, ascii: boolean) => Buffer.from(b).toString(ascii ? 'latin1' : 'utf8')
          expect(read(chunks, { decode })).toEqual({ values, failure: undefined })
        },
      ),
    )
  })

  test('the exact reader and the platform agree on all that both can read', () => {
    fc.assert(
      fc.property(sent, (value) => {
        expect(parseJson(JSON.stringify(value, null, 1))).toEqual(value)
      }),
    )
  })

  test.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['9223372036854775807', 9223372036854775807n],
    ['9223372036854775808', 2 ** 63],
    ['9007199254740993.0', 9007199254740993n],
    ['9007199254740993.25', 2 ** 53 + 2],
    ['1e18', 1000000000000000000n],
    ['12e-1', 1.2],
    ['1.50e1', 15],
    ['1e300', 1e300],
    ['1e-999', 0],
    ['0.1000000000000000055511151231257827', 0.1],
  ])('%s is exact', (text, value) => {
    expect(read([bytes(`[${text}]`)])).toEqual({ values: [[value]], failure: undefined })
    expect(parseJson(text)).toBe(value)
  })

  test('integers of 64 bits come back as they were', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (n) => {
        const wanted = Number.isSafeInteger(Number(n)) ? Number(n) : n
        expect(parseJson(formatJson({ n: [n] }))).toEqual({ n: [wanted] })
      }),
    )
  })

  test('__proto__ is a member like others', () => {
    for (const text of ['{"__proto__":{"a":1}}', '{"__proto__":{"a":1e0}}']) {
      const [value] = read([bytes(text)]).values
      expect(Object.keys(value as object)).toEqual(['__proto__'])
    }
  })
})

describe('what is no JSON', () => {
  test.each([
    ['x', 'line 1, column 0, byte 0: syntax error at beginning of input'],
    ['{"a":1}true', 'line 1, column 0, byte 0: syntax error at beginning of input'],
    ['{bad', "line 1, column 1, byte 1: invalid character 'b'"],
    ['["ü\u0001', 'line 1, column 3, byte 4: U+0001 must be escaped in quoted string'],
    ['{"a"\n:1,}', 'line 2, column 3, byte 8: syntax error parsing object expecting string'],
    ['{"a" 1}', "line 1, column 5, byte 5: syntax error parsing object expecting ':'"],
    ['{"a":1]', "line 1, column 6, byte 6: syntax error expecting '}' or ','"],
    ['[1 2]', "line 1, column 3, byte 3: syntax error expecting ']' or ','"],
    ['[1,]', 'line 1, column 3, byte 3: syntax error expecting value'],
    ['[tru]', "line 1, column 4, byte 4: invalid keyword 'tru'"],
    ['[01]', 'line 1, column 1, byte 1: leading zeros not allowed'],
    ['[-]', "line 1, column 1, byte 1: '-' must be followed by digit"],
    ['[1.]', 'line 1, column 2, byte 2: syntax error in number'],
    ['[1e999]', 'line 1, column 1, byte 1: number outside valid range'],
    ['["\\x"]', 'line 1, column 1, byte 1: malformed quoted string'],
    ['["a\\u0000"]', 'line 1, column 1, byte 1: null bytes not supported in quoted strings'],
    ['["\\ud800"]', 'line 1, column 1, byte 1: malformed escaped surrogate pair'],
  ])('%s', (text, failure) => {
    expect(read([bytes(text)]).failure).toBe(failure)
    expect(read([...bytes(text)].map((b) => Uint8Array.of(b))).failure).toBe(failure)
  })

  test('is refused once and for all, and what came before is handed out', () => {
    expect(read([bytes('[1][2]?'), bytes('[3]')]).values).toEqual([[1], [2]])
  })

  test('nesting ends at 1,000', () => {
    const nested = (n: number) => bytes('['.repeat(n) + ']'.repeat(n))
    expect(read([nested(1000)]).failure).toBeUndefined()
    expect(read([nested(1001)]).failure).toContain('input exceeds maximum nesting depth 1000')
    expect(() => parseJson('['.repeat(100_000))).toThrow(JsonError)
  })

  test('a value has a greatest length, and of an endless one no more than that is kept', () => {
    const stream = new JsonStream({ maxLength: 1000 })
    stream.push(bytes('["'), () => {})
    for (let i = 0; i < 100; i++) {
      stream.push(bytes('x'.repeat(100)), () => {})
      expect(stream.pending).toBeLessThanOrEqual(1000)
    }
    expect(stream.failure?.message).toContain('maximum length 1000')
  })

  test('space without end is nothing', () => {
    const stream = new JsonStream({ maxLength: 1000 })
    for (let i = 0; i < 100; i++) stream.push(bytes(' '.repeat(100)), () => {})
    expect([stream.pending, stream.failure]).toEqual([0, undefined])
  })

  test('any bytes: an error or values, never an exception, the same however they are cut', () => {
    const soup = fc
      .array(fc.constantFrom(...'{}[]:,"\\ue1.-0tn \u0001ü'), { maxLength: 40 })
      .map((c) => bytes(c.join('')))
    fc.assert(
      fc.property(fc.oneof(soup, fc.uint8Array({ maxLength: 40 })), (b) => {
        expect(read([...b].map((c) => Uint8Array.of(c)))).toEqual(read([b]))
      }),
      { numRuns: 2000 },
    )
  })
})
