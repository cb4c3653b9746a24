/** Values of both switches by figure and round, and the results made of them. */
import type { Result } from '../support/result.ts'

interface Series {
  readonly figure: string
  readonly unit: string
  /** Small values are the better ones. */
  readonly cost: boolean
  /** By switch; one value a round. */
  readonly values: Map<string, number[]>
}

export class Figures {
  readonly #series = new Map<string, Series>()

  add(peer: string, figure: string, value: number, unit: string, cost = false): void {
    let series = this.#series.get(figure)
    if (series === undefined) {
      series = { figure, unit, cost, values: new Map() }
      this.#series.set(figure, series)
    }
    const values = series.values.get(peer)
    if (values === undefined) series.values.set(peer, [value])
    else values.push(value)
    console.error(`  ${figure}, ${peer}: ${value.toPrecision(4)} ${unit}`)
  }

  /** Medians, with the range, and the ratio of the first switch's to the other's. */
  results(first: string, other: string): Result[] {
    return [...this.#series.values()].flatMap(({ figure, unit, cost, values }) => {
      const theirs = values.get(other)
      return [...values].map(([peer, of]) => {
        const range = `min ${short(Math.min(...of))}, max ${short(Math.max(...of))}`
        const ratio =
          peer === first && theirs !== undefined
            ? `; ${(median(of) / median(theirs)).toFixed(2)}× ${other}${cost ? ' (less is better)' : ''}`
            : ''
        return { bench: peer, figure, value: median(of), unit, note: range + ratio }
      })
    })
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
