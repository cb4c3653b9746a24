/**
 * For all tests: typed arrays of one kind are compared by their bytes, as `toEqual` by itself walks them as objects, a
 * hundred times as slowly. Where they differ it says so as ever. Floats it compares itself: 0 and -0 are not alike.
 */
import { expect } from 'vitest'

const KINDS = new Set<unknown>([
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Buffer,
])

const bytes = (array: ArrayBufferView) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)

expect.addEqualityTesters([
  (a: unknown, b: unknown): boolean | undefined => {
    if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b)) return undefined
    if (a.constructor !== b.constructor || !KINDS.has(a.constructor)) return undefined
    return bytes(a).equals(bytes(b))
  },
])
