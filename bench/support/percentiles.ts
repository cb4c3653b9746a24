export interface Percentiles {
  readonly p50: number
  readonly p99: number
}

/** @param sorted in ascending order; of none, both are NaN */
export function percentiles(sorted: ArrayLike<number>): Percentiles {
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}
