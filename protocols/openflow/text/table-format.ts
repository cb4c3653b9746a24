/** Tables as ovs-ofctl dump-tables, dump-table-features and dump-table-desc print them: what repeats is said once. */

import { FIELDS, type FieldId } from '../../meta-flow.ts'
import type { TableActionFeatures, TableFeatures, TableInstructionFeatures } from '../table-features.ts'
import type { TableDesc } from '../table-mod.ts'
import type { TableStats } from '../table-stats.ts'
import type { OfVersion } from '../version.ts'
import { OF11, OF12, OF13 } from '../version.ts'
import { formatActionTypes } from './action-words.ts'
import { compressNames } from './name-list.ts'
import { formatBits } from './port-format.ts'

const INSTRUCTIONS = [
  ...['meter', 'apply_actions', 'clear_actions', 'write_actions', 'write_metadata', 'goto_table'],
]

const hex64 = (v: bigint): string => (v === 0n ? '0' : `0x${v.toString(16)}`)
const same = (a: unknown, b: unknown): boolean => text(a) === text(b)

function text(v: unknown): string {
  return JSON.stringify(v, (_, x: unknown) => (typeof x === 'bigint' ? `${x}n` : x)) ?? ''
}

/** `1-3,7`, or `none`. */
function ranges(numbers: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < numbers.length; ) {
    let end = i
    while (numbers[end + 1] === numbers[end] + 1) end++
    parts.push(end === i ? `${numbers[i]}` : `${numbers[i]}-${numbers[end]}`)
    i = end + 1
  }
  return parts.join(',')
}

function fieldNames(ids: readonly FieldId[]): string {
  return compressNames([...ids].sort((a, b) => a - b).map((id) => FIELDS[id].name))
}

function actionLines(title: string, a: TableActionFeatures): string[] {
  const lines = [`      ${title} features:`, `        actions: ${formatActionTypes(a.actions)}`]
  if (a.setFields.length > 0) lines.push(`        supported on Set-Field: ${fieldNames(a.setFields)}`)
  return lines
}

function instructionLines(
  title: string,
  f: TableInstructionFeatures,
  previous: TableInstructionFeatures | undefined,
): string[] {
  const lines = [`    instructions (${title}):`]
  if (f.next.length > 0 && !same(f.next.slice(1), previous?.next))
    lines.push(`      next tables: ${ranges(f.next)}`)
  const known = INSTRUCTIONS.filter((i) => f.instructions.some((x) => x === i))
  lines.push(`      instructions: ${known.join(' ')}`)
  const settable = f.write.setFields.length > 0
  if (settable && previous !== undefined && same([f.write, f.apply], [previous.write, previous.apply])) {
    return [...lines, '      (same actions)']
  }
  if (same(f.write, f.apply)) lines.push(...actionLines('Write-Actions and Apply-Actions', f.write))
  else lines.push(...actionLines('Write-Actions', f.write), ...actionLines('Apply-Actions', f.apply))
  return lines
}

function matchingLines(f: TableFeatures, previous: TableFeatures | undefined): string[] {
  const matching = ({ match, mask, wildcard }: TableFeatures): unknown => [match, mask, wildcard]
  if (previous !== undefined && same(matching(f), matching(previous))) return ['    (same matching)']
  const masked = new Set(f.mask)
  const wild = new Set(f.wildcard)
  const lines: string[] = []
  const add = (title: string, ids: readonly FieldId[]): void => {
    if (ids.length > 0) lines.push(`      ${title}: ${fieldNames(ids)}`)
  }
  add(
    'arbitrary mask',
    f.match.filter((id) => masked.has(id)),
  )
  add(
    'exact match or wildcard',
    f.match.filter((id) => !masked.has(id) && wild.has(id)),
  )
  add(
    'must exact match',
    f.match.filter((id) => !masked.has(id) && !wild.has(id)),
  )
  return lines.length === 0 ? [] : ['    matching:', ...lines]
}

function featureLines(f: TableFeatures, previous: TableFeatures | undefined, version: OfVersion): string[] {
  const lines: string[] = []
  if (f.metadataMatch !== 0n || f.metadataWrite !== 0n) {
    lines.push(`    metadata: match=${hex64(f.metadataMatch)} write=${hex64(f.metadataWrite)}`)
  }
  const supports = (what: string, on: boolean | undefined): void => {
    if (on !== undefined) lines.push(`    ${what}: ${on ? '' : 'not '}supported`)
  }
  supports('eviction', f.supportsEviction)
  supports('vacancy events', f.supportsVacancyEvents)
  if (version === OF11 || version === OF12) lines.push(`    config=${f.miss}`)
  lines.push(`    max_entries=${f.maxEntries}`)
  if (version >= OF11) {
    if (same(f.nonmiss, f.missRule)) {
      lines.push(...instructionLines('table miss and others', f.nonmiss, previous?.nonmiss))
    } else {
      lines.push(...instructionLines('other than table miss', f.nonmiss, previous?.nonmiss))
      lines.push(...instructionLines('table miss', f.missRule, previous?.missRule))
    }
  }
  return [...lines, ...matchingLines(f, previous)]
}

interface Row {
  table: number
  name: string
  lines: readonly string[]
  /** What must be alike for a table to be "ditto". */
  likeness: string
}

/** Tables with equal content are one entry and `tables 1...253: ditto`. */
function fold(rows: readonly Row[]): string {
  const out: string[] = []
  for (let i = 0; i < rows.length; ) {
    const { table, name, lines, likeness } = rows[i]
    out.push(`  table ${table}${name === '' ? '' : ` ("${name}")`}:`, ...lines, '')
    let next = i + 1
    while (next < rows.length && rows[next].likeness === likeness && rows[next].name === '') next++
    const dittos = next - i - 1
    if (dittos === 1) out.push(`  table ${rows[i + 1].table}: ditto`, '')
    else if (dittos > 1) out.push(`  tables ${rows[i + 1].table}...${rows[next - 1].table}: ditto`, '')
    i = next
  }
  if (out.at(-1) === '') out.pop()
  return out.join('\n')
}

/** A table's own number or the default name say nothing. */
function ownName(f: TableFeatures): string {
  return f.name === `table${f.table}` || f.name === String(f.table) ? '' : f.name
}

function likenessOf({ table, name, nonmiss, missRule, ...rest }: TableFeatures): string {
  // Tables that may go on to all later ones are alike.
  const relative = ({ next, ...r }: TableInstructionFeatures): unknown => [next.length > 0, next.at(-1), r]
  return text([rest, relative(nonmiss), relative(missRule)])
}

/** The lines behind the message's title. */
export function formatTableFeatures(list: readonly TableFeatures[], version: OfVersion): string {
  return fold(
    list.map((f, i) => ({
      table: f.table,
      name: ownName(f),
      lines: featureLines(f, list[i - 1], version),
      likeness: likenessOf(f),
    })),
  )
}

export function formatTableStats(list: readonly TableStats[], version: OfVersion): string {
  return fold(
    list.map((s, i) => {
      const counts = `    active=${s.activeCount}, lookup=${s.lookupCount}, matched=${s.matchedCount}`
      const before = list[i - 1]?.features
      const alike = before !== undefined && likenessOf(before) === likenessOf(s.features)
      const told = version < OF13
      const features = !told
        ? []
        : alike
          ? ['    (same features)']
          : featureLines(s.features, before, version)
      return {
        table: s.table,
        name: version < OF13 ? ownName(s.features) : '',
        lines: [counts, ...features],
        likeness: `${counts}${version < OF13 ? likenessOf(s.features) : ''}`,
      }
    }),
  )
}

const EVICTION = ['OTHER', 'IMPORTANCE', 'LIFETIME']

export function formatTableDesc(d: TableDesc): string {
  let s = `  table ${d.table === 0xff ? 'ALL' : d.table}:\n   eviction=${d.eviction === true ? 'on' : 'off'}`
  s += d.evictionFlags === undefined ? '' : ` eviction_flags=${formatBits(d.evictionFlags, EVICTION, '|')}`
  s += `\n   vacancy=${d.vacancyEvents === true ? 'on' : 'off'}`
  if (d.vacancyEvents === true) {
    s += ` vacancy_down=${d.vacancy.down}% vacancy_up=${d.vacancy.up}% vacancy=${d.vacancy.vacancy}%`
  }
  return s
}
