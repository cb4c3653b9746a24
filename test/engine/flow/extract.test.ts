import fc from 'fast-check'
import { expect, test } from 'vitest'
import { extract } from '../../../engine/flow/extract.ts'
import { PacketPool } from '../../../engine/memory/packet-pool.ts'
import {
  FLAG_BAD_L3,
  FLAG_BAD_L4,
  FLAG_FRAG,
  FLAG_IP_OPTIONS,
  FLAG_LATER,
  FLAG_OUTER_AD,
  KEY_ARP,
  KEY_BASE,
  KEY_MPLS,
  KEY_NSH,
  KEY_WORDS,
  keyLength,
  W_ARP_SHA,
  W_IN_PORT,
  W_L4,
  W_MPLS,
  W_ND_LL,
  W_NSH,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../../../protocols/flow-key.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { FRAME_MAX, FrameSource } from '../../fuzz/frames.ts'
import { ALL } from '../../protocols/wire/captured-frames.ts'
import { referenceKey } from '../../reference/flow-key.ts'
import { fromHex } from '../../support/frames.ts'

const pool = new PacketPool(1)

/** The key of a frame lying amid bytes of `poison`, as plain numbers, with l3 and l4 from the frame's start. */
function extractAmid(frame: Uint8Array, length: number, poison: number) {
  const h = pool.alloc()
  const off = pool.off[h]
  pool.u8.fill(poison, off - 64, off + FRAME_MAX + 64)
  pool.u8.set(frame.subarray(0, length), off)
  pool.len[h] = length
  const key = new Uint32Array(KEY_WORDS + 2).fill(0xdeadbeef)
  const words = extract(pool, h, 7, key, 1)
  const result = {
    words,
    key: key.slice(1, 1 + words),
    l3: pool.l3[h] === 0 ? 0 : pool.l3[h] - off,
    l4: pool.l4[h] === 0 ? 0 : pool.l4[h] - off,
    around: [key[0], key[KEY_WORDS + 1]],
  }
  pool.free(h)
  return result
}

function expectSameAsReference(frame: Uint8Array, length = frame.length): void {
  const got = extractAmid(frame, length, 0xaa)
  const reference = referenceKey(frame.slice(0, length), 7)
  if (reference === undefined) {
    expect(got.words).toBe(0)
    return
  }
  const { words, l3, l4 } = reference
  const known = keyLength(words[W_TYPE])
  const key = Uint32Array.from(words.slice(0, known))
  expect(got).toEqual({ words: known, key, l3, l4, around: [0xdeadbeef, 0xdeadbeef] })
  if (words.slice(known).some((w) => w !== 0))
    throw new Error('the reference knows more than there is room for')
}

const ETH = '020000000002 020000000001'
const IPV4 = '4500 001c 0001 0000 40 11 0000 0a000001 0a000002'

/** Words of the key of a frame given in hexadecimal. */
function keyOf(text: string): Uint32Array {
  const { key } = extractAmid(fromHex(text), fromHex(text).length, 0)
  const whole = new Uint32Array(KEY_WORDS)
  whole.set(key)
  return whole
}

test('UDP over IPv4 behind an 802.1ad and an 802.1Q tag', () => {
  const k = keyOf(`${ETH} 88a8 6064 8100 000a 0800 ${IPV4} 0035 d431 0008 0000`)
  expect(k[W_IN_PORT]).toBe(7)
  expect(k[W_VLAN]).toBe(0x7064_100a)
  expect(k[W_TYPE]).toBe(0x0800_0000 | FLAG_OUTER_AD)
  expect([k[W_NW_SRC], k[W_NW_DST], k[W_NW]]).toEqual([0x0a000001, 0x0a000002, 0x11_00_40_00])
  expect(k[W_TP]).toBe(0x0035_d431)
})

test('a third tag is payload', () => {
  const k = keyOf(`${ETH} 8100 0001 8100 0002 8100 0003 0800 ${IPV4} 0035 d431 0008 0000`)
  expect(k[W_VLAN]).toBe(0x1001_1002)
  expect(k[W_TYPE] >>> 16).toBe(0x8100)
  expect(k[W_NW]).toBe(0)
})

test('a frame cut short inside its tag has no key', () => {
  expect(extractAmid(fromHex(`${ETH} 8100 0001 08`), 17, 0).words).toBe(0)
})

test('TCP flags, ICMP identifier of queries only', () => {
  const tcp = keyOf(`${ETH} 0800 ${IPV4.replace('001c', '0028').replace('40 11', '40 06')}
    0050 c000 00000001 00000000 5112 ffff 0000 0000`)
  expect(tcp[W_L4]).toBe(0x0112_0000)
  const icmp = IPV4.replace('40 11', '40 01')
  expect(keyOf(`${ETH} 0800 ${icmp} 0800 0000 abcd 0001`)[W_L4]).toBe(0xabcd)
  expect(keyOf(`${ETH} 0800 ${icmp} 0304 0000 0000 05dc`)[W_L4]).toBe(0)
})

test('fragments, options and broken headers are told by flags', () => {
  const flags = (ip: string) => keyOf(`${ETH} 0800 ${ip} 0035 d431 0008 0000`)[W_TYPE] & 0xffff
  expect(flags(IPV4.replace('0000 40', '2000 40'))).toBe(FLAG_FRAG)
  expect(flags(IPV4.replace('0000 40', '0001 40'))).toBe(FLAG_FRAG | FLAG_LATER)
  expect(flags(IPV4.replace('4500', '5500'))).toBe(FLAG_BAD_L3)
  expect(flags(IPV4.replace('001c', '001d'))).toBe(FLAG_BAD_L3)
  expect(flags(IPV4.replace('001c', '001b'))).toBe(FLAG_BAD_L4)
  const options = `${IPV4.replace('4500 001c', '4600 0020')} 01010101`
  expect(flags(options)).toBe(FLAG_IP_OPTIONS)
})

test('what follows an IPv6 fragment header that is not of the first fragment is not read as headers', () => {
  const addresses = `${'00'.repeat(15)}01 ${'00'.repeat(15)}02`
  const k = keyOf(`${ETH} 86dd 60000000 0010 2c 40 ${addresses} 3c00 0008 00000001 06ffffffffffffff`)
  expect(k[W_NW] >>> 24).toBe(44)
  expect(k[W_TYPE] & 0xffff).toBe(FLAG_FRAG | FLAG_LATER)
  expect(k[W_TP]).toBe(0)
})

test('ARP and neighbour discovery fill words of their own', () => {
  const a = keyOf(`${ETH} 0806 0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002`)
  expect([a[W_NW], a[W_NW_SRC], a[W_NW_DST]]).toEqual([0x0200_0000, 0x0a000001, 0x0a000002])
  expect([...a.subarray(W_ARP_SHA, KEY_ARP)]).toEqual([0x02000000, 0x0001_0200, 0x00000002])
  const addresses = `${'00'.repeat(15)}01 ${'00'.repeat(15)}02`
  const target = `${'00'.repeat(15)}03`
  const n = keyOf(`${ETH} 86dd 60000000 0028 3a ff ${addresses} 8700 0000 00000000 ${target}
    0101 0a0b0c0d0e0f 0201 1a1b1c1d1e1f`)
  expect([...n.subarray(W_ND_LL, W_ND_LL + 3)]).toEqual([0x0a0b0c0d, 0x0e0f_1a1b, 0x1c1d1e1f])
})

test('IEEE 802.2 SNAP carries a type, other 802.3 frames have none', () => {
  expect(keyOf(`${ETH} 0010 aaaa03 000000 88b5 ${'00'.repeat(8)}`)[W_TYPE] >>> 16).toBe(0x88b5)
  expect(keyOf(`${ETH} 0010 424203 ${'00'.repeat(13)}`)[W_TYPE] >>> 16).toBe(0x05ff)
})

test('MPLS gives up to three entries of its stack, NSH its header', () => {
  const mpls = keyOf(`${ETH} 8847 00010240 00020041 ffffffff`)
  expect([...mpls.subarray(W_MPLS, KEY_MPLS)]).toEqual([0x00010240, 0x00020041, 0xffffffff])
  const bottom = keyOf(`${ETH} 8848 00010240 00020141 ffffffff 45000000`)
  expect([...bottom.subarray(W_MPLS, KEY_MPLS)]).toEqual([0x00010240, 0x00020141, 0])
  const context = '00000001 00000002 00000003 00000004'
  const nsh = keyOf(`${ETH} 894f 2fc6 01 03 000123ff ${context} 00`)
  expect([...nsh.subarray(W_NSH, KEY_NSH)]).toEqual([0x023f0103, 0x000123ff, 1, 2, 3, 4])
  const type2 = keyOf(`${ETH} 894f 0fc2 02 01 00000102 ffffffff`)
  expect([...type2.subarray(W_NSH, KEY_NSH)]).toEqual([0x003f0201, 0x00000102, 0, 0, 0, 0])
  for (const bad of [
    `4fc6 01 03 000123ff ${context}`,
    `0fc5 01 03 000123ff ${context}`,
    '0fc6 01 03 000123ff',
  ]) {
    const key = keyOf(`${ETH} 894f ${bad}`)
    expect([key[W_TYPE], ...key.subarray(W_NSH, KEY_NSH)]).toEqual([
      (0x894f_0000 | FLAG_BAD_L3) >>> 0,
      0,
      0,
      0,
      0,
      0,
      0,
    ])
  }
})

test('keys of different length differ in their common words', () => {
  expect(keyLength(0x0800_0000)).toBe(KEY_BASE)
  expect(keyLength(0x0806_0000)).toBe(KEY_ARP)
  expect(keyLength(0x86dd_ffff)).toBe(KEY_WORDS)
  expect(keyLength(0x8847_0000)).toBe(KEY_MPLS)
  expect(keyLength(0x8848_0000)).toBe(KEY_MPLS)
  expect(keyLength(0x894f_0000)).toBe(KEY_NSH)
})

test('a real frame cut off at any byte is read as the reference reads it, and never past its end', () => {
  for (const frame of ALL) {
    for (let length = 0; length <= frame.length; length++) {
      expectSameAsReference(frame, length)
      expect(extractAmid(frame, length, 0x00)).toEqual(extractAmid(frame, length, 0xff))
    }
  }
})

test('100,000 damaged frames are read as the reference reads them', () => {
  const source = new FrameSource(seededRandom(1))
  const frame = new Uint8Array(FRAME_MAX)
  for (let i = 0; i < 100_000; i++) expectSameAsReference(frame, source.next(frame, 0))
})

test('random bytes behind a random type', () => {
  const type = fc.constantFrom(
    '0800',
    '0806',
    '86dd',
    '8100',
    '88a8',
    '0010',
    '81000001 0800',
    '810000018100',
    '8847',
    '8848',
    '894f0fc601',
    '894f0fc202',
  )
  fc.assert(
    fc.property(type, fc.uint8Array({ maxLength: 120 }), (t, rest) => {
      expectSameAsReference(Uint8Array.from([...fromHex(ETH + t), ...rest]))
    }),
    { numRuns: 2000 },
  )
})
