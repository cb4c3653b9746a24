/** `show`: what there is at a glance, each row within those that refer to it. */

import { type Datum, datumText, equalDatums } from '../../protocols/ovsdb/datum.ts'
import type { Call, Needs, VsctlCommand } from './command.ts'
import type { Draft, DraftRow } from './draft.ts'

interface Shown {
  /** A row is headed by its table and this column; by its UUID where there is none. */
  readonly name?: string
  readonly columns: readonly string[]
}

const SHOWN: Readonly<Record<string, Shown>> = {
  Open_vSwitch: { columns: ['manager_options', 'bridges', 'ovs_version'] },
  Bridge: { name: 'name', columns: ['controller', 'fail_mode', 'datapath_type', 'ports'] },
  Port: { name: 'name', columns: ['tag', 'trunks', 'interfaces'] },
  Interface: { name: 'name', columns: ['type', 'options', 'error', 'bfd_status'] },
  Controller: { name: 'target', columns: ['is_connected'] },
  Manager: { name: 'target', columns: ['is_connected'] },
}

const NEEDS: Needs = Object.fromEntries(
  Object.entries(SHOWN).map(([table, { name, columns }]) => [
    table,
    name === undefined ? columns : [name, ...columns],
  ]),
)

function showRow(call: Call, row: DraftRow, level: number): void {
  const { table } = row
  const { name, columns } = SHOWN[table.name]
  const indent = ' '.repeat(4 * level)
  const heading =
    name === undefined ? row.uuid : `${table.name} ${datumText(row.get(name), table.columns.get(name)!.type)}`
  call.print(indent + heading)
  for (const column of columns) {
    const { type } = table.columns.get(column)!
    const datum = row.get(column)
    const target = type.key.refTable
    if (target !== undefined) {
      for (const each of rowsOf(call.draft, datum, target)) showRow(call, each, level + 1)
    } else if (!equalDatums(datum, call.draft.table(table.name).defaults[column])) {
      call.print(`${indent}    ${column}: ${datumText(datum, type)}`)
    }
  }
}

function rowsOf(draft: Draft, { keys }: Datum, table: string): DraftRow[] {
  return keys.flatMap((uuid) => draft.row(table, String(uuid)) ?? [])
}

export const SHOW_COMMAND: VsctlCommand = {
  name: 'show',
  usage: '',
  min: 0,
  max: 0,
  options: [],
  needs: () => NEEDS,
  run: (call) => {
    for (const row of call.draft.rows('Open_vSwitch')) showRow(call, row, 0)
  },
}
