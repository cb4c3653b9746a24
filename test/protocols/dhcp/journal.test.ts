import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  crc32,
  decodeJournal,
  encodeJournal,
  encodeRecord,
  HEADING,
} from '../../../protocols/dhcp/journal.ts'
import type { LeaseRecord } from '../../../protocols/dhcp/lease-record.ts'
import { seededRandom } from '../../../protocols/random.ts'

const record: fc.Arbitrary<LeaseRecord> = fc.record({
  address: fc.integer({ min: 0, max: 0xffff_ffff }),
  state: fc.constantFrom('bound', 'released', 'declined'),
  expires: fc.oneof(fc.double({ min: 0, max: 1e15, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY)),
  htype: fc.integer({ min: 0, max: 255 }),
  chaddr: fc.uint8Array({ maxLength: 16 }),
  clientId: fc.option(fc.uint8Array({ maxLength: 255 }), { nil: undefined }),
  hostname: fc.stringMatching(/^[ -~]{0,255}$/),
})

describe('lease journal', () => {
  it('reads what it has written', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (records) => {
        const b = encodeJournal(records)
        expect(decodeJournal(b)).toEqual({ records, length: b.length, torn: 0, damaged: 0 })
      }),
    )
  })

  it('torn at any byte, it holds exactly the whole records before', () => {
    const records = fc.sample(record, { numRuns: 6, seed: 3 })
    const b = encodeJournal(records)
    const ends = [HEADING.length]
    for (const r of records) ends.push(ends.at(-1)! + encodeRecord(r).length)
    for (let n = 0; n <= b.length; n++) {
      const whole = ends.filter((e) => e <= n).length - 1
      const got = decodeJournal(b.subarray(0, n))!
      expect(got.records, `cut at ${n}`).toEqual(records.slice(0, Math.max(0, whole)))
      expect(got.length + got.torn).toBe(n)
      expect(got.length).toBe(whole < 0 ? 0 : ends[whole])
    }
  })

  it('a tail of zeros or of old data is torn, not read', () => {
    const [a, c] = fc.sample(record, { numRuns: 2, seed: 5 })
    const b = encodeJournal([a])
    const zeros = new Uint8Array(b.length + 4096)
    zeros.set(b)
    expect(decodeJournal(zeros)).toMatchObject({ records: [a], length: b.length, torn: 4096 })
    const stale = encodeJournal([a, c])
    stale[stale.length - 1] ^= 1
    expect(decodeJournal(stale)).toMatchObject({ records: [a], length: b.length })
  })

  it('damage in the middle costs the records it hits and no others', () => {
    const records = fc.sample(record, { numRuns: 8, seed: 9 })
    const b = encodeJournal(records)
    const at = encodeJournal(records.slice(0, 3)).length
    b[at + 5] ^= 0x55
    const got = decodeJournal(b)!
    expect(got.records).toEqual([...records.slice(0, 3), ...records.slice(4)])
    expect(got.damaged).toBe(encodeRecord(records[3]).length)
    expect(got.torn).toBe(0)
  })

  it('is not taken for a journal when it begins with something else', () => {
    expect(decodeJournal(Uint8Array.of(1, 2, 3))).toBeUndefined()
    expect(decodeJournal(new Uint8Array(0))).toMatchObject({ records: [], length: 0 })
  })

  it('any damage: no throw, no invented record, bytes accounted for', () => {
    const random = seededRandom(3)
    const records = fc.sample(record, { numRuns: 10, seed: 2 })
    const known = new Set(records.map((r) => JSON.stringify(r)))
    const whole = encodeJournal(records)
    for (let i = 0; i < 5000; i++) {
      const b = whole.slice(0, random() % 4 ? undefined : random() % whole.length)
      for (let k = random() % 8; k > 0; k--) b[HEADING.length + (random() % (b.length + 1))] = random()
      const got = decodeJournal(b)
      if (got === undefined) continue
      expect(got.length + got.torn).toBe(b.length)
      for (const r of got.records) {
        if (!known.has(JSON.stringify(r))) throw new Error('a record that nobody wrote')
      }
    }
  })

  it('sums like CRC-32 of IEEE 802.3', () => {
    expect(
      crc32(
        Uint8Array.from('123456789', (c) => c.charCodeAt(0)),
        0,
        9,
      ),
    ).toBe(0xcbf4_3926)
  })
})
