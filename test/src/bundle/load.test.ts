import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const LOADER = join(import.meta.dirname, '../../../dist/program/load.js')

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'load-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const file = (name: string) => join(directory, name)

/** What a program that is loaded so prints. */
function run(main: string): string {
  const program = `require(process.argv[1]).load(process.argv[2])`
  return execFileSync(process.execPath, ['-e', program, LOADER, file(main)], { encoding: 'utf8' })
}

/** Writes a file of a program as rolldown.config.ts has it made. */
const part = (name: string, source: string) =>
  writeFileSync(file(name), `(function (exports, require, module, __filename, __dirname) {\n${source}\n})`)

const inode = (name: string) => statSync(file(name)).ino

test('files of a program find each other, packages, and who they are', () => {
  part(
    'main.js',
    `const { part } = require('./part.js')
     console.log(part, require('./part.js').part === part, __filename, require('node:path').basename(__dirname))`,
  )
  part('part.js', `exports.part = Symbol.for('part').toString() + typeof require.resolve`)
  expect(run('main.js')).toBe(`Symbol(part)function true ${file('main.js')} ${basename(directory)}\n`)
})

test('what has been compiled is left for those who come later', () => {
  part('main.js', `console.log('first')`)
  expect(run('main.js')).toBe('first\n')
  expect(readdirSync(directory).sort()).toEqual(['main.js', 'main.js.compiled'])
  const made = inode('main.js.compiled')
  // V8 tells sources apart by their length only, so that it is seen which one is run.
  part('main.js', `console.log('other')`)
  expect(run('main.js')).toBe('first\n')
  expect(inode('main.js.compiled')).toBe(made)
})

test('who has settled leaves what it has compiled anew, the first time; of what comes later it is left at the end', () => {
  const left = `console.log(require('node:fs').readdirSync(__dirname).filter((name) => name.endsWith('.compiled')))`
  part(
    'main.js',
    `require('node:diagnostics_channel').channel('vswitchd-ts.settled').publish()
     ${left}
     require('./part.js')`,
  )
  part('part.js', left)
  writeFileSync(file('main.js.settled'), '')
  expect(run('main.js')).toBe(`[ 'main.js.compiled' ]\n[ 'main.js.compiled' ]\n`)
  const all = ['main.js', 'main.js.compiled', 'main.js.settled', 'part.js', 'part.js.compiled']
  expect(readdirSync(directory).sort()).toEqual(all)
  rmSync(file('main.js.settled'))
  const made = [inode('main.js.compiled'), inode('part.js.compiled')]
  run('main.js')
  expect(inode('main.js.compiled')).not.toBe(made[0])
  expect(inode('part.js.compiled')).toBe(made[1])
  expect(readdirSync(directory).sort()).toEqual(all)
})

test('what this V8 has not compiled is compiled again', () => {
  part('main.js', `console.log('right')`)
  writeFileSync(file('main.js.compiled'), 'of another version')
  const made = inode('main.js.compiled')
  expect(run('main.js')).toBe('right\n')
  expect(inode('main.js.compiled')).not.toBe(made)
})

test('where nothing can be left it runs all the same', () => {
  part('main.js', `console.log('right')`)
  mkdirSync(file('main.js.compiled'))
  expect(run('main.js')).toBe('right\n')
  expect(readdirSync(directory).sort()).toEqual(['main.js', 'main.js.compiled'])
  // Nor is it said then that all has been left; who comes when it can be does so.
  part('main.js', `require('node:diagnostics_channel').channel('vswitchd-ts.settled').publish()`)
  run('main.js')
  expect(readdirSync(directory).sort()).toEqual(['main.js', 'main.js.compiled'])
  rmdirSync(file('main.js.compiled'))
  run('main.js')
  expect(readdirSync(directory).sort()).toEqual(['main.js', 'main.js.compiled', 'main.js.settled'])
})

test('a file that was not there is looked for anew by who asks again', () => {
  part(
    'main.js',
    `try { require('./part.js') } catch (error) { console.log(error.code) }
     require('node:fs').renameSync(__dirname + '/other.js', __dirname + '/part.js')
     console.log(require('./part.js').part)`,
  )
  part('other.js', `exports.part = 'here'`)
  expect(run('main.js')).toBe('ENOENT\nhere\n')
})

test('programs are ASCII, as which they are read', () => {
  const program = dirname(LOADER)
  const parts = readdirSync(program).filter((name) => name.endsWith('.js'))
  const others = parts.filter((name) => /[^\0-\x7f]/.test(readFileSync(join(program, name), 'latin1')))
  expect(parts.length).toBeGreaterThan(4)
  expect(others).toEqual([])
})
