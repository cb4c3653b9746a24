import type { OvsdbServer } from '../ovsdb/server.ts'

/** What the server keeps, for `memory/show`. */
export function usage(server: OvsdbServer): Record<string, number> {
  let atoms = 0
  let cells = 0
  let weakReferences = 0
  for (const { database } of server.databases.values()) {
    for (const { schema, rows, weakSources } of database.tables.values()) {
      // Each row has a UUID and a version as well.
      cells += rows.size * (schema.columns.size + 2)
      atoms += rows.size * 2
      weakSources.forEach((sources) => {
        sources.forEach((times) => {
          weakReferences += times
        })
      })
      rows.forEach(({ columns }) => {
        for (const { keys, values } of Object.values(columns)) atoms += keys.length + (values?.length ?? 0)
      })
    }
  }
  const sessions = [...server.sessions]
  const monitors = sessions.reduce((n, session) => n + session.monitorCount, 0)
  const usage = { atoms, cells, monitors, 'n-weak-refs': weakReferences }
  return sessions.length === 0 ? usage : { ...usage, sessions: sessions.length }
}
