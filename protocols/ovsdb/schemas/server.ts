import type { SchemaJson } from './columns.ts'

/** The database `_Server`, in which a server tells what it serves (ovsdb-server(5)). */
export const SERVER: SchemaJson = {
  name: '_Server',
  version: '1.2.0',
  tables: {
    Database: {
      isRoot: true,
      columns: {
        name: { type: 'string' },
        model: { type: { key: { type: 'string', enum: ['set', ['standalone', 'clustered', 'relay']] } } },
        connected: { type: 'boolean' },
        leader: { type: 'boolean' },
        schema: { type: { key: 'string', min: 0 } },
        cid: { type: { key: { type: 'uuid' }, min: 0 } },
        sid: { type: { key: { type: 'uuid' }, min: 0 } },
        index: { type: { key: 'integer', min: 0 } },
      },
    },
  },
}
