import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { isJoining, type RaftRecord } from '../../../protocols/raft/record.ts'
import { RaftFile } from '../../../src/ovsdb/raft-file.ts'
import { OvsdbDirectory, VSWITCH_SCHEMA } from '../../support/ovsdb.ts'

const dir = new OvsdbDirectory()
afterAll(() => dir.remove())

let number = 0
function create(): string {
  const file = dir.file(`${++number}.db`)
  dir.run('ovsdb-tool', 'create-cluster', file, VSWITCH_SCHEMA, 'tcp:127.0.0.1:6644')
  return file
}

const blank = (index: number): RaftRecord => ({
  type: 'entry',
  index,
  entry: {
    term: 1,
    data: undefined,
    eid: '00000000-0000-0000-0000-000000000000',
    servers: undefined,
    electionTimer: undefined,
  },
})
const refuse = (text: string) => {
  throw new Error(text)
}

test('what is written is there again, for the tools of the original too; what a crash has torn off is cut away', async () => {
  const path = create()
  const { file, header, records } = RaftFile.open(path, refuse)
  expect([header.name, records]).toEqual(['Open_vSwitch', []])
  const written: RaftRecord[] = [blank(2), { type: 'commit_index', commitIndex: 2 }, blank(3)]
  for (const record of written) file.append(record)
  await file.sync()
  expect(() => RaftFile.open(path, refuse)).toThrow('already locked')
  await file.close()
  expect(dir.run('ovsdb-tool', 'show-log', path)).toContain(' commit_index: 2')
  dir.run('ovsdb-tool', 'check-cluster', path)

  truncateSync(path, readFileSync(path).length - 1)
  const warnings: string[] = []
  const torn = RaftFile.open(path, (text) => warnings.push(text))
  expect([torn.records, warnings.length]).toEqual([written.slice(0, 2), 1])
  torn.file.append(blank(3))
  await torn.file.close()
  const again = RaftFile.open(path, refuse)
  expect(again.records).toEqual(written)

  // A snapshot takes the place of all, also while the file is being flushed.
  const flushed = again.file.sync()
  const { beginning } = header
  if (isJoining(beginning)) throw new Error('no member')
  again.file.replace({ ...header, beginning: { ...beginning, index: 2 } }, [blank(3)])
  again.file.append(blank(4))
  await flushed
  await again.file.close()
  const compacted = RaftFile.open(path, refuse)
  expect([compacted.header.beginning, compacted.records]).toEqual([
    { ...beginning, index: 2 },
    [blank(3), blank(4)],
  ])
  await compacted.file.close()
  dir.run('ovsdb-tool', 'check-cluster', path)
})

test('damage in its middle is refused and left as it is', async () => {
  const path = create()
  const { file } = RaftFile.open(path, refuse)
  for (const index of [2, 3, 4]) file.append(blank(index))
  await file.close()
  const bytes = readFileSync(path)
  bytes[bytes.indexOf('"index":3')] ^= 1
  writeFileSync(path, bytes)
  expect(() => RaftFile.open(path, refuse)).toThrow(/have SHA-1 hash/)
  expect(readFileSync(path)).toEqual(bytes)
})
