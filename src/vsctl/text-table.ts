/** Tables as the database tools of Open vSwitch print them: `--format`, `--data`, `--no-headings`, `--pretty`. */

import type { ColumnType } from '../../protocols/ovsdb/column-type.ts'
import { type Datum, datumText } from '../../protocols/ovsdb/datum.ts'
import { datumToJson } from '../../protocols/ovsdb/datum-json.ts'
import { formatJson, type Json } from '../../protocols/ovsdb/json-text.ts'
import { canonicalText } from '../../protocols/ovsdb/json-value.ts'

export interface TextTable {
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[]
  readonly rows: readonly (readonly Datum[])[]
}

export const TABLE_FORMATS = ['table', 'list', 'html', 'csv', 'json'] as const
export const CELL_FORMATS = ['string', 'bare', 'json'] as const

export interface TableStyle {
  format: (typeof TABLE_FORMATS)[number]
  cells: (typeof CELL_FORMATS)[number]
  headings: boolean
  pretty: boolean
  /** Characters; 0: no limit. */
  maxColumnWidth: number
}

export function formatTable(table: TextTable, style: TableStyle): string {
  switch (style.format) {
    case 'table':
      return formatColumns(table, style)
    case 'list':
      return formatList(table, style)
    case 'html':
      return formatHtml(table, style)
    case 'csv':
      return formatCsv(table, style)
    case 'json':
      return formatAsJson(table, style)
  }
}

function cellText(datum: Datum, type: ColumnType, { cells }: TableStyle): string {
  if (cells === 'string') return datumText(datum, type)
  if (cells === 'json') return canonicalText(datumToJson(datum, type))
  return datum.keys
    .map((key, i) => (datum.values === undefined ? key : `${key}=${datum.values[i]}`))
    .join(' ')
}

function texts(table: TextTable, style: TableStyle): string[][] {
  return table.rows.map((row) => row.map((datum, x) => cellText(datum, table.columns[x].type, style)))
}

function formatList(table: TextTable, style: TableStyle): string {
  const line = (text: string, x: number) =>
    style.headings ? `${table.columns[x].name.padEnd(20)}: ${text}\n` : `${text}\n`
  return texts(table, style)
    .map((row) => row.map(line).join(''))
    .join('\n')
}

function formatColumns(table: TextTable, style: TableStyle): string {
  const rows = texts(table, style)
  const widths = table.columns.map(({ name }, x) => {
    const widest = Math.max(0, ...rows.map((row) => row[x].length))
    const limited = style.maxColumnWidth > 0 ? Math.min(widest, style.maxColumnWidth) : widest
    return style.headings ? Math.max(limited, name.length) : limited
  })
  const line = (cells: readonly string[]) =>
    `${cells
      .map((cell, x) => cell.slice(0, widths[x]).padEnd(widths[x]))
      .join(' ')
      .trimEnd()}\n`
  const heading = style.headings
    ? line(table.columns.map(({ name }) => name)) + line(widths.map((width) => '-'.repeat(width)))
    : ''
  return heading + rows.map(line).join('')
}

function formatCsv(table: TextTable, style: TableStyle): string {
  const cell = (text: string) => (/[\n",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const line = (cells: readonly string[]) => `${cells.map(cell).join(',')}\n`
  const heading = style.headings ? line(table.columns.map(({ name }) => name)) : ''
  return heading + texts(table, style).map(line).join('')
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const UUID = /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/

function formatHtml(table: TextTable, style: TableStyle): string {
  const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => ENTITIES[c])
  const linked = (text: string) =>
    text
      .split(UUID)
      .map((part, i) => (i % 2 === 0 ? escaped(part) : `<a href="#${part}">${part.slice(0, 8)}</a>`))
      .join('')
  const cell = (element: string, text: string) => `    <${element}>${linked(text)}</${element}>\n`
  const row = (cells: readonly string[]) => `  <tr>\n${cells.join('')}  </tr>\n`
  const body = texts(table, style).map((cells) =>
    row(
      cells.map((text, x) =>
        table.columns[x].name === '_uuid'
          ? `    <td><a name="${escaped(text)}">${escaped(text.slice(0, 8))}</a></td>\n`
          : cell('td', text),
      ),
    ),
  )
  const heading = style.headings ? row(table.columns.map(({ name }) => cell('th', name))) : ''
  return `<table border=1>\n${heading}${body.join('')}</table>\n`
}

function formatAsJson(table: TextTable, { pretty }: TableStyle): string {
  const headings = table.columns.map(({ name }) => name)
  const data: Json = table.rows.map((row) => row.map((datum, x) => datumToJson(datum, table.columns[x].type)))
  const json: Json = { data, headings }
  return `${pretty ? JSON.stringify(json, null, 2) : formatJson(json)}\n`
}
