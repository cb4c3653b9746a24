import Table from 'cli-table3'

/** One figure of a run. */
export interface Result {
  readonly bench: string
  readonly figure: string
  readonly value: number
  readonly unit: string
  /** What spoils or explains the figure. */
  readonly note?: string
}

/** Results as a table for people. */
export function formatResults(results: readonly Result[]): string {
  const table = new Table({
    head: ['bench', 'figure', 'value', 'unit', 'note'],
    style: { head: [], border: [] },
  })
  for (const r of results) {
    const digits = r.value >= 100 ? 0 : r.value >= 1 ? 2 : 4
    table.push([r.bench, r.figure, r.value.toFixed(digits), r.unit, r.note ?? ''])
  }
  return table.toString()
}
