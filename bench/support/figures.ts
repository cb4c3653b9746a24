/** Values by figure, switch and round, and what is made of them: medians, ranges, and ratios round by round. */
import type { Point, Result } from './result.ts'

interface Series {
  readonly bench: string
  readonly figure: string
  readonly unit: string
  /** Small values are the better ones. */
  readonly cost: boolean
  readonly point: Point | undefined
  /** By switch; one value a round. */
  readonly values: Map<string, number[]>
}

export class Figures {
  readonly #bench: string
  readonly #series = new Map<string, Series>()

  constructor(bench: string) {
    this.#bench = bench
  }

  /** Adds the value of one round. @param cost small values are the better ones */
  add(peer: string, figure: string, value: number, unit: string, cost = false, point?: Point): void {
    let series = this.#series.get(figure)
    if (series === undefined) {
      series = { bench: this.#bench, figure, unit, cost, point, values: new Map() }
      this.#series.set(figure, series)
    }
    const values = series.values.get(peer)
    if (values === undefined) series.values.set(peer, [value])
    else values.push(value)
    console.error(`  ${figure}, ${peer}: ${value.toPrecision(4)} ${unit}`)
  }

  /**
   * A result for each figure and switch.
   * @param ours which switches are set against every other that has the figure
   */
  results(ours: readonly string[]): Result[] {
    return [...this.#series.values()].flatMap((series) =>
      [...series.values].map(([peer, values]) => ({
        bench: series.bench,
        figure: series.figure,
        peer,
        value: median(values),
        min: Math.min(...values),
        max: Math.max(...values),
        unit: series.unit,
        cost: series.cost,
        ...(series.point === undefined ? {} : { point: series.point }),
        ratios: ours.includes(peer) ? ratiosOf(series, peer, ours) : {},
      })),
    )
  }
}

/** Of each round by itself, then their median: what swings with the machine swings in both. */
function ratiosOf({ values }: Series, peer: string, ours: readonly string[]): Record<string, number> {
  const mine = values.get(peer)!
  const ratios: Record<string, number> = {}
  for (const [other, theirs] of values) {
    if (ours.includes(other) || theirs.every((value) => value === 0)) continue
    const rounds = Math.min(mine.length, theirs.length)
    ratios[other] = median(Array.from({ length: rounds }, (_, i) => mine[i]! / theirs[i]!))
  }
  return ratios
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
