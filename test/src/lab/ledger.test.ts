import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CliError } from '../../../src/errors.ts'
import { identityOf, Ledger, type LedgerEntry, sameIdentity } from '../../../src/lab/ledger.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ledger-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const namespace = (name: string): LedgerEntry => ({ kind: 'namespace', name, identity: undefined })
const file: LedgerEntry = { kind: 'file', path: '/etc/netns/vm1/resolv.conf' }

test('an entry is on disk when put returns, and gone when delete does', () => {
  const ledger = Ledger.open(dir)
  ledger.put(namespace('vm1'))
  ledger.put(file)
  expect(Ledger.open(dir).entries).toMatchObject([{ kind: 'namespace', name: 'vm1' }, file])
  ledger.delete('namespace vm1')
  expect(Ledger.open(dir).entries).toEqual([file])
})

test('putting again replaces the entry and keeps its place', () => {
  const ledger = Ledger.open(dir)
  const identity = { dev: '4', ino: '5', ctime: '6' }
  ledger.put(namespace('vm1'))
  ledger.put(file)
  ledger.put({ kind: 'namespace', name: 'vm1', identity })
  expect(Ledger.open(dir).entries).toEqual([{ kind: 'namespace', name: 'vm1', identity }, file])
})

test('closing removes the file when nothing is left in it but directories', () => {
  const ledger = Ledger.open(dir)
  ledger.put(namespace('vm1'))
  ledger.put({ kind: 'directory', path: '/etc/netns' })
  ledger.close()
  expect(Ledger.open(dir).entries).toHaveLength(2)
  ledger.delete('namespace vm1')
  ledger.close()
  expect(identityOf(ledger.path)).toBeUndefined()
})

test('after another boot only what outlives one is believed', () => {
  const ledger = Ledger.open(dir)
  ledger.put(namespace('vm1'))
  ledger.put({ kind: 'link', device: 'eno1' })
  ledger.put(file)
  const contents = JSON.parse(readFileSync(ledger.path, 'utf8'))
  writeFileSync(ledger.path, JSON.stringify({ ...contents, boot: 'another' }))
  expect(Ledger.open(dir).entries).toEqual([file])
})

test('a file that is not understood is an error and stays', () => {
  for (const text of ['{', '{"version":2,"entries":[]}', '[]']) {
    writeFileSync(join(dir, 'ledger.json'), text)
    expect(() => Ledger.open(dir)).toThrow('no ledger')
    expect(readFileSync(join(dir, 'ledger.json'), 'utf8')).toBe(text)
  }
})

test('a file that never came to the disk named nothing that outlives the machine', () => {
  writeFileSync(join(dir, 'ledger.json'), '')
  expect(Ledger.open(dir).entries).toEqual([])
})

test('what cannot be written is refused and not remembered', () => {
  const ledger = Ledger.open(dir)
  ledger.put(file)
  rmSync(dir, { recursive: true })
  expect(() => ledger.put(namespace('vm1'))).toThrow(CliError)
  expect(ledger.entries).toEqual([file])
  // What is gone is forgotten even then.
  ledger.delete(`file ${file.kind === 'file' ? file.path : ''}`)
  expect(ledger.entries).toEqual([])
})

test('a thing made anew under the same name is another', () => {
  const path = join(dir, 'thing')
  writeFileSync(path, '')
  const first = identityOf(path)
  expect(sameIdentity(first, identityOf(path))).toBe(true)
  // Made while the first is still there, so that the inode number cannot be the same.
  writeFileSync(`${path}.new`, '')
  renameSync(`${path}.new`, path)
  expect(sameIdentity(first, identityOf(path))).toBe(false)
  rmSync(path)
  expect(identityOf(path)).toBeUndefined()
  expect(sameIdentity(first, identityOf(path))).toBe(false)
  expect(sameIdentity(undefined, undefined)).toBe(false)
})
