/** The page of `monitor` on a terminal: which tables there are, and the one that is looked at. */

import { equalDatums } from '../../protocols/ovsdb/datum.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { RowChange } from '../../protocols/ovsdb/row.ts'
import { type Duration, type Instant, SECOND } from '../../protocols/time.ts'
import { type TableView, viewTable } from './table-view.ts'

/** What has changed is marked for so long. */
const FRESH: Duration = 3 * SECOND
const WIDEST_CELL = 40
const GAP = '  '

export interface Paint {
  bold(text: string): string
  dim(text: string): string
  inverse(text: string): string
}

export interface Tab {
  readonly database: string
  readonly table: string
}

export class Screen {
  readonly #snapshots = new Map<string, Snapshot>()
  /** When a cell, by its row and column, was changed. */
  readonly #changed = new Map<string, Instant>()
  #tab = 0
  #firstRow = 0
  #firstColumn = 0
  notice = ''

  /** Takes what a database has become. @param changes undefined: it is seen for the first time */
  update(snapshot: Snapshot, changes: readonly RowChange[] | undefined, now: Instant): void {
    this.#snapshots.set(snapshot.schema.name, snapshot)
    for (const [cell, at] of this.#changed) if (now - at >= FRESH) this.#changed.delete(cell)
    for (const { uuid, before, after } of changes ?? []) {
      for (const [column, datum] of Object.entries(after?.columns ?? {})) {
        const old = before?.columns[column]
        if (old === undefined || !equalDatums(old, datum)) this.#changed.set(`${uuid} ${column}`, now)
      }
    }
  }

  /** Tables with any row, by database. */
  get tabs(): Tab[] {
    return [...this.#snapshots].flatMap(([database, { tables }]) =>
      [...tables].flatMap(([table, { rows }]) => (rows.size === 0 ? [] : [{ database, table }])),
    )
  }

  nextTab(step: number): void {
    const n = Math.max(1, this.tabs.length)
    this.#tab = (((this.#tab + step) % n) + n) % n
    this.#firstRow = 0
    this.#firstColumn = 0
  }

  scroll(rows: number, columns: number): void {
    this.#firstRow = Math.max(0, this.#firstRow + rows)
    this.#firstColumn = Math.max(0, this.#firstColumn + columns)
  }

  /** Lines that fit; with `paint` they have colours, which take no room. */
  page(width: number, height: number, now: Instant, paint: Paint): string[] {
    const tabs = this.tabs
    const tab = tabs[Math.min(this.#tab, tabs.length - 1)]
    const foot = paint.dim(cut(`tab: next table  arrows: scroll  q: quit  ${this.notice}`, width))
    if (tab === undefined) return [this.notice === '' ? 'nothing there' : this.notice, foot]
    const head = this.#headLines(tabs, tab, width, paint)
    const room = Math.max(1, height - head.length - 3)
    const snapshot = this.#snapshots.get(tab.database)!
    const view = viewTable(snapshot, snapshot.tables.get(tab.table)!)
    this.#firstRow = Math.min(this.#firstRow, Math.max(0, view.rows.length - room))
    this.#firstColumn = Math.min(this.#firstColumn, Math.max(0, view.columns.length - 1))
    return [...head, '', ...this.#tableLines(view, width, room, now, paint), foot]
  }

  #headLines(tabs: readonly Tab[], current: Tab, width: number, paint: Paint): string[] {
    const lines: string[] = []
    let used = width
    for (const tab of tabs) {
      const { size } = this.#snapshots.get(tab.database)!.tables.get(tab.table)!.rows
      const name = this.#snapshots.size > 1 ? `${tab.database}.${tab.table}` : tab.table
      const text = ` ${name} ${size} `
      if (used + text.length > width) {
        lines.push('')
        used = 0
      }
      lines[lines.length - 1] += tab === current ? paint.inverse(text) : text
      used += text.length
    }
    return lines
  }

  #tableLines(view: TableView, width: number, room: number, now: Instant, paint: Paint): string[] {
    const rows = view.rows.slice(this.#firstRow, this.#firstRow + room)
    const shown: { readonly index: number; readonly width: number }[] = []
    let used = 0
    // The first column, which names the rows, always stays.
    for (const [index, { name }] of view.columns.entries()) {
      if (index > 0 && index <= this.#firstColumn) continue
      const widest = Math.max(name.length, ...rows.map(({ cells }) => cells[index].length))
      const cell = Math.min(widest, WIDEST_CELL, width - used)
      if (shown.length > 0 && used + cell > width) break
      shown.push({ index, width: cell })
      used += cell + GAP.length
    }
    const line = (cell: (index: number) => readonly [text: string, style: (text: string) => string]) =>
      shown
        .map(({ index, width: w }) => {
          const [text, style] = cell(index)
          return style(cut(text, w).padEnd(w))
        })
        .join(GAP)
        .trimEnd()
    const plain = (text: string) => text
    const isFresh = (uuid: string, index: number) =>
      now - (this.#changed.get(`${uuid} ${view.columns[index].name}`) ?? Number.NEGATIVE_INFINITY) < FRESH
    return [
      line((index) => [view.columns[index].name, paint.bold]),
      ...rows.map(({ uuid, cells }) =>
        line((index) => [cells[index], isFresh(uuid, index) ? paint.inverse : plain]),
      ),
    ]
  }
}

function cut(text: string, width: number): string {
  const line = text.replaceAll('\n', '⏎')
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`
}
