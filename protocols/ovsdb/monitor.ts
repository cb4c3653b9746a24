/** What one monitor has told its client, and what it has yet to tell. */

import type { Database } from './database.ts'
import type { Json, JsonObject } from './json-text.ts'
import { type MonitoredTable, parseConditionChanges, parseMonitorRequests } from './monitor-request.ts'
import type { Row, RowChange } from './row.ts'
import { type RowUpdate, rowUpdate, rowUpdate2, seenThrough } from './row-update.ts'
import type { Uuid } from './uuid.ts'

/** 1: "monitor" and "update"; 2: "monitor_cond" and "update2"; 3: "monitor_cond_since" and "update3". */
export type MonitorVersion = 1 | 2 | 3

/**
 * A client that reads slowly is not told every step: of each row that changed its old value is kept, and when the
 * client is ready it is told what differs from the present. What is kept is therefore never more than the rows
 * that the client knows and those that there are.
 */
export class Monitor {
  readonly version: MonitorVersion
  #tables: ReadonlyMap<string, MonitoredTable>
  /** Rows that may differ from what the client knows, by table: as it knows them. */
  readonly #pending = new Map<string, Map<Uuid, Row | undefined>>()
  #pendingRows = 0

  /** Throws what a request is answered with that asks for what there is not. */
  constructor(version: MonitorVersion, requests: Json | undefined, database: Database) {
    this.version = version
    this.#tables = parseMonitorRequests(requests, database, version > 1)
    for (const name of this.#tables.keys()) this.#pending.set(name, new Map())
  }

  /** Takes note of what a transaction changed. */
  note(changes: readonly RowChange[]): void {
    for (const { table, uuid, before, after } of changes) {
      const pending = this.#pending.get(table)
      if (pending === undefined) continue
      if (!pending.has(uuid)) {
        pending.set(uuid, before)
        this.#pendingRows++
      } else if (after === undefined && pending.get(uuid) === undefined) {
        // What came and went in between is nothing to the client.
        pending.delete(uuid)
        this.#pendingRows--
      }
    }
  }

  /** How many rows there may be to tell about. */
  get pending(): number {
    return this.#pendingRows
  }

  /** The <table-updates> of everything there is. */
  initial(database: Database): JsonObject {
    this.#forget()
    const updates = new TableUpdates(this.#rowUpdate, true)
    for (const [name, table] of this.#tables) {
      database.tables.get(name)!.rows.forEach((row) => {
        updates.add(table, row.uuid, undefined, row, table)
      })
    }
    return updates.json ?? {}
  }

  /** The <table-updates> of what changed; undefined when nothing did that is monitored. */
  update(database: Database): JsonObject | undefined {
    return this.#difference(database, this.#tables, false)
  }

  /** Changes the conditions; the same, of what did and what the new conditions make appear or disappear. */
  changeConditions(requests: Json | undefined, database: Database): JsonObject | undefined {
    const past = this.#tables
    this.#tables = parseConditionChanges(requests, database, past)
    return this.#difference(database, past, true)
  }

  #difference(
    database: Database,
    past: ReadonlyMap<string, MonitoredTable>,
    conditionsChanged: boolean,
  ): JsonObject | undefined {
    const updates = new TableUpdates(this.#rowUpdate, false)
    for (const [name, pending] of this.#pending) {
      const before = past.get(name)!
      const now = this.#tables.get(name)!
      const { rows } = database.tables.get(name)!
      for (const [uuid, known] of pending) updates.add(before, uuid, known, rows.get(uuid), now)
      if (conditionsChanged && before !== now) {
        rows.forEach((row) => {
          if (!pending.has(row.uuid)) updates.add(before, row.uuid, row, row, now)
        })
      }
    }
    this.#forget()
    return updates.json
  }

  #forget(): void {
    for (const rows of this.#pending.values()) rows.clear()
    this.#pendingRows = 0
  }

  get #rowUpdate(): RowUpdate {
    return this.version === 1 ? rowUpdate : rowUpdate2
  }
}

class TableUpdates {
  json: Record<string, Record<Uuid, Json>> | undefined
  readonly #rowUpdate: RowUpdate
  readonly #initial: boolean

  constructor(rowUpdate: RowUpdate, initial: boolean) {
    this.#rowUpdate = rowUpdate
    this.#initial = initial
  }

  add(
    past: MonitoredTable,
    uuid: Uuid,
    before: Row | undefined,
    after: Row | undefined,
    present: MonitoredTable,
  ): void {
    const seen = seenThrough(before, after, past, present)
    const update = this.#rowUpdate(present, seen, this.#initial)
    if (update === undefined) return
    this.json ??= {}
    const { name } = present.schema
    if (!Object.hasOwn(this.json, name)) this.json[name] = {}
    this.json[name][uuid] = update
  }
}
