import type { Cluster } from '../ovsdb/cluster.ts'
import type { OvsdbServer } from '../ovsdb/server.ts'

/** What the server keeps, for `memory/show`. */
export function usage(server: OvsdbServer, clusters: Iterable<Cluster>): Record<string, number> {
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
  const usage = { atoms, cells, monitors, 'n-weak-refs': weakReferences, ...raftUsage([...clusters]) }
  return sessions.length === 0 ? usage : { ...usage, sessions: sessions.length }
}

function raftUsage(clusters: readonly Cluster[]): Record<string, number> {
  if (clusters.length === 0) return {}
  const connections = clusters.flatMap(({ network }) => [...network.connections])
  const backlog = connections.reduce((bytes, connection) => bytes + connection.backlog, 0)
  const entries = clusters.reduce((n, { raft: { state } }) => n + state.log.end - state.log.start, 0)
  return {
    'raft-backlog-kB': Math.floor(backlog / 1000),
    'raft-connections': connections.length,
    'raft-log': entries,
  }
}
