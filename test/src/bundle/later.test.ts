import { afterEach, expect, test, vi } from 'vitest'
import { later, loadSoon } from '../../../src/bundle/later.ts'

afterEach(() => vi.useRealTimers())

test('who stays loads all that was left for later, also where it names more and where some is not to be had', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  const loaded: string[] = []
  const part = (name: string, more?: () => void) => async () => {
    loaded.push(name)
    more?.()
    return name
  }
  const asked = later(part('asked'))
  await new Promise<void>((resolve) => {
    later(async () => {
      throw new Error('it is gone')
    })
    later(part('first', () => later(part('second', resolve))))
    loadSoon()
    expect(loaded).toEqual([])
    vi.runAllTimers()
  })
  expect(loaded).toEqual(['asked', 'first', 'second'])
  expect(await asked()).toBe('asked')
})
