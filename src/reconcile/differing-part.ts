/**
 * The part in which two lists differ: before `start` both have the same, and so they have after their ends. To look
 * at it alone is cheap where lists are long and little has changed.
 */
export function differingPart<T>(
  a: readonly T[],
  b: readonly T[],
): { readonly start: number; readonly endA: number; readonly endB: number } {
  const shorter = Math.min(a.length, b.length)
  let start = 0
  while (start < shorter && a[start] === b[start]) start++
  let rest = 0
  while (rest < shorter - start && a[a.length - 1 - rest] === b[b.length - 1 - rest]) rest++
  return { start, endA: a.length - rest, endB: b.length - rest }
}
