/**
 * The flow key of a frame, read the slow way: every header is cut out of the frame, so that what is not there
 * cannot be read, and every field is put where flow-key.ts documents it.
 */
import {
  FLAG_BAD_L3,
  FLAG_BAD_L4,
  FLAG_FRAG,
  FLAG_INNER_AD,
  FLAG_IP_OPTIONS,
  FLAG_LATER,
  FLAG_OUTER_AD,
  KEY_WORDS,
} from '../../protocols/flow-key.ts'

class Reader {
  readonly #b: Uint8Array
  constructor(b: Uint8Array) {
    this.#b = b
  }
  get left(): number {
    return this.#b.length
  }
  /** `length` bytes at `at` as a number; there must be so many. */
  at(at: number, length: number): number {
    if (at + length > this.#b.length) throw new RangeError('the reference reads past the end')
    let v = 0
    for (let i = 0; i < length; i++) v = v * 256 + this.#b[at + i]
    return v
  }
  from(at: number, length = this.left - at): Reader {
    return new Reader(this.#b.slice(at, at + length))
  }
}

export interface RefKey {
  readonly words: number[]
  /** Offsets from the start of the frame; 0 for none. */
  l3: number
  l4: number
}

/** The key, or undefined for a frame too short to have one. */
export function referenceKey(frame: Uint8Array, inPort: number): RefKey | undefined {
  const r = new Reader(frame)
  if (r.left < 14) return undefined
  const key: RefKey = { words: new Array(KEY_WORDS).fill(0), l3: 0, l4: 0 }
  const w = key.words
  w[0] = inPort
  w[2] = r.at(0, 4)
  w[3] = r.at(4, 4)
  w[4] = r.at(8, 4)
  let at = 12
  let flags = 0
  const isTpid = (t: number) => t === 0x8100 || t === 0x88a8
  if (isTpid(r.at(at, 2))) {
    if (r.left < at + 6) return undefined
    if (r.at(at, 2) === 0x88a8) flags += FLAG_OUTER_AD
    w[5] += withPresent(r.at(at + 2, 2)) * 65536
    at += 4
    if (isTpid(r.at(at, 2)) && r.left >= at + 6) {
      if (r.at(at, 2) === 0x88a8) flags += FLAG_INNER_AD
      w[5] += withPresent(r.at(at + 2, 2))
      at += 4
    }
  }
  let type = r.at(at, 2)
  const body = r.from(at + 2)
  if (type < 0x600) {
    const snap = body.left >= 8 && body.at(0, 3) === 0xaaaa03 && body.at(3, 3) === 0 ? body.at(6, 2) : 0
    type = snap >= 0x600 ? snap : 0x05ff
  }
  if (type === 0x0800 || type === 0x0806 || type === 0x86dd) key.l3 = at + 2
  if (type === 0x0800) flags += ipv4(body, key)
  if (type === 0x0806) flags += arp(body, key)
  if (type === 0x86dd) flags += ipv6(body, key)
  if (type === 0x8847 || type === 0x8848) mpls(body, key)
  if (type === 0x894f) flags += nsh(body, key)
  w[6] = type * 65536 + flags
  return key
}

function withPresent(tci: number): number {
  return (tci & 0x1000) === 0 ? tci + 0x1000 : tci
}

function ipv4(r: Reader, key: RefKey): number {
  if (r.left < 20 || r.at(0, 1) >> 4 !== 4) return FLAG_BAD_L3
  const header = (r.at(0, 1) & 15) * 4
  const total = r.at(2, 2)
  if (header < 20 || total < header || total > r.left) return FLAG_BAD_L3
  const proto = r.at(9, 1)
  key.words[7] = r.at(12, 4)
  key.words[8] = r.at(16, 4)
  key.words[9] = proto * 2 ** 24 + r.at(1, 1) * 65536 + r.at(8, 1) * 256
  let flags = header > 20 ? FLAG_IP_OPTIONS : 0
  const offset = r.at(6, 2) % 0x2000
  const more = Math.floor(r.at(6, 2) / 0x2000) % 2 === 1
  if (more || offset > 0) flags += FLAG_FRAG
  if (offset > 0) return flags + FLAG_LATER
  return flags + transport(r.from(header, total - header), proto, key, key.l3 + header)
}

function transport(r: Reader, proto: number, key: RefKey, at: number): number {
  const shortest = new Map([
    [6, 20],
    [17, 8],
    [136, 8],
    [132, 12],
    [1, 8],
  ]).get(proto)
  if (shortest !== undefined && r.left < shortest) return FLAG_BAD_L4
  if (proto === 6) {
    const header = (r.at(12, 1) >> 4) * 4
    if (header < 20 || header > r.left) return FLAG_BAD_L4
    key.words[11] = (r.at(12, 2) % 0x1000) * 65536
  }
  key.l4 = at
  if (proto === 1) {
    const type = r.at(0, 1)
    key.words[10] = type * 65536 + r.at(1, 1)
    if ([0, 8, 13, 14, 15, 16, 17, 18].includes(type)) key.words[11] = r.at(4, 2)
  } else if (shortest !== undefined) key.words[10] = r.at(0, 4)
  return 0
}

function arp(r: Reader, key: RefKey): number {
  if (r.left < 28 || r.at(0, 6) !== 0x000108000604) return FLAG_BAD_L3
  const op = r.at(6, 2)
  key.words[7] = r.at(14, 4)
  key.words[8] = r.at(24, 4)
  key.words[9] = op > 255 ? 0 : op * 2 ** 24
  key.words[12] = r.at(8, 4)
  key.words[13] = r.at(12, 2) * 65536 + r.at(18, 2)
  key.words[14] = r.at(20, 4)
  return 0
}

function mpls(r: Reader, key: RefKey): void {
  for (let i = 0; i < 3 && r.left >= 4 * i + 4; i++) {
    key.words[12 + i] = r.at(4 * i, 4)
    if (r.at(4 * i + 2, 1) % 2 === 1) return
  }
}

function nsh(r: Reader, key: RefKey): number {
  if (r.left < 8) return FLAG_BAD_L3
  const bits = r.at(0, 2).toString(2).padStart(16, '0')
  const [version, flags, ttl, words] = [
    [0, 2],
    [2, 4],
    [4, 10],
    [10, 16],
  ].map(([from, to]) => Number.parseInt(bits.slice(from, to), 2))
  const type = r.at(2, 1) % 16
  if (version !== 0 || words < 2 || words * 4 > r.left || (type === 1 && words !== 6)) return FLAG_BAD_L3
  key.words[12] = flags * 2 ** 24 + ttl * 65536 + type * 256 + r.at(3, 1)
  key.words[13] = r.at(4, 4)
  if (type === 1) for (let i = 0; i < 4; i++) key.words[14 + i] = r.at(8 + 4 * i, 4)
  return 0
}

function ipv6(r: Reader, key: RefKey): number {
  if (r.left < 40 || r.at(0, 1) >> 4 !== 6 || r.at(4, 2) > r.left - 40) return FLAG_BAD_L3
  for (let i = 0; i < 8; i++) key.words[12 + i] = r.at(8 + 4 * i, 4)
  key.words[27] = r.at(0, 4) % 0x100000
  const payload = r.from(40, r.at(4, 2))
  let proto = r.at(6, 1)
  let at = 0
  let flags = 0
  let done = false
  for (let n = 0; n < 8 && !done && [0, 43, 44, 51, 60].includes(proto); n++) {
    if (payload.left - at < 8) {
      flags += FLAG_BAD_L4
      done = true
    } else if (proto === 44) {
      const word = payload.at(at + 2, 2)
      const offset = word >> 3
      if (offset > 0 || word % 2 === 1) flags |= FLAG_FRAG
      if (offset > 0) {
        flags |= FLAG_LATER
        done = true
      } else {
        proto = payload.at(at, 1)
        at += 8
      }
    } else {
      const length = payload.at(at + 1, 1)
      const next = payload.at(at, 1)
      at += proto === 51 ? (length + 2) * 4 : (length + 1) * 8
      proto = next
    }
  }
  const traffic = Math.floor(r.at(0, 2) / 16) % 256
  key.words[9] = proto * 2 ** 24 + traffic * 65536 + r.at(7, 1) * 256
  if (done) return flags
  if (at > payload.left) return flags + FLAG_BAD_L4
  const rest = payload.from(at)
  const l4 = key.l3 + 40 + at
  return flags + (proto === 58 ? icmpv6(rest, key, l4) : transport(rest, proto, key, l4))
}

function icmpv6(r: Reader, key: RefKey, at: number): number {
  if (r.left < 8) return FLAG_BAD_L4
  key.l4 = at
  const type = r.at(0, 1)
  key.words[10] = type * 65536 + r.at(1, 1)
  if (type === 128 || type === 129) key.words[11] = r.at(4, 2)
  if ((type !== 135 && type !== 136) || r.left < 24) return 0
  for (let i = 0; i < 4; i++) key.words[20 + i] = r.at(8 + 4 * i, 4)
  let options = r.from(24)
  const ll = [0, 0]
  while (options.left >= 8) {
    const length = options.at(1, 1) * 8
    if (length === 0 || length > options.left) break
    if (options.at(0, 1) === 1) ll[0] = options.at(2, 6)
    if (options.at(0, 1) === 2) ll[1] = options.at(2, 6)
    options = options.from(length)
  }
  const [sll, tll] = ll
  key.words[24] = Math.floor(sll / 65536)
  key.words[25] = (sll % 65536) * 65536 + Math.floor(tll / 2 ** 32)
  key.words[26] = tll % 2 ** 32
  return 0
}
