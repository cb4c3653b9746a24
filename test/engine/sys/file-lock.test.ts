import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FileLock } from '../../../engine/sys/file-lock.ts'

let dir: string
let path: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'file-lock-'))
  path = join(dir, 'daemon.pid')
})
afterEach(() => rmSync(dir, { recursive: true }))

test('one holds it, the next is told so, and after release it is free and the file gone', () => {
  expect(FileLock.isHeld(path)).toBe(false)
  const lock = FileLock.acquire(path)!
  lock.write('123456\n')
  lock.write('12\n')
  expect(FileLock.contents(path)).toBe('12\n')
  expect(FileLock.acquire(path)).toBeUndefined()
  expect(FileLock.isHeld(path)).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe('12\n')
  lock.release()
  lock.release()
  expect(existsSync(path)).toBe(false)
  expect(FileLock.contents(path)).toBeUndefined()
  const again = FileLock.acquire(path)!
  expect(again).toBeDefined()
  again.release()
})

test('the lock of a process that was killed is free, though its file is still there', () => {
  expect(() =>
    execFileSync('flock', ['--no-fork', '--exclusive', path, 'sh', '-c', 'echo 99 >"$0"; kill -9 $$', path]),
  ).toThrow()
  expect(FileLock.contents(path)).toBe('99\n')
  expect(FileLock.isHeld(path)).toBe(false)
  const lock = FileLock.acquire(path)!
  expect(lock).toBeDefined()
  lock.release()
})

test('programs that are started do not inherit it', () => {
  const lock = FileLock.acquire(path)!
  const links = execFileSync('sh', ['-c', 'ls -l /proc/self/fd'], { encoding: 'utf8' })
  expect(links).not.toContain('daemon.pid')
  lock.release()
})
