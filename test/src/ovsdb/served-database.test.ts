import { expect, test } from 'vitest'
import { emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import { OvsdbError } from '../../../protocols/ovsdb/error.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import type { RowChange } from '../../../protocols/ovsdb/row.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { randomUuid } from '../../../protocols/ovsdb/uuid.ts'
import { seededRandom } from '../../../protocols/random.ts'
import type { DatabaseLog } from '../../../src/ovsdb/database-log.ts'
import { type Requester, ServedDatabase } from '../../../src/ovsdb/served-database.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const SCHEMA = parseSchema({ name: 'db', tables: { T: { columns: { n: { type: 'integer' } } } } })
const NOBODY: Requester = { readOnly: false, holdsLock: () => false }
const insert = (n: number): Json => ({ op: 'insert', table: 'T', row: { n } })
const commit = { op: 'commit', durable: true }
const disk = () => new OvsdbError('I/O error', 'the disk is full')

/** A log whose disk does as it is told. */
class Log implements DatabaseLog {
  readonly appended: (readonly RowChange[])[] = []
  full = false
  readonly #syncs: { resolve: () => void; reject: (error: Error) => void }[] = []

  append(_database: unknown, changes: readonly RowChange[]): void {
    if (this.full) throw disk()
    this.appended.push(changes)
  }

  replace(): void {
    if (this.full) throw disk()
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => this.#syncs.push({ resolve, reject }))
  }

  async synced(error?: Error): Promise<void> {
    for (const { resolve, reject } of this.#syncs.splice(0)) error === undefined ? resolve() : reject(error)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function lab() {
  const random = seededRandom(1)
  const log = new Log()
  const served = new ServedDatabase(emptyDatabase(SCHEMA), {
    clock: new VirtualClock(),
    newUuid: () => randomUuid(random),
    log,
  })
  const told: (readonly RowChange[])[] = []
  served.observe({ committed: (changes) => told.push(changes), replaced: () => {} })
  const submit = (...operations: Json[]) => {
    const results: (readonly Json[] | undefined)[] = []
    served.submit(operations, NOBODY, (given) => results.push(given))
    return results
  }
  const rows = () => served.database.tables.get('T')!.rows.size
  return { log, served, told, submit, rows }
}

const ok = { uuid: ['uuid', expect.any(String)] }

test('a transaction is in the log before anybody learns of it', () => {
  const { log, told, submit, rows } = lab()
  expect(submit(insert(1))).toEqual([[ok]])
  expect([log.appended.length, told.length, rows()]).toEqual([1, 1, 1])
})

test('what changes nothing is not written, and not waited for', () => {
  const { log, submit } = lab()
  expect(submit({ op: 'comment', comment: 'c' }, commit)).toEqual([[{}, {}]])
  expect(log.appended).toEqual([])
})

test('what cannot be written has not happened', () => {
  const { log, told, submit, rows } = lab()
  log.full = true
  expect(submit(insert(1))).toEqual([[ok, { error: 'I/O error', details: 'the disk is full' }]])
  expect([told.length, rows()]).toEqual([0, 0])
  log.full = false
  expect(submit(insert(1))).toEqual([[ok]])
  expect(rows()).toBe(1)
})

test('the results of a durable transaction wait for the disk, others do not', async () => {
  const { log, submit } = lab()
  const durable = submit(insert(1), commit)
  expect(submit(insert(2))).toHaveLength(1)
  expect(durable).toEqual([])
  await log.synced()
  expect(durable).toEqual([[ok, {}]])
})

test('a disk that fails is told in place of a promise', async () => {
  const { log, submit } = lab()
  const durable = submit(insert(1), commit)
  await log.synced(disk())
  expect(durable).toEqual([[ok, {}, { error: 'I/O error', details: 'the disk is full' }]])
})

test('another database in its place cancels what waits; one that cannot be written changes nothing', () => {
  const { log, served, submit, rows } = lab()
  submit(insert(1))
  const wait = { op: 'wait', table: 'T', where: [], columns: ['n'], until: '==', rows: [] }
  const waiting = submit(wait)
  log.full = true
  expect(() => served.replace(emptyDatabase(SCHEMA), 'c')).toThrow('the disk is full')
  expect([waiting, rows()]).toEqual([[], 1])
  log.full = false
  served.replace(emptyDatabase(SCHEMA), 'c')
  expect([waiting, rows(), served.waiting]).toEqual([[undefined], 0, 0])
})
