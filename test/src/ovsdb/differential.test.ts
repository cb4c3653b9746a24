import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemRandom } from '../../../engine/sys/random.ts'
import { emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../protocols/ovsdb/json-text.ts'
import { sorted } from '../../../protocols/ovsdb/json-value.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { remoteAt } from '../../../src/ovsdb/remote.ts'
import { OvsdbServer } from '../../../src/ovsdb/server.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { OvsdbDirectory } from '../../support/ovsdb.ts'
import { comparable, Dialogue } from '../../support/ovsdb-dialogue.ts'
import {
  TRIAL_COLUMNS,
  TRIAL_SCHEMA,
  trialCondition,
  trialTransaction,
} from '../../support/ovsdb-transactions.ts'

const dir = new OvsdbDirectory()
let real: Dialogue
let ours: Dialogue

beforeAll(async () => {
  const schema = dir.file('trial.ovsschema')
  writeFileSync(schema, JSON.stringify(TRIAL_SCHEMA))
  real = await Dialogue.open(
    remoteAt((await dir.serve('real', [dir.create('trial.db', schema)])).remote, undefined)!,
  )
  const server = new OvsdbServer({ clock: realClock, random: systemRandom() })
  server.add(emptyDatabase(parseSchema(TRIAL_SCHEMA)))
  ours = await Dialogue.open(server.remote)
})
afterAll(async () => {
  real.close()
  ours.close()
  await dir.remove()
})

async function both(method: string, ...params: Json[]): Promise<Json> {
  const [expected, got] = await Promise.all([real.ask(method, ...params), ours.ask(method, ...params)])
  expect(comparable(got)).toEqual(comparable(expected))
  return got
}

const everything = Object.entries(TRIAL_COLUMNS)
const selectAll: Json[] = everything.map(([table, columns]) => ({
  op: 'select',
  table,
  where: [],
  columns: ['_uuid', ...columns],
}))

async function start(): Promise<void> {
  for (const table of ['Pin', 'Clip', 'Few', 'Root', 'Child']) {
    await both('transact', 'Trial', { op: 'delete', table, where: [] })
  }
}

test('transactions have the same results and leave the same behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(trialTransaction, { minLength: 5, maxLength: 25 }), async (transactions) => {
      await start()
      for (const operations of transactions) await both('transact', 'Trial', ...operations)
      await both('transact', 'Trial', ...selectAll)
    }),
    { numRuns: 150 },
  )
})

const select = fc.record(
  { initial: fc.boolean(), insert: fc.boolean(), delete: fc.boolean(), modify: fc.boolean() },
  { requiredKeys: [] },
)
const columnsOf = (table: string) => fc.subarray([...TRIAL_COLUMNS[table]], { minLength: 1 })

/** Of each table some columns, some kinds of change and, for `monitor_cond`, some rows. */
const requests = (conditional: boolean) =>
  fc.record(
    Object.fromEntries(
      everything.map(([table]) => [
        table,
        fc.record(
          {
            columns: columnsOf(table),
            select,
            ...(conditional ? { where: trialCondition(table) } : {}),
          },
          { requiredKeys: ['columns'] },
        ),
      ]),
    ),
    { requiredKeys: [] },
  )

const refused = (json: Json) => isJsonObject(json) && 'failed' in json

async function sameTold(): Promise<void> {
  expect(comparable(ours.told())).toEqual(comparable(real.told()))
}

test('monitors are told the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(trialTransaction, { maxLength: 8 }),
      fc.oneof(
        requests(false).map((r) => ['monitor', r as JsonObject] as const),
        requests(true).map((r) => ['monitor_cond', r as JsonObject] as const),
      ),
      fc.array(trialTransaction, { maxLength: 10 }),
      async (before, [method, monitored], after) => {
        await start()
        for (const operations of before) await both('transact', 'Trial', ...operations)
        const [theirs, own] = await Promise.all(
          [real, ours].map((dialogue) => dialogue.ask(method, 'Trial', 'id', monitored)),
        )
        if (refused(theirs)) expect(refused(own)).toBe(true)
        else expect(sorted(own)).toEqual(sorted(theirs))
        for (const operations of after) {
          await both('transact', 'Trial', ...operations)
          await sameTold()
        }
        await both('monitor_cancel', 'id')
      },
    ),
    { numRuns: 150 },
  )
})

/** Of some of the monitored tables the rows to tell about from now on. */
const conditionChanges: fc.Arbitrary<JsonObject> = fc
  .record(
    Object.fromEntries(
      everything.map(([table]) => [table, trialCondition(table).map((where): Json => [{ where }])]),
    ),
    { requiredKeys: [] },
  )
  .map((changes) => changes as JsonObject)

test('changed conditions make the same rows appear and disappear', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(trialTransaction, { maxLength: 8 }),
      fc.array(fc.tuple(conditionChanges, trialTransaction), { maxLength: 8 }),
      async (before, steps) => {
        await start()
        for (const operations of before) await both('transact', 'Trial', ...operations)
        const requests = everything.map(([table, columns]) => [table, [{ columns, where: [true] }]])
        await both('monitor_cond', 'Trial', 'id', Object.fromEntries(requests))
        for (const [changes, operations] of steps) {
          const [theirs, own] = await Promise.all(
            [real, ours].map((dialogue) => dialogue.ask('monitor_cond_change', 'id', 'id', changes)),
          )
          expect(refused(own)).toBe(refused(theirs))
          // Of several changes the real server keeps those before the wrong one, in an order that nobody knows.
          if (refused(own)) break
          await sameTold()
          await both('transact', 'Trial', ...operations)
          await sameTold()
        }
        await both('monitor_cancel', 'id')
      },
    ),
    { numRuns: 150 },
  )
})
