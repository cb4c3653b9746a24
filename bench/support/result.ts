import Table from 'cli-table3'

/** Where a figure lies on a curve. */
export interface Point {
  /** What the curves of all switches that have it show. */
  readonly curve: string
  readonly x: number
  /** What `x` counts. */
  readonly axis: string
}

/** One figure of a run: the median of its rounds. */
export interface Result {
  readonly bench: string
  readonly figure: string
  /** Whose it is, where several are measured. */
  readonly peer?: string
  readonly value: number
  readonly min?: number
  readonly max?: number
  readonly unit: string
  /** Small values are the better ones. */
  readonly cost?: boolean
  /** By peer: this value over that one's, the median of the rounds' ratios. */
  readonly ratios?: Readonly<Record<string, number>>
  readonly point?: Point
  /** What spoils or explains the figure. */
  readonly note?: string
}

/** Says that a switch, or a whole bench, could not be measured, and why. */
export function leftOut(peer: string, note: string): Result {
  return { bench: 'left out', figure: '–', peer, value: Number.NaN, unit: '', note }
}

/** Results as a table for people. */
export function formatResults(results: readonly Result[]): string {
  const table = new Table({
    head: ['bench', 'figure', 'switch', 'median', 'min – max', 'unit', 'ratio'],
    style: { head: [], border: [] },
  })
  for (const r of results) {
    const range = r.min === undefined || r.max === undefined ? '' : `${short(r.min)} – ${short(r.max)}`
    const ratios = Object.entries(r.ratios ?? {}).map(([peer, ratio]) => `${ratio.toFixed(2)}× ${peer}`)
    const notes = [...ratios, ...(r.note === undefined ? [] : [r.note])]
    table.push([r.bench, r.figure, r.peer ?? '', short(r.value), range, r.unit, notes.join('\n')])
  }
  return table.toString()
}

/** Three digits that count. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
