import { expect, test } from 'vitest'
import { type Database, emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import type { Done } from '../../../protocols/ovsdb/transact.ts'
import { randomUuid } from '../../../protocols/ovsdb/uuid.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { type Consensus, type Requester, ServedDatabase } from '../../../src/ovsdb/served-database.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const SCHEMA = parseSchema({ name: 'db', tables: { T: { columns: { n: { type: 'integer' } } } } })
const NOBODY: Requester = { readOnly: false, holdsLock: () => false }
const insert = (n: number): Json => ({ op: 'insert', table: 'T', row: { n } })
const select: Json = { op: 'select', table: 'T', where: [], columns: ['n'] }

interface Proposal {
  readonly done: Done
  readonly settled: (outcome: 'committed' | 'again') => void
}

/** Others, who agree when they are told to. */
class Others implements Consensus {
  ready = true
  served!: ServedDatabase
  readonly proposals: Proposal[] = []

  get head(): Database {
    return this.proposals.at(-1)?.done.database ?? this.served.database
  }

  propose(done: Done, settled: Proposal['settled']): void {
    this.proposals.push({ done, settled })
  }

  async convert(): Promise<void> {}

  /** The oldest is agreed upon. */
  async agree(): Promise<void> {
    const { done, settled } = this.proposals[0]
    this.served.become(done, randomUuid(seededRandom(2)))
    this.proposals.shift()
    settled('committed')
    await Promise.resolve()
  }
}

function lab() {
  const random = seededRandom(1)
  const consensus = new Others()
  const newUuid = () => randomUuid(random)
  const served = new ServedDatabase(emptyDatabase(SCHEMA), { clock: new VirtualClock(), newUuid, consensus })
  consensus.served = served
  const submit = (...operations: Json[]) => {
    const results: (readonly Json[] | undefined)[] = []
    const cancel = served.submit(operations, NOBODY, (given) => results.push(given))
    return { results, cancel }
  }
  const rows = () => served.database.tables.get('T')!.rows.size
  return { consensus, served, submit, rows }
}

const ok = { uuid: ['uuid', expect.any(String)] }

test('a transaction counts, and is answered, when it is agreed upon; the next need not wait for that', async () => {
  const { consensus, submit, rows } = lab()
  const [first, second] = [submit(insert(1)), submit(insert(2))]
  expect([first.results, second.results, rows()]).toEqual([[], [], 0])
  expect(consensus.proposals.length).toBe(2)
  await consensus.agree()
  expect([first.results, second.results, rows()]).toEqual([[[ok]], [], 1])
  await consensus.agree()
  expect([second.results, rows()]).toEqual([[[ok]], 2])
})

test('nobody reads what is not agreed upon, however much is written', async () => {
  const { consensus, submit } = lab()
  submit(insert(1))
  const reader = submit(select)
  // Would keep the reader waiting if they came first.
  const writers = [submit(insert(2)), submit(insert(3))]
  expect(consensus.proposals.length).toBe(1)
  expect(reader.results).toEqual([])
  await consensus.agree()
  expect(reader.results).toEqual([[{ rows: [{ n: 1 }] }]])
  expect(consensus.proposals.length).toBe(2)
  while (consensus.proposals.length > 0) await consensus.agree()
  expect(writers.map(({ results }) => results)).toEqual([[[ok]], [[ok]]])
})

test('one that nobody knows the fate of is tried again, and counts once if it is agreed upon after all', async () => {
  const { consensus, served, submit, rows } = lab()
  const { results } = submit(insert(1))
  const [lost] = consensus.proposals.splice(0)
  consensus.ready = false
  lost.settled('again')
  expect(results).toEqual([])
  // Tried again while the first is on its way still.
  consensus.ready = true
  served.retry()
  await Promise.resolve()
  const [again] = consensus.proposals.splice(0)
  served.become(lost.done, randomUuid(seededRandom(3)))
  lost.settled('committed')
  again.settled('again')
  served.retry()
  await Promise.resolve()
  expect([results, rows(), consensus.proposals.length, served.waiting]).toEqual([[[ok]], 1, 0, 0])
})

test('one that is taken back is not tried again', async () => {
  const { consensus, served, submit } = lab()
  const { results, cancel } = submit(insert(1))
  expect(cancel()).toBe(false)
  consensus.proposals.splice(0)[0].settled('again')
  served.retry()
  await Promise.resolve()
  expect([results, consensus.proposals.length]).toEqual([[undefined], 0])
})
