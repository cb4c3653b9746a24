import { describe, expect, test } from 'vitest'
import { Reconnect } from '../../protocols/reconnect.ts'

describe('back-off', () => {
  test('is 1, 2, 4, 8, 8 seconds while attempts are refused at once', () => {
    let now = 100
    const r = new Reconnect(now)
    const waits: number[] = []
    for (let i = 0; i < 6; i++) {
      now = r.pollAt()!
      expect(r.poll(now)).toBe('connect')
      r.refused(now)
      waits.push(r.pollAt()! - now)
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 8000, 8000])
  })

  test('does nothing before its time', () => {
    const r = new Reconnect(0)
    r.poll(0)
    r.refused(0)
    expect(r.poll(999)).toBeUndefined()
    expect(r.poll(1000)).toBe('connect')
  })

  test('an attempt that does not come to an end is given up', () => {
    const r = new Reconnect(0)
    expect(r.poll(0)).toBe('connect')
    expect(r.pollAt()).toBe(1000)
    expect(r.poll(1000)).toBe('timeout')
    expect(r.state).toBe('backoff')
  })

  test('starts over after a connection that held', () => {
    const r = new Reconnect(0)
    for (let i = 0; i < 4; i++) {
      const now = r.pollAt()!
      r.poll(now)
      r.refused(now)
    }
    const now = r.pollAt()!
    expect(r.poll(now)).toBe('connect')
    r.connected(now + 10)
    expect(r.pollAt()).toBeUndefined()
    r.disconnected(now + 60_000)
    expect(r.wait).toBe(1000)
    expect(r.pollAt()).toBe(now + 61_000)
  })

  test('goes on doubling for connections that end at once', () => {
    const r = new Reconnect(0)
    const waits: number[] = []
    for (let i = 0; i < 4; i++) {
      const now = r.pollAt()!
      r.poll(now)
      r.connected(now)
      r.disconnected(now + 1)
      waits.push(r.wait)
    }
    expect(waits.at(-1)).toBe(8000)
  })

  test('the limit is settable, and at least a second', () => {
    const r = new Reconnect(0, 10)
    r.poll(0)
    r.refused(0)
    expect(r.wait).toBe(1000)
  })
})
