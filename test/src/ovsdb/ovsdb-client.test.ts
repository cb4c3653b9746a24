/** The real ovsdb-client prints the same of our server as of the real one. */

import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemRandom } from '../../../engine/sys/random.ts'
import { emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { Remotes } from '../../../src/ovsdb/remotes.ts'
import { OvsdbServer } from '../../../src/ovsdb/server.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { OvsdbDirectory, VSWITCH_SCHEMA } from '../../support/ovsdb.ts'

const dir = new OvsdbDirectory()
let real: string
let ours: string
let remotes: Remotes
/** Open_vSwitch with a table and a column less. */
const OLDER_SCHEMA = dir.file('older.ovsschema')

beforeAll(async () => {
  const schema = JSON.parse(readFileSync(VSWITCH_SCHEMA, 'utf8'))
  real = (await dir.serve('real', [dir.create('real.db')])).remote
  const server = new OvsdbServer({ clock: realClock, random: systemRandom() })
  server.add(emptyDatabase(parseSchema(schema)))
  remotes = new Remotes({ server, clock: realClock, directory: dir.path, tls: () => undefined })
  await remotes.add('punix:ours')
  ours = `unix:${dir.file('ours')}`
  delete schema.tables.AutoAttach
  delete schema.tables.Bridge.columns.auto_attach
  delete schema.tables.Port.columns.mac
  writeFileSync(OLDER_SCHEMA, JSON.stringify({ ...schema, version: '8.0.0', cksum: '1 2' }))
})
afterAll(async () => {
  remotes.close()
  await dir.remove()
})

interface Output {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

/** `restore` wants a file to read from, no pipe. */
const WITH_INPUT = 'input=$1; shift; exec ovsdb-client "$@" <"$input"'

function client(
  command: string,
  remote: string,
  args: readonly string[],
  input = '/dev/null',
): Promise<Output> {
  const options = ['--timeout=20', '-vconsole:off', ...(command === 'restore' ? ['--force'] : [])]
  const words = ['-c', WITH_INPUT, 'sh', input, ...options, command, remote, ...args]
  return new Promise((resolve) => {
    execFile('sh', words, (error, stdout, stderr) =>
      resolve({ stdout, stderr, code: error === null ? 0 : Number(error.code) }),
    )
  })
}

async function same(command: string, ...args: string[]): Promise<void> {
  const [theirs, own] = await Promise.all([client(command, real, args), client(command, ours, args)])
  // Columns are listed as a hash table has them.
  const lines = ({ stdout, ...rest }: Output) => ({ ...rest, lines: stdout.split('\n').sort() })
  if (command.startsWith('list-')) expect(lines(own)).toEqual(lines(theirs))
  else expect(own).toEqual(theirs)
}

const uuid = (n: number) => `${n}2345678-1234-4234-8234-123456789abc`
const insert = (table: string, n: number, row: Json): Json => ({ op: 'insert', table, uuid: uuid(n), row })
const NETWORK = JSON.stringify([
  'Open_vSwitch',
  insert('Open_vSwitch', 1, { bridges: ['uuid', uuid(2)], external_ids: ['map', [['a', 'b']]] }),
  insert('Bridge', 2, {
    name: 'br0',
    ports: [
      'set',
      [
        ['uuid', uuid(3)],
        ['uuid', uuid(4)],
      ],
    ],
  }),
  insert('Port', 3, { name: 'p1', tag: 10, interfaces: ['uuid', uuid(5)] }),
  insert('Port', 4, { name: 'p2', trunks: ['set', [1, 2]], interfaces: ['uuid', uuid(6)] }),
  insert('Interface', 5, { name: 'p1', type: 'internal' }),
  insert('Interface', 6, { name: 'p2', mtu_request: 1400 }),
])

test.each([
  ['list-dbs'],
  ['get-schema-version'],
  ['get-schema-cksum'],
  ['list-tables'],
  ['list-columns'],
  ['list-columns', 'Open_vSwitch', 'Port'],
  ['transact', NETWORK],
  ['transact', NETWORK],
  [
    'query',
    '["Open_vSwitch",{"op":"select","table":"Port","where":[],"columns":["name","tag"],"sort":["name"]}]',
  ],
  ['query', '["Open_vSwitch",{"op":"delete","table":"Port","where":[]}]'],
  ['transact', '["Nothing",{"op":"select","table":"Port","where":[]}]'],
  ['dump'],
  ['dump', 'Open_vSwitch', 'Port', 'name', 'tag', 'trunks'],
  ['needs-conversion', VSWITCH_SCHEMA],
  ['needs-conversion', OLDER_SCHEMA],
  ['convert', OLDER_SCHEMA],
  ['get-schema-version'],
  ['list-tables'],
  ['dump'],
  ['convert', VSWITCH_SCHEMA],
  ['dump'],
  ['wait', 'Open_vSwitch', 'connected'],
  ['nonsense'],
])('%s %s', async (command, ...args) => {
  await same(command, ...args)
})

test('get-schema', async () => {
  const [theirs, own] = await Promise.all([client('get-schema', real, []), client('get-schema', ours, [])])
  expect(JSON.parse(own.stdout)).toEqual(JSON.parse(theirs.stdout))
})

/** Restored rows have new UUIDs, and are listed in their order. */
const contents = async (remote: string) =>
  (await client('dump', remote, [])).stdout
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'row')
    .split('\n')
    .sort()

test('what backup has written of one is restored in the other', async () => {
  const before = await contents(ours)
  const [file, theirFile] = [dir.file('ours.backup'), dir.file('real.backup')]
  writeFileSync(file, (await client('backup', ours, [])).stdout)
  await same('transact', '["Open_vSwitch",{"op":"delete","table":"Open_vSwitch","where":[]}]')
  expect(await client('restore', real, [], file)).toMatchObject({ code: 0, stderr: '' })
  expect(await contents(real)).toEqual(before)
  writeFileSync(theirFile, (await client('backup', real, [])).stdout)
  expect(await client('restore', ours, [], theirFile)).toMatchObject({ code: 0, stderr: '' })
  expect(await contents(ours)).toEqual(before)
})
