import { type Result, short } from '../support/result.ts'

/** Collects a curve of figures of this switch in memory. */
export class Curve {
  readonly results: Result[] = []
  readonly #axis: string

  /** @param axis what is counted along it */
  constructor(axis: string) {
    this.#axis = axis
  }

  add(curve: string, x: number, value: number, unit: string, cost = false): void {
    const figure = `${curve}, ${x.toLocaleString('en')} ${this.#axis}`
    console.error(`  ${figure}: ${short(value)} ${unit}`)
    this.results.push({ bench: 'growth', figure, value, unit, cost, point: { curve, x, axis: this.#axis } })
  }
}

/** 1, 10, 100 … */
export function decades(from: number, to: number): number[] {
  return from > to ? [] : [from, ...decades(from * 10, to)]
}
