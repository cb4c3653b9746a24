/** Up to here copying word by word costs less than a call of memcpy. */
export const WORD_COPY = 256

/** Copies `length` bytes between indices that are multiples of 4, and what else stands in the last word. */
export function copyWords(
  source: Uint32Array,
  from: number,
  target: Uint32Array,
  to: number,
  length: number,
): void {
  const words = (length + 3) >>> 2
  const s = from >>> 2
  const t = to >>> 2
  for (let i = 0; i < words; i++) target[t + i] = source[s + i]
}
