import { TABLE_INTERNAL } from '../../engine/ofproto/table-numbers.ts'
import { parseSubfield } from '../../protocols/openflow/text/subfield-text.ts'
import type { FlowTableSettings } from '../config/network.ts'
import type { DatabaseReader, RowReader } from './row-reader.ts'

/** The Flow_Table rows of a bridge, by number. They have no status of their own: what is wrong is the bridge's. */
export function flowTablesOf(ovs: DatabaseReader, bridge: RowReader): FlowTableSettings[] {
  return bridge
    .entries('flow_tables')
    .flatMap(([number, uuid]): FlowTableSettings[] => {
      const row = ovs.get('Flow_Table', uuid as string)
      if (row === undefined) return []
      const table = Number(number)
      if (table >= TABLE_INTERNAL) {
        bridge.problem(`flow_tables: there is no table ${table} to set`)
        return []
      }
      return [
        {
          table,
          name: row.text('name'),
          flowLimit: row.optionalNumber('flow_limit'),
          evicts: row.text('overflow_policy') === 'evict',
          groups: row.texts('groups').filter((text) => {
            const refusal = refusalOf(text)
            if (refusal !== undefined) bridge.problem(`flow_tables: groups of table ${table}: ${refusal}`)
            return refusal === undefined
          }),
        },
      ]
    })
    .sort((a, b) => a.table - b.table)
}

/** Why a text names no field or part of one. */
function refusalOf(text: string): string | undefined {
  try {
    parseSubfield(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
