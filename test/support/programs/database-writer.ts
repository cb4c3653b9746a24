/**
 * Writes numbered transactions into a database file for as long as it lives, and says each number when it has been
 * acknowledged: of every second one when it is durable. Meanwhile it compacts the file again and again.
 */
import { writeSync } from 'node:fs'
import { systemRandom } from '../../../engine/sys/random.ts'
import { transact } from '../../../protocols/ovsdb/transact.ts'
import { DatabaseFile } from '../../../src/ovsdb/database-file.ts'

const random = systemRandom()
const newUuid = () => crypto.randomUUID()
const { file, database } = DatabaseFile.open(process.argv[2], newUuid, () => {})
let latest = database

function write(number: number): void {
  const operations = [
    { op: 'delete', table: 'T', where: [['n', '<', number - 20]] },
    { op: 'insert', table: 'T', row: { n: number, text: 'x'.repeat(random() % 300) } },
    { op: 'comment', comment: `transaction ${number}` },
  ]
  const done = transact(latest, operations, { newUuid })
  if (done.status !== 'done') throw new Error('nothing waits')
  file.append(done.database, done.changes, done.comment)
  latest = done.database
}

const numbers = latest.tables
  .get('T')!
  .rows.values()
  .map(({ columns }) => Number(columns.n.keys[0]))
for (let number = Math.max(0, ...numbers) + 1; ; number++) {
  write(number)
  if (number % 2 === 0) await file.sync()
  writeSync(1, `${number}\n`)
  if (number % 7 === 0) void file.compact(latest)
}
