import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as nt from '../../../protocols/neighbor/neighbor-table.ts'

const A = 0x0a000001
const MAC = 0x02_00_00_00_00_01
const MAC2 = 0x02_00_00_00_00_02

class Recorder implements nt.NeighborEvents {
  readonly log: string[] = []
  used = new Map<number, number>()
  request(address: number, mac: number | undefined): void {
    this.log.push(`request ${address & 0xff}${mac === undefined ? '' : ' unicast'}`)
  }
  resolved(slot: number): void {
    this.log.push(`resolved ${slot}`)
  }
  unresolved(slot: number): void {
    this.log.push(`unresolved ${slot}`)
  }
  displaced(slot: number): void {
    this.log.push(`displaced ${slot}`)
  }
  changed(address: number): void {
    this.log.push(`changed ${address & 0xff}`)
  }
  lastUsed(address: number): number {
    return this.used.get(address) ?? Number.NEGATIVE_INFINITY
  }
  take(): string[] {
    return this.log.splice(0)
  }
}

function table(capacity = 16): { t: nt.NeighborTable; events: Recorder } {
  const events = new Recorder()
  return { t: new nt.NeighborTable(capacity, events), events }
}

/** Polls at every due time up to `until`. */
function run(t: nt.NeighborTable, until: number): void {
  for (let due = t.pollAt(); due !== undefined && due <= until; due = t.pollAt()) t.poll(due)
}

describe('states of an entry', () => {
  test('RFC 826: a wanted address is asked for by broadcast, an answer makes it known', () => {
    const { t, events } = table()
    const slot = t.want(A)
    t.ask(1000, slot)
    expect(events.take()).toEqual(['request 1'])
    expect(t.state(slot)).toBe(nt.INCOMPLETE)
    expect(t.lookup(1000, A)).toBe(-1)
    t.update(1001, A, MAC, true, false)
    expect(events.take()).toEqual(['changed 1', `resolved ${slot}`])
    expect(t.lookup(1001, A)).toBe(slot)
    expect(t.mac(slot)).toBe(MAC)
    expect(t.state(slot)).toBe(nt.REACHABLE)
  })

  test('RFC 1122 §2.3.2.1: requests for one address go out once a second at the most, three in all', () => {
    const { t, events } = table()
    const slot = t.want(A)
    t.ask(0, slot)
    t.ask(10, t.want(A))
    t.poll(999)
    expect(events.take()).toEqual(['request 1'])
    t.poll(1000)
    t.poll(2000)
    expect(events.take()).toEqual(['request 1', 'request 1'])
    t.poll(2999)
    expect(events.take()).toEqual([])
    t.poll(3000)
    expect(events.take()).toEqual([`unresolved ${slot}`])
    expect(t.state(slot)).toBe(nt.FAILED)
  })

  test('a failed address is asked for anew when it is wanted anew, and forgotten when it is not', () => {
    const { t, events } = table()
    t.ask(0, t.want(A))
    run(t, 3000)
    events.take()
    t.ask(3500, t.want(A))
    expect(events.take()).toEqual(['request 1'])
    run(t, 200_000)
    expect(t.find(A)).toBe(-1)
  })

  test('RFC 1122 §2.3.2.1 (2): an address in use is polled by unicast and goes when it does not answer', () => {
    const { t, events } = table()
    t.ask(0, t.want(A))
    t.update(0, A, MAC, true, false)
    t.lookup(1, A)
    events.take()
    run(t, 5000)
    const due = t.pollAt()!
    expect(due).toBeGreaterThanOrEqual(nt.REACHABLE_TIME)
    expect(due).toBeLessThan(nt.REACHABLE_TIME + nt.REACHABLE_SPREAD)
    t.poll(due)
    expect(events.log).toEqual(['request 1 unicast'])
    expect(t.state(t.find(A))).toBe(nt.PROBE)
    expect(t.lookup(due, A)).not.toBe(-1)
    run(t, 100_000)
    expect(events.take()).toEqual([...Array(nt.MAX_REQUESTS).fill('request 1 unicast'), 'changed 1'])
    expect(t.find(A)).toBe(-1)
  })

  test('an answer to the poll keeps it, without disturbing anybody', () => {
    const { t, events } = table()
    t.ask(0, t.want(A))
    t.update(0, A, MAC, true, false)
    events.used.set(A, 40_000)
    run(t, 5000)
    const due = t.pollAt()!
    t.poll(due)
    expect(t.state(t.find(A))).toBe(nt.PROBE)
    events.take()
    t.update(due + 1, A, MAC, true, false)
    expect(t.state(t.find(A))).toBe(nt.REACHABLE)
    expect(events.take()).toEqual([])
  })

  test('an address nobody used grows stale and is verified once it is used again', () => {
    const { t, events } = table()
    t.ask(0, t.want(A))
    t.update(1, A, MAC, true, false)
    events.take()
    run(t, 80_000)
    expect(t.state(t.find(A))).toBe(nt.STALE)
    expect(events.take()).toEqual(['changed 1'])
    expect(t.lookup(90_000, A)).not.toBe(-1)
    expect(t.state(t.find(A))).toBe(nt.DELAY)
    run(t, 90_000 + nt.DELAY_FIRST_PROBE)
    expect(events.take()).toEqual(['request 1 unicast'])
  })

  test('a stale address that stays unused is forgotten', () => {
    const { t } = table()
    t.update(0, A, MAC, false, true)
    expect(t.state(t.find(A))).toBe(nt.STALE)
    run(t, nt.STALE_TIME - 1)
    expect(t.find(A)).not.toBe(-1)
    run(t, nt.STALE_TIME)
    expect(t.find(A)).toBe(-1)
    expect(t.pollAt()).toBeUndefined()
  })

  test('a station that moves is believed, but not twice within a second', () => {
    const { t, events } = table()
    t.update(0, A, MAC, false, true)
    events.take()
    t.update(100, A, MAC2, false, false)
    expect(t.mac(t.find(A))).toBe(MAC2)
    expect(events.take()).toEqual(['changed 1'])
    t.update(1000, A, MAC, false, false)
    expect(t.mac(t.find(A))).toBe(MAC2)
    t.update(1100, A, MAC, false, false)
    expect(t.mac(t.find(A))).toBe(MAC)
  })

  test('of several that answer a request the first counts', () => {
    const { t } = table()
    t.ask(0, t.want(A))
    t.update(1, A, MAC, true, true)
    t.update(2, A, MAC2, true, true)
    expect(t.mac(t.find(A))).toBe(MAC)
  })

  test('what a station merely says creates no entry unless asked to', () => {
    const { t } = table()
    t.update(0, A, MAC, false, false)
    t.update(0, A, MAC, true, false)
    expect(t.size).toBe(0)
  })
})

describe('bounds', () => {
  test('stations that introduce themselves displace only their like', () => {
    const { t, events } = table(16)
    for (let i = 0; i < 8; i++) {
      t.ask(0, t.want(A + i))
      t.update(0, A + i, MAC + i, true, false)
      t.lookup(0, A + i)
    }
    for (let i = 0; i < 100_000; i++) t.update(1 + i / 1000, 0x0a010000 + i, MAC, false, true)
    expect(t.size).toBe(16)
    for (let i = 0; i < 8; i++) expect(t.lookup(200, A + i)).not.toBe(-1)
    expect(events.log.filter((l) => l.startsWith('displaced'))).toEqual([])
  })

  test('addresses asked for in vain displace one another before those in use', () => {
    const { t, events } = table(16)
    for (let i = 0; i < 8; i++) {
      t.ask(0, t.want(A + i))
      t.update(0, A + i, MAC + i, true, false)
      t.lookup(0, A + i)
    }
    events.take()
    for (let i = 0; i < 1000; i++) t.ask(1, t.want(0x0a010000 + i))
    expect(t.size).toBe(16)
    for (let i = 0; i < 8; i++) expect(t.lookup(2, A + i)).not.toBe(-1)
    expect(events.log.filter((l) => l.startsWith('displaced'))).toHaveLength(1000 - 8)
  })

  test('when all are in use, the one used longest ago makes room', () => {
    const { t } = table(16)
    for (let i = 0; i < 16; i++) {
      t.ask(0, t.want(A + i))
      t.update(0, A + i, MAC + i, true, false)
      t.lookup(i, A + i)
    }
    t.lookup(20, A)
    t.want(A + 100)
    expect(t.find(A)).not.toBe(-1)
    expect(t.find(A + 1)).toBe(-1)
  })

  test('a newcomer finds no room when all are in use', () => {
    const { t } = table(16)
    for (let i = 0; i < 16; i++) {
      t.ask(0, t.want(A + i))
      t.update(0, A + i, MAC + i, true, false)
      t.lookup(i, A + i)
    }
    t.update(30, A + 100, MAC, false, true)
    expect(t.find(A + 100)).toBe(-1)
  })

  test('a poll sends a bounded number of requests and comes back for the rest', () => {
    const { t, events } = table(1024)
    for (let i = 0; i < 1000; i++) t.ask(0, t.want(A + i))
    events.take()
    t.poll(1000)
    expect(events.log.length).toBeLessThan(100)
    run(t, 1999)
    expect(events.log).toHaveLength(1000)
  })
})

test('the table agrees with a map of what it was told, whatever the order', () => {
  const step = fc.record({
    kind: fc.constantFrom('update', 'want', 'remove', 'poll', 'lookup'),
    address: fc.integer({ min: 1, max: 12 }),
    mac: fc.integer({ min: 1, max: 5 }),
    wait: fc.integer({ min: 0, max: 3000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { t, events } = table(16)
      const known = new Map<number, { mac: number; moved: number }>()
      let now = 0
      events.changed = (address) => {
        if (t.find(address) < 0) known.delete(address)
      }
      for (const s of steps) {
        now += s.wait
        run(t, now)
        if (s.kind === 'update') {
          const old = known.get(s.address)
          const asked = t.find(s.address) >= 0
          t.update(now, s.address, s.mac, true, true)
          if (old === undefined) known.set(s.address, { mac: s.mac, moved: asked ? now : -nt.LOCK_TIME })
          else if (old.mac !== s.mac && now - old.moved >= nt.LOCK_TIME) {
            known.set(s.address, { mac: s.mac, moved: now })
          }
        } else if (s.kind === 'want') t.ask(now, t.want(s.address))
        else if (s.kind === 'remove') {
          if (t.find(s.address) >= 0) t.remove(t.find(s.address))
        } else if (s.kind === 'lookup') t.lookup(now, s.address)
        for (let a = 1; a <= 12; a++) {
          const slot = t.find(a)
          const has = slot >= 0 && t.hasStation(slot)
          expect(has ? t.mac(slot) : undefined).toBe(known.get(a)?.mac)
        }
      }
      let size = 0
      t.forEach(() => {
        size++
      })
      expect(t.size).toBe(size)
    }),
    { numRuns: 200 },
  )
})
