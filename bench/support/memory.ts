/** Bytes that JavaScript has in use when what nobody needs is gone: objects, and the memory of typed arrays. */
export function bytesInUse(): number {
  const collect = (globalThis as { gc?: () => void }).gc
  if (collect === undefined) throw new Error('run with node --expose-gc')
  // The first finds what is gone, the second waits until its memory has been given back.
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
