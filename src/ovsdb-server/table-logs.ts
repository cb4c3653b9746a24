/** Tables whose changes are told in the log (`tlog-set`, `tlog-list`). */

import type { Database } from '../../protocols/ovsdb/database.ts'
import { changeLines } from '../monitor/change-lines.ts'
import type { ServedDatabase } from '../ovsdb/served-database.ts'
import type { OvsdbServer } from '../ovsdb/server.ts'
import type { ModuleLog } from '../process/vlog.ts'

const HEADING =
  'database        table                       logging\n--------        -----                       -------\n'

export class TableLogs {
  readonly #server: OvsdbServer
  readonly #log: ModuleLog
  readonly #tables = new Map<ServedDatabase, Set<string>>()

  constructor(server: OvsdbServer, log: ModuleLog) {
    this.#server = server
    this.#log = log
  }

  /** @throws the reason why not */
  set(database: string, table: string, on: boolean): void {
    const served = this.#server.databases.get(database)
    if (served === undefined) throw new Error(`no such database: ${database}`)
    if (!served.database.tables.has(table)) throw new Error(`no such table: ${table}`)
    const tables = this.#tables.get(served) ?? this.#watch(served)
    if (on) tables.add(table)
    else tables.delete(table)
  }

  /** Every table, and whether it is told of. */
  list(): string {
    const parts = [...this.#server.databases.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((served) => {
        const names = [...served.database.tables.keys()].sort()
        const rows = names.map(
          (name) => `${' '.repeat(16)}${name.padEnd(27)} ${this.#isOn(served, name) ? 'ON' : 'OFF'}\n`,
        )
        return `${served.name.padEnd(16)} \n${rows.join('')}`
      })
    return HEADING + parts.join('')
  }

  #isOn(served: ServedDatabase, table: string): boolean {
    return this.#tables.get(served)?.has(table) ?? false
  }

  #watch(served: ServedDatabase): Set<string> {
    const tables = new Set<string>()
    this.#tables.set(served, tables)
    let before: Database = served.database
    served.observe({
      committed: (changes) => {
        const told = changes.filter(({ table }) => tables.has(table))
        for (const line of changeLines(before, served.database, told)) this.#log.info(line)
        before = served.database
      },
      replaced: () => {
        before = served.database
      },
    })
    return tables
  }
}
