import { spawn } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { Database } from '../../../protocols/ovsdb/database.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { transact } from '../../../protocols/ovsdb/transact.ts'
import { OvsdbClient } from '../../../src/ovsdb/client.ts'
import { DatabaseFile } from '../../../src/ovsdb/database-file.ts'
import { readDatabase } from '../../../src/ovsdb/database-reader.ts'
import { remoteAt } from '../../../src/ovsdb/remote.ts'
import { Replica } from '../../../src/ovsdb/replica.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { OvsdbDirectory } from '../../support/ovsdb.ts'

const SCHEMA = {
  name: 'Numbers',
  version: '1.2.3',
  cksum: '1 2',
  tables: {
    T: {
      isRoot: true,
      columns: {
        n: { type: 'integer' },
        text: { type: 'string' },
        gone: { type: 'string', ephemeral: true },
      },
      indexes: [['n']],
    },
  },
}

const dir = new OvsdbDirectory()
const files: DatabaseFile[] = []
afterEach(async () => {
  for (const file of files.splice(0)) await file.close()
})
afterAll(() => dir.remove())

/** A database that is written to, as a server does it. */
class Written {
  readonly file: DatabaseFile
  readonly warnings: string[] = []
  database: Database

  constructor(path: string) {
    const { file, database } = DatabaseFile.open(path, randomUUID, (text) => this.warnings.push(text))
    files.push(file)
    this.file = file
    this.database = database
  }

  transact(...operations: Json[]): readonly Json[] {
    const done = transact(this.database, operations, { newUuid: randomUUID })
    if (done.status !== 'done') throw new Error('nothing waits')
    this.file.append(done.database, done.changes, done.comment)
    this.database = done.database
    return done.results
  }

  insert(...numbers: number[]): void {
    for (const n of numbers)
      this.transact({ op: 'insert', table: 'T', row: { n, text: `number ${n}`, gone: 'x' } })
  }
}

const numbersIn = (database: Database) =>
  database.tables
    .get('T')!
    .rows.values()
    .map(({ columns }) => Number(columns.n.keys[0]))
    .sort((a, b) => a - b)
const readBack = (path: string) => readDatabase(path, path, randomUUID)
const insertion = (n: number) => ({ op: 'insert', table: 'T', row: { n } })

let made = 0
function create(): string {
  const path = dir.file(`own${made++}.db`)
  DatabaseFile.create(path, parseSchema(SCHEMA))
  return path
}

describe('the files of ovsdb-tool and ours', () => {
  test('are the same before the first transaction', () => {
    const schema = dir.file('numbers.ovsschema')
    writeFileSync(schema, JSON.stringify(SCHEMA))
    const path = create()
    expect(dir.run('ovsdb-tool', 'db-name', path)).toBe('Numbers\n')
    expect(dir.run('ovsdb-tool', 'db-version', path)).toBe('1.2.3\n')
    expect(dir.run('ovsdb-tool', 'db-cksum', path)).toBe('1 2\n')
    expect(dir.run('ovsdb-tool', 'needs-conversion', path, schema)).toBe('no\n')
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect(() => DatabaseFile.create(path, parseSchema(SCHEMA))).toThrow('create failed (File exists)')
  })

  test('a file is read in pieces, wherever its records lie in them', () => {
    const path = create()
    const written = new Written(path)
    const lengths = [700_000, 400_000, 3_000_000, 10, 1_048_576, 900_000, 10]
    lengths.forEach((length, n) => {
      written.transact({ op: 'insert', table: 'T', row: { n, text: 'x'.repeat(length) } })
    })
    const all = lengths.map((_, n) => n)
    expect(readBack(path)).toMatchObject({ length: written.file.length, torn: undefined })
    expect(numbersIn(readBack(path).database)).toEqual(all)
    const last = readBack(path).length
    truncateSync(path, last - 5)
    expect(numbersIn(readBack(path).database)).toEqual(all.slice(0, -1))
    // What is wrong in the middle is no end that is torn.
    const bytes = readFileSync(path)
    bytes[2_000_000] ^= 1
    writeFileSync(path, bytes)
    expect(() => readBack(path)).toThrow('it is not the last record')
  })

  test('what we write is read by ovsdb-tool, and what it writes by us', () => {
    const path = create()
    const written = new Written(path)
    written.insert(1, 2, 3)
    written.transact(
      { op: 'comment', comment: 'remark' },
      { op: 'update', table: 'T', where: [['n', '==', 2]], row: { text: 'two' } },
    )
    written.transact({ op: 'delete', table: 'T', where: [['n', '==', 3]] })
    const log = dir.run('ovsdb-tool', '-m', 'show-log', path)
    expect(log.match(/^record \d+:.*$/gm)).toHaveLength(6)
    expect(log).toMatch(/record 4: [-0-9: .]+ "remark"\n {2}table T row /)
    const select = [{ op: 'select', table: 'T', where: [], columns: ['n', 'text', 'gone'], sort: ['n'] }]
    const { rows } = JSON.parse(
      dir.run('ovsdb-tool', 'query', path, JSON.stringify(['Numbers', ...select])),
    )[0]
    expect(rows).toEqual(
      expect.arrayContaining([
        { n: 1, text: 'number 1', gone: '' },
        { n: 2, text: 'two', gone: '' },
      ]),
    )
    expect(rows).toHaveLength(2)
    files.pop()
    return written.file.close().then(() => {
      dir.transact(path, 'Numbers', insertion(4), { op: 'delete', table: 'T', where: [['n', '==', 1]] })
      expect(numbersIn(readBack(path).database)).toEqual([2, 4])
      dir.run('ovsdb-tool', 'compact', path)
      expect(numbersIn(readBack(path).database)).toEqual([2, 4])
      const again = new Written(path)
      again.insert(5)
      expect(numbersIn(readBack(path).database)).toEqual([2, 4, 5])
    })
  })

  test('the real ovsdb-server serves what we wrote, references and all, and we read what it wrote', async () => {
    const path = dir.create('real.db')
    const written = new Written(path)
    written.transact(
      {
        op: 'insert',
        table: 'Open_vSwitch',
        row: { bridges: ['named-uuid', 'b'], external_ids: ['map', [['a', 'ü"\\\n']]] },
      },
      { op: 'insert', table: 'Bridge', 'uuid-name': 'b', row: { name: 'br0', ports: ['named-uuid', 'p'] } },
      {
        op: 'insert',
        table: 'Port',
        'uuid-name': 'p',
        row: { name: 'br0', trunks: ['set', [3, 1, 2]], interfaces: ['named-uuid', 'i'] },
      },
      { op: 'insert', table: 'Interface', 'uuid-name': 'i', row: { name: 'br0', type: 'internal' } },
    )
    await written.file.compact(written.database)
    written.transact({ op: 'mutate', table: 'Port', where: [], mutations: [['trunks', 'delete', 1]] })
    await written.file.close()
    files.pop()
    const server = await dir.serve('real', [path])
    const client = new OvsdbClient({ remotes: [remoteAt(server.remote, undefined)!], clock: realClock })
    const replica = new Replica(client, { database: 'Open_vSwitch', changed: () => {} })
    client.start()
    await replica.transact([{ op: 'mutate', table: 'Port', where: [], mutations: [['trunks', 'insert', 9]] }])
    const theirs = replica.snapshot!
    client.close()
    await server.stop()
    const ours = readBack(path).database
    for (const table of ['Open_vSwitch', 'Bridge', 'Port', 'Interface']) {
      const columns = (rows: readonly { columns: unknown }[]) => rows.map((row) => row.columns)
      expect(columns(ours.tables.get(table)!.rows.values())).toEqual(
        columns(theirs.tables.get(table)!.rows.values()),
      )
    }
    expect(ours.tables.get('Port')!.rows.values()[0].columns.trunks).toEqual({ keys: [2, 3, 9] })
  })

  test('only one process writes, be it ours or theirs', async () => {
    const path = create()
    const link = dir.file('link.db')
    symlinkSync(path, link)
    const written = new Written(path)
    expect(() => DatabaseFile.open(link, randomUUID, () => {})).toThrow(
      /failed to lock lockfile \(.*this process/,
    )
    expect(() => dir.transact(path, 'Numbers', insertion(1))).toThrow(/failed to lock lockfile/)
    await written.file.close()
    files.pop()
    const server = await dir.serve('lock', [path])
    const { pid } = server.process
    expect(() => DatabaseFile.open(path, randomUUID, () => {})).toThrow(`already locked by pid ${pid}`)
    await server.stop()
    expect(() => new Written(link)).not.toThrow()
  })
})

describe('a damaged file', () => {
  test('whose last transaction is torn, anywhere, has all others, and goes on', () => {
    const whole = create()
    new Written(whole).insert(1, 2)
    const length = readBack(whole).length
    const path = dir.file('torn.db')
    const before = statSync(whole).size - 1
    const second = readFileSync(whole, 'latin1').lastIndexOf('OVSDB JSON')
    for (let size = second + 1; size <= before; size += 7) {
      copyFileSync(whole, path)
      truncateSync(path, size)
      const { database, torn, length: kept } = readBack(path)
      expect([numbersIn(database), kept]).toEqual([[1], second])
      expect(torn).toMatch(
        /parse error at offset|error reading \d+ bytes starting at offset \d+ \(End of file\)/,
      )
    }
    expect(length).toBe(before + 1)
    const written = new Written(path)
    expect(written.warnings).toHaveLength(1)
    written.insert(3)
    expect(numbersIn(readBack(path).database)).toEqual([1, 3])
    expect(readBack(path).torn).toBeUndefined()
  })

  test('in its middle is refused and left as it is', () => {
    const path = create()
    const written = new Written(path)
    written.insert(1, 2, 3)
    files.pop()
    return written.file.close().then(() => {
      const bytes = readFileSync(path)
      bytes[bytes.indexOf('number 2')] ^= 1
      writeFileSync(path, bytes)
      expect(() => readBack(path)).toThrow(/have SHA-1 hash .* nothing is lost yet/)
      expect(() => DatabaseFile.open(path, randomUUID, () => {})).toThrow(/SHA-1/)
      expect(readFileSync(path)).toEqual(bytes)
    })
  })

  test('that is none says so', () => {
    const path = dir.file('none.db')
    writeFileSync(path, 'hello\n')
    expect(() => readBack(path)).toThrow(`ovsdb error: ${path}: unexpected file format`)
    writeFileSync(path, '')
    expect(() => readBack(path)).toThrow('unexpected file format')
    const clustered = dir.file('clustered.db')
    dir.run(
      'ovsdb-tool',
      'create-cluster',
      clustered,
      '/usr/share/openvswitch/vswitch.ovsschema',
      'tcp:127.0.0.1:1',
    )
    expect(() => readBack(clustered)).toThrow('a clustered database is served by ovsdb-server only')
    expect(() => readBack(dir.file('absent.db'))).toThrow('open failed (No such file or directory)')
  })
})

describe('compaction', () => {
  test('keeps what is written while it is under way', async () => {
    const path = create()
    const written = new Written(path)
    written.transact(...Array.from({ length: 5000 }, (_, n) => insertion(n)))
    written.transact({ op: 'delete', table: 'T', where: [['n', '>=', 10]] })
    const before = written.file.length
    const done = written.file.compact(written.database)
    written.insert(10)
    await new Promise((resolve) => setImmediate(resolve))
    written.insert(11)
    await Promise.all([done, written.file.sync(), written.file.compact(written.database)])
    written.insert(12)
    await written.file.sync()
    expect(numbersIn(readBack(path).database)).toEqual(Array.from({ length: 13 }, (_, n) => n))
    expect(written.file.length).toBeLessThan(before / 10)
    expect(statSync(path).size).toBe(written.file.length)
    expect(readBack(path).records).toBe(4)
  })

  test('whose file was replaced meanwhile, with another schema, is given up', async () => {
    const path = create()
    const written = new Written(path)
    written.insert(1)
    const done = written.file.compact(written.database)
    const schema = parseSchema({ ...SCHEMA, version: '2.0.0' } as unknown as Json)
    written.database = { ...written.database, schema }
    written.file.replace(written.database, 'converted')
    written.insert(2)
    await done
    expect(numbersIn(readBack(path).database)).toEqual([1, 2])
    expect(dir.run('ovsdb-tool', 'db-version', path)).toBe('2.0.0\n')
    expect(dir.run('ovsdb-tool', 'show-log', path)).toContain('"converted"')
  })

  test('is due when the file has grown to more than 10 MiB and twice its size', async () => {
    const path = create()
    const written = new Written(path)
    const text = 'x'.repeat(100_000)
    for (let n = 0; n < 99; n++) {
      written.transact(
        { op: 'insert', table: 'T', row: { n, text } },
        { op: 'delete', table: 'T', where: [['n', '<', n]] },
      )
      expect(written.file.grewLots).toBe(false)
    }
    written.transact({ op: 'update', table: 'T', where: [], row: { text: text.repeat(10) } })
    expect(written.file.grewLots).toBe(true)
    await written.file.compact(written.database)
    expect(written.file.grewLots).toBe(false)
  })
})

// So many times; 300 and more where somebody has the time.
const ROUNDS = Number(process.env.OVSDB_KILL_ROUNDS ?? 12)

test(`killed ${ROUNDS} times at random moments it loses nothing that was acknowledged`, async () => {
  const path = create()
  const program = join(import.meta.dirname, '../../../dist/test/support/programs/database-writer.js')
  let acknowledged = 0
  for (let round = 0; round < ROUNDS; round++) {
    const writer = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    writer.stdout.on('data', (chunk) => {
      if (said === '') setTimeout(() => writer.kill('SIGKILL'), randomInt(60))
      said += chunk
    })
    await new Promise((resolve) => writer.once('close', resolve))
    expect(writer.signalCode).toBe('SIGKILL')
    const last = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1))
    expect(last).toBeGreaterThan(acknowledged)
    acknowledged = last
    const numbers = numbersIn(readBack(path).database)
    expect(numbers.at(-1)).toBeGreaterThanOrEqual(acknowledged)
    // Each transaction is there as a whole: it took away what it took away.
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => numbers[0] + i))
    expect(numbers.length).toBe(Math.min(21, numbers.at(-1)!))
  }
  expect(dir.run('ovsdb-tool', 'db-name', path)).toBe('Numbers\n')
  appendFileSync(path, 'torn')
  expect(numbersIn(readBack(path).database).at(-1)).toBeGreaterThanOrEqual(acknowledged)
})
