/** Flow tables: what they have counted, what they can, and what may be set of them. */
import type { FlowTableStats } from '../../../engine/dpif-openflow.ts'
import { OFPTT_ALL } from '../../../protocols/openflow/flow-mod.ts'
import type { TableFeatures } from '../../../protocols/openflow/table-features.ts'
import { TABLES as TABLE_COUNT, tableFeatures } from '../table-features.ts'
import { tableNamesOf } from '../table-features-change.ts'
import type { Handlers } from './handler.ts'

function* featuresOf(rows: readonly FlowTableStats[]): Generator<[TableFeatures]> {
  for (const row of rows) yield [tableFeatures(row.table, row)]
}

export const TABLES: Handlers = {
  async TABLE_STATS_REQUEST(sw, c, _body, message) {
    const rows: FlowTableStats[] = await sw.dpif.tableStats(sw.bridge)
    const stats = rows.map(({ table, activeCount, lookupCount, matchedCount, ...settings }) => ({
      table,
      activeCount,
      lookupCount,
      matchedCount,
      features: tableFeatures(table, settings),
    }))
    await c.replyList(message, 'TABLE_STATS_REPLY', [stats])
  },

  async TABLE_FEATURES_STATS_REQUEST(sw, c, body, message) {
    let rows: FlowTableStats[] = await sw.dpif.tableStats(sw.bridge)
    if (body !== undefined && body.length > 0) {
      const names = tableNamesOf(
        body,
        rows.map((row) => tableFeatures(row.table, row)),
      )
      if (typeof names === 'string') return names
      if (!(await sw.dpif.tableNames(sw.bridge, names))) return 'OFPTFFC_EPERM'
      rows = await sw.dpif.tableStats(sw.bridge)
    }
    // One by one: all together take megabytes.
    await c.replyList(message, 'TABLE_FEATURES_STATS_REPLY', featuresOf(rows))
    return undefined
  },

  async TABLE_DESC_REQUEST(sw, c, _body, message) {
    await c.replyList(message, 'TABLE_DESC_REPLY', [await sw.dpif.tableDesc(sw.bridge)])
  },

  async TABLE_MOD(sw, c, body) {
    if (c.state.role === 'secondary') return 'OFPBRC_IS_SECONDARY'
    if (body.table !== OFPTT_ALL && body.table >= TABLE_COUNT) return 'OFPTMFC_BAD_TABLE'
    return sw.dpif.tableMod(sw.bridge, body)
  },
}
