/**
 * Table-mods: what a client may set of a flow table (OpenFlow 1.1 to 1.5, OFPT_TABLE_MOD), and how it is told.
 */
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import { OFPTT_ALL } from '../../protocols/openflow/flow-mod.ts'
import {
  type TableDesc,
  type TableMod,
  TMPEF_IMPORTANCE,
  TMPEF_LIFETIME,
  TMPEF_OTHER,
} from '../../protocols/openflow/table-mod.ts'
import type { FlowTable } from './flow-table.ts'
import type { FlowTables } from './flow-tables.ts'
import { TABLE_INTERNAL } from './table-numbers.ts'
import { vacancyOf } from './vacancy.ts'

/** By what the rule that makes room is chosen: said so, as by Open vSwitch, also while none must make room. */
const EVICTION_FLAGS = TMPEF_OTHER | TMPEF_IMPORTANCE | TMPEF_LIFETIME

export function applyTableMod(tables: FlowTables, mod: TableMod): OfErrorName | undefined {
  if (mod.table !== OFPTT_ALL && mod.table > TABLE_INTERNAL) return 'OFPTMFC_BAD_TABLE'
  if (mod.table === TABLE_INTERNAL) return 'OFPTMFC_EPERM'
  if (mod.evictionFlags !== undefined && (mod.evictionFlags & ~EVICTION_FLAGS) !== 0) {
    return 'OFPTMFC_BAD_CONFIG'
  }
  if (mod.vacancyEvents === true && mod.vacancy.down > mod.vacancy.up) return 'OFPTMFC_BAD_CONFIG'
  const first = mod.table === OFPTT_ALL ? 0 : mod.table
  const last = mod.table === OFPTT_ALL ? TABLE_INTERNAL - 1 : mod.table
  for (let id = first; id <= last; id++) configure(tables.table(id), mod)
  return undefined
}

function configure(table: FlowTable, { miss, eviction, vacancyEvents, vacancy }: TableMod): void {
  const { config } = table
  table.config = {
    ...config,
    miss: miss ?? config.miss,
    eviction: eviction ?? config.eviction,
    vacancy: vacancyEvents === undefined ? config.vacancy : vacancyEvents ? vacancy : undefined,
  }
  if (vacancyEvents === true) {
    table.awaitedVacancy = vacancyOf(table) < vacancy.up ? 'vacancy_up' : 'vacancy_down'
  }
  if (table.config.miss !== config.miss) table.missChanged()
}

export function describeTable(table: FlowTable): TableDesc {
  const { eviction, vacancy } = table.config
  return {
    table: table.id,
    eviction,
    evictionFlags: EVICTION_FLAGS,
    vacancyEvents: vacancy !== undefined,
    vacancy: { down: vacancy?.down ?? 0, up: vacancy?.up ?? 0, vacancy: vacancyOf(table) },
  }
}
