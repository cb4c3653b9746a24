/** Rows of ports and interfaces, made and taken away, for commands about bridges and about ports. */

import { scalar } from '../../protocols/ovsdb/datum.ts'
import { type Port, removeReference, setOf } from './bridges.ts'
import type { Call } from './command.ts'
import type { DraftRow } from './draft.ts'

/** The switch is expected to make it. */
export function insertInterface(call: Call, name: string, type?: string): DraftRow {
  const row = call.draft.insert('Interface')
  row.set('name', scalar(name))
  if (type !== undefined) row.set('type', scalar(type))
  call.session.expected.push(row)
  return row
}

export function insertPort(call: Call, name: string, interfaces: readonly DraftRow[]): DraftRow {
  const row = call.draft.insert('Port')
  row.set('name', scalar(name))
  row.set('interfaces', setOf(interfaces))
  return row
}

/** With its interfaces. */
export function deletePort(call: Call, port: Port): void {
  removeReference(port.bridge.row, 'ports', port.row)
  for (const { row } of port.interfaces) call.draft.delete(row)
  call.draft.delete(port.row)
}
