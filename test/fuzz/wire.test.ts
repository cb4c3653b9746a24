import { expect, test } from 'vitest'
import { seededRandom } from '../../protocols/random.ts'
import * as dot1q from '../../protocols/wire/dot1q.ts'
import * as icmpv4 from '../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as tcp from '../../protocols/wire/tcp.ts'
import * as udp from '../../protocols/wire/udp.ts'
import { accepted, dissect } from './dissect.ts'
import { FRAME_MAX, FrameSource } from './frames.ts'

const FRAMES = 1_000_000
/** A 16-bit length can lead a careless parser 64 KiB past the frame; the poison reaches that far. */
const MARGIN = 65_536 + 64

/** Memory full of one byte value with a frame in it. */
class Arena {
  readonly b: Uint8Array
  #length = 0

  constructor(
    readonly poison: number,
    readonly o: number,
  ) {
    this.b = new Uint8Array(o + FRAME_MAX + MARGIN).fill(poison)
  }

  /** Takes a frame in, and restores the poison behind a shorter one than before. */
  set(from: Uint8Array, length: number): void {
    for (let i = 0; i < length; i++) this.b[this.o + i] = from[i]
    if (length < this.#length) this.b.fill(this.poison, this.o + length, this.o + this.#length)
    this.#length = length
  }

  /** Whether nothing outside of the frame was written to within `reach` bytes. */
  intact(reach: number): boolean {
    const end = this.o + this.#length
    for (let i = 1; i <= Math.min(reach, this.o); i++) if (this.b[this.o - i] !== this.poison) return false
    for (let i = 0; i < reach && end + i < this.b.length; i++)
      if (this.b[end + i] !== this.poison) return false
    return true
  }
}

const hex = (b: Uint8Array, length: number): string => Buffer.from(b.subarray(0, length)).toString('hex')

test('what the parsers make of a frame depends on its bytes alone, a million times', () => {
  const source = new FrameSource(seededRandom(0x5eed_0001))
  const frame = new Uint8Array(FRAME_MAX)
  // Apart also in alignment: a checksum must not care. Not poisoned with 0xff, the other zero of a checksum.
  const zeros = new Arena(0x00, 64)
  const other = new Arena(0xa5, 97)
  for (let i = 0; i < FRAMES; i++) {
    const length = source.next(frame, 0)
    zeros.set(frame, length)
    other.set(frame, length)
    let same = false
    let error: unknown
    try {
      same = dissect(zeros.b, zeros.o, zeros.o + length) === dissect(other.b, other.o, other.o + length)
    } catch (e) {
      error = e
    }
    if (!same) expect.fail(`frame ${i}: ${error ?? 'readings differ'}: ${hex(frame, length)}`)
  }
  // Every format was met in numbers, or the test would say nothing about it.
  for (const [format, count] of Object.entries(accepted)) expect(count, format).toBeGreaterThan(2000)
})

/** Applies every rewrite to a frame that has the layer, as routers and NAT do. */
function rewrite(b: Uint8Array, o: number, end: number, v: number): boolean {
  if (end - o < 14) return false
  const at = dot1q.skip(b, o + 12, end)
  const l3 = at + 2
  if (((b[at] << 8) | b[at + 1]) !== 0x0800 || !ipv4.check(b, l3, end) || !ipv4.verifyChecksum(b, l3))
    return false
  const src = ipv4.src(b, l3)
  const dst = ipv4.dst(b, l3)
  ipv4.rewriteTtl(b, l3, v & 255)
  ipv4.rewriteTos(b, l3, (v >>> 8) & 255)
  ipv4.rewriteSrc(b, l3, v)
  ipv4.rewriteDst(b, l3, (v * 3) >>> 0)
  const l4 = ipv4.payload(b, l3)
  const stop = ipv4.end(b, l3)
  if (ipv4.fragmentOffset(b, l3) !== 0) return true
  if (ipv4.protocol(b, l3) === ipv4.PROTO_TCP && tcp.check(b, l4, stop)) {
    tcp.adjustAddress(b, l4, src, v)
    tcp.adjustAddress(b, l4, dst, (v * 3) >>> 0)
    tcp.rewriteSrcPort(b, l4, v & 0xffff)
    tcp.rewriteDstPort(b, l4, v >>> 16)
    tcp.clampMss(b, l4, v & 0x3ff)
  }
  if (ipv4.protocol(b, l3) === ipv4.PROTO_UDP && udp.check(b, l4, stop)) {
    udp.adjustAddress(b, l4, src, v)
    udp.rewriteSrcPort(b, l4, v & 0xffff)
    udp.fillChecksum(b, l4, v & 0xffff)
  }
  if (ipv4.protocol(b, l3) === ipv4.PROTO_ICMP && icmpv4.check(b, l4, stop)) {
    icmpv4.rewriteIdentifier(b, l4, v & 0xffff)
    icmpv4.rewriteType(b, l4, v >>> 24)
  }
  return true
}

test('rewriting never writes outside of the frame and keeps the header checksum right', () => {
  const random = seededRandom(0x5eed_0002)
  const source = new FrameSource(random)
  const frame = new Uint8Array(FRAME_MAX)
  const arena = new Arena(0xa5, 64)
  let rewritten = 0
  for (let i = 0; i < 300_000; i++) {
    const length = source.next(frame, 0)
    arena.set(frame, length)
    const end = arena.o + length
    if (!rewrite(arena.b, arena.o, end, random())) continue
    rewritten++
    const l3 = dot1q.skip(arena.b, arena.o + 12, end) + 2
    if (!ipv4.verifyChecksum(arena.b, l3)) expect.fail(`frame ${i}: checksum broken: ${hex(frame, length)}`)
    if (!arena.intact(64)) expect.fail(`frame ${i}: written outside: ${hex(frame, length)}`)
  }
  expect(arena.intact(MARGIN)).toBe(true)
  expect(rewritten).toBeGreaterThan(20_000)
})

test('the same seed gives the same frames', () => {
  const a = new FrameSource(seededRandom(7))
  const b = new FrameSource(seededRandom(7))
  const one = new Uint8Array(FRAME_MAX)
  const other = new Uint8Array(FRAME_MAX)
  for (let i = 0; i < 1000; i++) {
    const length = a.next(one, 0)
    expect(b.next(other, 0)).toBe(length)
    expect(hex(other, length)).toBe(hex(one, length))
  }
})
