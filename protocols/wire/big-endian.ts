/**
 * Reads and writes of unsigned integers in network byte order. None of them checks bounds: the caller's
 * format has one length check, after which they cannot fail.
 */

export function u16(b: Uint8Array, o: number): number {
  return (b[o] << 8) | b[o + 1]
}

export function u24(b: Uint8Array, o: number): number {
  return (b[o] << 16) | (b[o + 1] << 8) | b[o + 2]
}

export function u32(b: Uint8Array, o: number): number {
  return ((b[o] << 24) | (b[o + 1] << 16) | (b[o + 2] << 8) | b[o + 3]) >>> 0
}

/** 48 bits, a safe integer. */
export function u48(b: Uint8Array, o: number): number {
  return u16(b, o) * 0x1_0000_0000 + u32(b, o + 2)
}

export function put16(b: Uint8Array, o: number, v: number): void {
  b[o] = v >>> 8
  b[o + 1] = v
}

export function put24(b: Uint8Array, o: number, v: number): void {
  b[o] = v >>> 16
  b[o + 1] = v >>> 8
  b[o + 2] = v
}

export function put32(b: Uint8Array, o: number, v: number): void {
  b[o] = v >>> 24
  b[o + 1] = v >>> 16
  b[o + 2] = v >>> 8
  b[o + 3] = v
}

export function put48(b: Uint8Array, o: number, v: number): void {
  put16(b, o, Math.floor(v / 0x1_0000_0000))
  put32(b, o + 2, v >>> 0)
}
