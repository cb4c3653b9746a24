/** A message under construction: bytes in network order, growing as needed. */
export class ByteWriter {
  private bytes: Uint8Array
  /** Bytes written so far. */
  length = 0

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity)
  }

  private room(n: number): number {
    const at = this.length
    const need = at + n
    if (need > this.bytes.length) {
      const grown = new Uint8Array(Math.max(need, 2 * this.bytes.length))
      grown.set(this.bytes)
      this.bytes = grown
    }
    this.length = need
    return at
  }

  u8(v: number): this {
    const o = this.room(1)
    this.bytes[o] = v
    return this
  }

  u16(v: number): this {
    const o = this.room(2)
    this.bytes[o] = v >>> 8
    this.bytes[o + 1] = v
    return this
  }

  u32(v: number): this {
    const o = this.room(4)
    this.bytes[o] = v >>> 24
    this.bytes[o + 1] = v >>> 16
    this.bytes[o + 2] = v >>> 8
    this.bytes[o + 3] = v
    return this
  }

  u64(v: bigint): this {
    return this.u32(Number((v >> 32n) & 0xffff_ffffn)).u32(Number(v & 0xffff_ffffn))
  }

  raw(b: Uint8Array): this {
    const o = this.room(b.length)
    this.bytes.set(b, o)
    return this
  }

  zeros(n: number): this {
    const o = this.room(n)
    this.bytes.fill(0, o, o + n)
    return this
  }

  /** Zeros until what began at `start` is a multiple of 8 bytes long. */
  pad8(start: number): this {
    return this.zeros((8 - ((this.length - start) & 7)) & 7)
  }

  /** Overwrites 16 bits written earlier: a length known only now. */
  patch16(at: number, v: number): this {
    this.bytes[at] = v >>> 8
    this.bytes[at + 1] = v
    return this
  }

  /** Makes room for `b` before what stands at `at`. */
  insert(at: number, b: Uint8Array): this {
    const end = this.length
    this.room(b.length)
    this.bytes.copyWithin(at + b.length, at, end)
    this.bytes.set(b, at)
    return this
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }
}
