/**
 * The obvious twin of the shaper: fluid instead of packets. It says how much each class of a port may send in a
 * span of time in which all of `backlogged` always have something to send: guarantees first, then what is left of
 * the port by priority, within one priority in proportion to the guarantees, never above a class's ceiling.
 */
export interface FluidClass {
  readonly rate: number
  readonly ceil: number
  readonly priority: number
}

export function fluidShares(
  portRate: number,
  classes: readonly FluidClass[],
  backlogged: readonly number[],
): number[] {
  const share = classes.map((c, i) => (backlogged.includes(i) ? Math.min(c.rate, c.ceil) : 0))
  let left = portRate - share.reduce((a, b) => a + b, 0)
  const priorities = [...new Set(backlogged.map((i) => classes[i].priority))].sort((a, b) => a - b)
  for (const priority of priorities) {
    let open = backlogged.filter((i) => classes[i].priority === priority && share[i] < classes[i].ceil)
    while (left > 1e-9 && open.length > 0) {
      const weights = open.reduce((sum, i) => sum + weight(classes[i]), 0)
      const most = Math.min(...open.map((i) => (classes[i].ceil - share[i]) / weight(classes[i])))
      const step = Math.min(left / weights, most)
      for (const i of open) share[i] += step * weight(classes[i])
      left -= step * weights
      open = open.filter((i) => classes[i].ceil - share[i] > 1e-9)
    }
  }
  return share
}

/** What a class sends in a turn is a tenth of a second of its guarantee, within bounds. */
function weight({ rate }: FluidClass): number {
  return Math.min(200_000, Math.max(1514, rate * 100))
}
