import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { canonicalText } from '../../../protocols/ovsdb/json-value.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { seededRandom } from '../../../protocols/random.ts'
import type { TlsFiles } from '../../../src/net/tls.ts'
import { OvsdbClient } from '../../../src/ovsdb/client.ts'
import { remoteAt } from '../../../src/ovsdb/remote.ts'
import { Remotes } from '../../../src/ovsdb/remotes.ts'
import { OvsdbServer } from '../../../src/ovsdb/server.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { makePeers } from '../../support/certificates.ts'
import { OvsdbDirectory } from '../../support/ovsdb.ts'
import { until } from '../../support/until.ts'

const dir = new OvsdbDirectory()
const closing: (() => void)[] = []
afterAll(async () => {
  for (const close of closing) close()
  await dir.remove()
})

const CONNECTIONS = 'db:R,Root,connections'

const setOf = (key: Json) => ({ type: { key, min: 0, max: 'unlimited' } })
const mapOf = (value: Json) => ({ type: { key: 'string', value, min: 0, max: 'unlimited' } })
const OWNED = {
  columns: { n: { type: 'integer' }, owner: { type: 'string' }, ids: mapOf('string') },
  isRoot: true,
}

const SCHEMA = {
  name: 'R',
  version: '1.0.0',
  tables: {
    Root: { columns: { connections: setOf({ type: 'uuid', refTable: 'Connection' }) }, isRoot: true },
    Connection: {
      columns: { target: { type: 'string' }, role: { type: 'string' }, status: mapOf('string') },
    },
    RBAC_Role: {
      columns: {
        name: { type: 'string' },
        permissions: mapOf({ type: 'uuid', refTable: 'RBAC_Permission', refType: 'weak' }),
      },
      isRoot: true,
    },
    RBAC_Permission: {
      columns: {
        authorization: setOf('string'),
        insert_delete: { type: 'boolean' },
        update: setOf('string'),
      },
      isRoot: true,
    },
    A: OWNED,
    B: OWNED,
    C: OWNED,
    D: OWNED,
  },
}

const insert = (table: string, row: Json, name?: string): Json => ({
  op: 'insert',
  table,
  row,
  ...(name === undefined ? {} : { 'uuid-name': name }),
})
const named = (name: string): Json => ['named-uuid', name]
const owned = (owner: string): Json => ({ owner, ids: ['map', [['by', owner]]] })

/** Two remotes: one gives a role that has permission for three tables, the other one that does not exist. */
function contents(client: string): Json[] {
  const permissions = ['A', 'B', 'C'].map((table) => [table, named(table)])
  return [
    insert('Root', { connections: ['set', [named('one'), named('two')]] }),
    insert('Connection', { target: 'pssl:0:127.0.0.1', role: 'writer' }, 'one'),
    insert('Connection', { target: 'pssl:0:127.0.0.2', role: 'nobody' }, 'two'),
    insert('RBAC_Role', { name: 'writer', permissions: ['map', permissions] }),
    insert('RBAC_Permission', { authorization: 'owner', insert_delete: true, update: 'n' }, 'A'),
    insert('RBAC_Permission', { authorization: 'ids:by', update: ['set', ['n', 'ids']] }, 'B'),
    insert('RBAC_Permission', { authorization: '', insert_delete: true }, 'C'),
    ...['A', 'B', 'C', 'D'].flatMap((table) => ['', client].map((owner) => insert(table, owned(owner)))),
  ]
}

/** Serves in this process. @returns where */
async function serveOurs(files: TlsFiles): Promise<string> {
  const server = new OvsdbServer({ clock: realClock, random: seededRandom(1) })
  server.add(emptyDatabase(parseSchema(SCHEMA)))
  const remotes = new Remotes({ server, clock: realClock, directory: dir.path, tls: () => files })
  closing.push(() => {
    remotes.close()
    server.close()
  })
  await remotes.add(`punix:${dir.file('ours')}`)
  await remotes.add(CONNECTIONS)
  return `unix:${dir.file('ours')}`
}

async function serveTheirs(files: TlsFiles): Promise<string> {
  writeFileSync(dir.file('schema'), JSON.stringify(SCHEMA))
  const tls = ['-p', files.privateKey, '-c', files.certificate, '-C', files.caCert]
  const file = dir.create('db', dir.file('schema'))
  return (await dir.serve('theirs', [file], `--remote=${CONNECTIONS}`, ...tls)).remote
}

/** Asks for transactions; what they come to, but for UUIDs. */
function clientOf(remote: string, files?: TlsFiles): (...operations: Json[]) => Promise<string> {
  const client = new OvsdbClient({ remotes: [remoteAt(remote, files)!], clock: realClock })
  closing.push(() => client.close())
  client.start()
  return async (...operations) =>
    canonicalText(await client.transact('R', operations)).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID')
}

/** What clients of that name are answered that come with the one role and with the other. */
async function answers(remote: string, name: string, files: TlsFiles): Promise<string[]> {
  const free = clientOf(remote)
  await free(...contents(name))
  const ports = await until(async () => {
    const select = { op: 'select', table: 'Connection', where: [], columns: ['target', 'status'] }
    const told = await free({ ...select, sort: ['target'] })
    const found = [...told.matchAll(/"bound_port","(\d+)"/g)].map(([, port]) => port)
    return found.length === 2 && found
  }, 'both are listened at')
  const [writer, nobody] = ports.map((port, i) => clientOf(`ssl:127.0.0.${i + 1}:${port}`, files))
  const all: string[] = []
  for (const table of ['A', 'B', 'C', 'D']) {
    for (const where of [[['owner', '==', name]], [['n', '==', 77]], []]) {
      all.push(
        await writer({ op: 'update', table, where, row: { n: 1 } }),
        await writer({ op: 'update', table, where, row: { n: 2, ids: ['map', []] } }, { op: 'abort' }),
        await writer({ op: 'mutate', table, where, mutations: [['n', '+=', 1]] }),
        await writer({ op: 'delete', table, where }, { op: 'abort' }),
      )
    }
    for (const owner of [name, 'x']) all.push(await writer(insert(table, owned(owner))))
    const columns = ['n', 'owner']
    all.push(await writer({ op: 'select', table, where: [], columns, sort: columns }))
  }
  all.push(await nobody(insert('C', {})))
  return all
}

test('clients of a remote with a role may change what it has permission for, as with the original', async () => {
  const { switch: ours, controller: theirs } = await makePeers(dir.file('tls'))
  const name = /CN=(.*)/.exec(new X509Certificate(readFileSync(ours.certificate)).subject)![1]
  const remotes = [await serveOurs(theirs), await serveTheirs(theirs)]
  const [a, b] = await Promise.all(remotes.map((remote) => answers(remote, name, ours)))
  expect(a).toEqual(b)
  expect(a.at(-1)).toContain('permission error')
})
