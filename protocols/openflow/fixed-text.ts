/** Text in fields of fixed size, ended by a zero byte: names of ports and tables, descriptions. */

import { decodeUtf8, encodeUtf8 } from '../wire/utf8.ts'
import type { ByteWriter } from './byte-writer.ts'

/** Up to the first zero byte of the `size` bytes at `o`. */
export function fixedText(b: Uint8Array, o: number, size: number): string {
  let end = o
  while (end < o + size && b[end] !== 0) end++
  return decodeUtf8(b.subarray(o, end))
}

/** At most `size - 1` bytes and zeros to fill up. */
export function putFixedText(w: ByteWriter, text: string, size: number): void {
  const bytes = encodeUtf8(text).subarray(0, size - 1)
  w.raw(bytes).zeros(size - bytes.length)
}
