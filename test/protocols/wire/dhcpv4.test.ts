import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../protocols/random.ts'
import * as dhcp from '../../../protocols/wire/dhcpv4.ts'

const bytes = (max: number) => fc.uint8Array({ maxLength: max })
const nonNul = (max: number) =>
  fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: max }).map((a) => Uint8Array.from(a))
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const optionCode = fc.integer({ min: 1, max: 254 }).filter((c) => c !== dhcp.OPT_OVERLOAD)

const message = (maxOption: number, maxOptions: number): fc.Arbitrary<dhcp.Repr> =>
  fc.record({
    op: fc.constantFrom(1, 2),
    htype: fc.integer({ min: 0, max: 255 }),
    hops: fc.integer({ min: 0, max: 255 }),
    xid: u32,
    secs: fc.integer({ min: 0, max: 0xffff }),
    broadcast: fc.boolean(),
    ciaddr: u32,
    yiaddr: u32,
    siaddr: u32,
    giaddr: u32,
    chaddr: bytes(16),
    sname: fc.oneof(fc.constant(new Uint8Array(0)), nonNul(63)),
    file: fc.oneof(fc.constant(new Uint8Array(0)), nonNul(127)),
    options: fc
      .uniqueArray(fc.tuple(optionCode, bytes(maxOption)), { selector: ([c]) => c, maxLength: maxOptions })
      .map((list) => new Map(list)),
  })

const plain = (r: dhcp.Repr) => ({ ...r, options: [...r.options].sort(([a], [b]) => a - b) })

function sample(options: [number, Uint8Array][]): dhcp.Repr {
  const none = new Uint8Array(0)
  return {
    op: 2,
    htype: 1,
    hops: 0,
    xid: 1,
    secs: 0,
    broadcast: false,
    ciaddr: 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: 0,
    chaddr: Uint8Array.of(2, 0, 0, 0, 0, 1),
    sname: none,
    file: none,
    options: new Map(options),
  }
}

describe('DHCP message', () => {
  it('reads what it has written, whatever fits', () => {
    fc.assert(
      fc.property(message(600, 12), fc.integer({ min: 300, max: 1472 }), (r, max) => {
        const omitted: number[] = []
        const b = dhcp.emit(r, max, omitted)
        expect(b.length).toBeGreaterThanOrEqual(dhcp.MIN_LENGTH)
        expect(b.length).toBeLessThanOrEqual(max)
        const expected = { ...r, options: new Map(r.options) }
        for (const code of omitted) expected.options.delete(code)
        const got = dhcp.parse(b, 0, b.length)
        expect(got).toBeDefined()
        expect(plain(got!)).toEqual(plain(expected))
      }),
      { numRuns: 3000 },
    )
  })

  it('keeps the order of options, and omits none that fits without overload', () => {
    fc.assert(
      fc.property(message(20, 10), (r) => {
        const omitted: number[] = []
        const b = dhcp.emit(r, 548, omitted)
        const order = [...dhcp.parse(b, 0, b.length)!.options.keys()]
        const wanted = [...r.options.keys()].filter((c) => c !== 82)
        if (r.options.has(82)) wanted.push(82)
        expect(omitted).toEqual([])
        expect(order).toEqual(wanted)
      }),
    )
  })

  it('reads the same at any offset of a longer buffer', () => {
    fc.assert(
      fc.property(message(40, 6), fc.integer({ min: 0, max: 50 }), (r, o) => {
        const b = dhcp.emit(r)
        const around = new Uint8Array(b.length + o + 9).fill(0xee)
        around.set(b, o)
        expect(dhcp.parse(around, o, o + b.length)).toEqual(dhcp.parse(b, 0, b.length))
      }),
    )
  })

  it('has bytes of its own, also when read from a Buffer, whose slices share', () => {
    const b = Buffer.from(dhcp.emit(sample([[224, Uint8Array.of(1)]])))
    const got = dhcp.parse(b, 0, b.length)!
    b.fill(0xee)
    expect(got.options.get(224)).toEqual(Uint8Array.of(1))
    expect(got.chaddr).toEqual(Uint8Array.of(2, 0, 0, 0, 0, 1))
  })

  it('uses file and then sname when the options field is full (RFC 2132 §9.3)', () => {
    const r = sample([
      [53, Uint8Array.of(5)],
      [224, new Uint8Array(290).fill(7)],
      [225, new Uint8Array(100).fill(8)],
      [226, new Uint8Array(50).fill(9)],
    ])
    const omitted: number[] = []
    const b = dhcp.emit(r, 548, omitted)
    expect(omitted).toEqual([])
    expect(b[dhcp.FILE]).toBe(225)
    expect(b[dhcp.SNAME]).toBe(226)
    // The overload option says 3: both.
    const at = b.findIndex((v, i) => i >= 240 && v === 52 && b[i + 1] === 1)
    expect(b[at + 2]).toBe(3)
    expect(plain(dhcp.parse(b, 0, b.length)!)).toEqual(plain(r))
  })

  it('does not touch a file or sname field that is in use', () => {
    const r = { ...sample([[224, new Uint8Array(400)]]), file: Uint8Array.of(97), sname: Uint8Array.of(98) }
    const omitted: number[] = []
    const got = dhcp.parse(dhcp.emit(r, 548, omitted), 0, 548)!
    expect(omitted).toEqual([224])
    expect(got.file).toEqual(Uint8Array.of(97))
    expect(got.sname).toEqual(Uint8Array.of(98))
  })

  it('joins the pieces of an option over all fields in the order options, file, sname (RFC 3396 §5)', () => {
    const r = sample([[53, Uint8Array.of(1)]])
    const b = dhcp.emit(r)
    b.set([53, 1, 1, 52, 1, 3, 224, 2, 1, 2, 255], dhcp.OPTIONS)
    b.set([224, 1, 3, 255], dhcp.FILE)
    b.set([224, 1, 4, 255], dhcp.SNAME)
    expect([...dhcp.parse(b, 0, b.length)!.options.get(224)!]).toEqual([1, 2, 3, 4])
  })

  it('splits options longer than 255 bytes', () => {
    const data = Uint8Array.from({ length: 700 }, (_, i) => i)
    const b = dhcp.emit(sample([[224, data]]), 1472)
    expect([b[240], b[241], b[240 + 257], b[241 + 257]]).toEqual([224, 255, 224, 255])
    expect(dhcp.parse(b, 0, b.length)!.options.get(224)).toEqual(data)
  })

  it('puts the relay agent option last and never leaves it out for another (RFC 3046 §2.1)', () => {
    const agent = new Uint8Array(40).fill(1)
    const r = sample([
      [82, agent],
      [53, Uint8Array.of(2)],
      [224, new Uint8Array(800)],
    ])
    const omitted: number[] = []
    const b = dhcp.emit(r, 548, omitted)
    const got = dhcp.parse(b, 0, b.length)!
    expect(omitted).toEqual([224])
    expect([...got.options.keys()].at(-1)).toBe(82)
    expect(got.options.get(82)).toEqual(agent)
  })

  it('refuses what is short, without cookie, or has an option over the end', () => {
    const b = dhcp.emit(sample([[53, Uint8Array.of(1)]]))
    for (let n = 0; n < dhcp.OPTIONS; n++) expect(dhcp.parse(b, 0, n)).toBeUndefined()
    const wrong = b.slice()
    wrong[dhcp.COOKIE]++
    expect(dhcp.parse(wrong, 0, wrong.length)).toBeUndefined()
    const long = b.slice()
    long.set([224, 255], dhcp.OPTIONS)
    expect(dhcp.parse(long, 0, long.length)).toBeUndefined()
    const hlen = b.slice()
    hlen[dhcp.HLEN] = 17
    expect(dhcp.parse(hlen, 0, hlen.length)).toBeUndefined()
  })

  it('forgives a missing end option', () => {
    const b = dhcp.emit(sample([[53, Uint8Array.of(1)]])).slice(0, 243)
    expect(dhcp.parse(b, 0, b.length)!.options.get(53)).toEqual(Uint8Array.of(1))
  })

  it('never throws and stays inside on 200,000 mutated messages', () => {
    const random = seededRandom(7)
    const seeds = fc.sample(message(300, 10), { numRuns: 50, seed: 1 }).map((r) => dhcp.emit(r, 1200))
    let parsed = 0
    for (let i = 0; i < 200_000; i++) {
      const b = seeds[i % seeds.length].slice(0, i % 5 === 0 ? random() % 1300 : undefined)
      for (let k = random() % 12; k > 0 && b.length > 0; k--) b[random() % b.length] = random()
      const r = dhcp.parse(b, 0, b.length)
      if (r === undefined) continue
      parsed++
      let total = r.sname.length + r.file.length
      for (const data of r.options.values()) total += data.length
      if (total > b.length) throw new Error('more came out than went in')
    }
    expect(parsed).toBeGreaterThan(20_000)
  })

  it('takes time in proportion to its length for one option in thousands of pieces', () => {
    const b = new Uint8Array(65_000)
    b.set(dhcp.emit(sample([])).subarray(0, 240))
    for (let at = 240; at + 2 <= b.length; at += 2) b[at] = 224
    expect(dhcp.parse(b, 0, b.length)!.options.get(224)).toEqual(new Uint8Array(0))
  })
})
