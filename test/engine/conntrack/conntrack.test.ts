import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Conntrack, CREATE_CLASH, CREATE_FULL } from '../../../engine/conntrack/conntrack.ts'
import { ExpiryWheel } from '../../../engine/conntrack/expiry-wheel.ts'
import { icmpOpposite, PROTO_ICMP, PROTO_TCP, PROTO_UDP, reverseTp } from '../../../engine/conntrack/tuple.ts'
import { DEFAULT_TIMEOUTS } from '../../../engine/conntrack/zone.ts'
import { PacketPool } from '../../../engine/memory/packet-pool.ts'

const pool = new PacketPool(1)
const h = pool.alloc()

class Setup {
  readonly touched = new Set<number>()
  readonly removed: number[] = []
  readonly ct: Conntrack
  readonly zone: number

  constructor(limit = 100) {
    this.ct = new Conntrack({ touch: (tag) => this.touched.add(tag) }, 7)
    this.zone = this.open(limit)
  }

  open(limit: number): number {
    return this.ct.openZone(
      { connectionRemoved: (c) => this.removed.push(c) },
      { limit, timeouts: DEFAULT_TIMEOUTS },
    )
  }

  /** An untranslated connection from host n. */
  make(n: number, now = 0, proto = PROTO_UDP, zone = this.zone, refresh = 3): number {
    const tp = 0x1000_0035
    return this.ct.create(zone, proto, n, 99, tp, 99, n, reverseTp(proto, tp), refresh, now)
  }

  find(n: number, proto = PROTO_UDP, zone = this.zone): number {
    return this.ct.lookup(zone, proto, n, 99, 0x1000_0035)
  }
}

describe('table', () => {
  test('both tuples find the connection, with the direction', () => {
    const s = new Setup()
    const c = s.ct.create(s.zone, PROTO_UDP, 1, 2, 0x0003_0004, 2, 9, 0x0004_0007, 1, 0)
    expect(s.ct.lookup(s.zone, PROTO_UDP, 1, 2, 0x0003_0004)).toBe(c * 2)
    expect(s.ct.lookup(s.zone, PROTO_UDP, 2, 9, 0x0004_0007)).toBe(c * 2 + 1)
    expect(s.ct.lookup(s.zone, PROTO_UDP, 2, 1, 0x0004_0003)).toBe(-1)
    expect(s.ct.lookup(s.zone, PROTO_TCP, 1, 2, 0x0003_0004)).toBe(-1)
  })

  test('zones do not see each other', () => {
    const s = new Setup()
    const other = s.open(100)
    const a = s.make(1)
    expect(s.find(1, PROTO_UDP, other)).toBe(-1)
    const b = s.make(1, 0, PROTO_UDP, other)
    expect([s.find(1), s.find(1, PROTO_UDP, other)]).toEqual([a * 2, b * 2])
    s.ct.closeZone(other)
    expect(s.find(1)).toBe(a * 2)
    expect(s.ct.count).toBe(1)
  })

  test('a tuple belongs to one connection only', () => {
    const s = new Setup()
    s.make(1)
    expect(s.make(1)).toBe(CREATE_CLASH)
    expect(s.ct.create(s.zone, PROTO_UDP, 5, 6, 1, 1, 99, 0x1000_0035, 3, 0)).toBe(CREATE_CLASH)
  })

  test('an ICMP query and its reply are two directions; a query back is another connection', () => {
    expect([8, 0, 13, 14, 15, 16, 17, 18].map(icmpOpposite)).toEqual([0, 8, 14, 13, 16, 15, 18, 17])
    const s = new Setup()
    const query = 0x004d_0008
    const c = s.ct.create(s.zone, PROTO_ICMP, 1, 2, query, 2, 1, reverseTp(PROTO_ICMP, query), 3, 0)
    expect(s.ct.lookup(s.zone, PROTO_ICMP, 2, 1, 0x004d_0000)).toBe(c * 2 + 1)
    expect(s.ct.lookup(s.zone, PROTO_ICMP, 2, 1, 0x004d_0008)).toBe(-1)
  })

  test('what goes touches its tag and tells its owner; what comes touches the tags of those that looked in vain', () => {
    const s = new Setup()
    const wanted = s.ct.tupleTag(s.zone, PROTO_UDP, 1, 99, 0x1000_0035)
    const c = s.make(1)
    expect(s.touched.has(wanted)).toBe(true)
    expect(s.touched.has(s.ct.tag(c))).toBe(false)
    s.ct.remove(c)
    expect(s.touched.has(s.ct.tag(c))).toBe(true)
    expect(s.removed).toEqual([c])
    expect(s.ct.packet(c, 0, pool, h, 1)).toBe(false)
  })

  test('numbers are not reused at once', () => {
    const s = new Setup(1000)
    const first = s.make(1)
    s.ct.remove(first)
    for (let i = 2; i < 50; i++) {
      const c = s.make(i)
      expect(c).not.toBe(first)
      s.ct.remove(c)
    }
  })

  test('a zone that grows keeps what it has', () => {
    const s = new Setup(4)
    for (let i = 0; i < 4; i++) s.make(i)
    s.ct.configureZone(s.zone, { limit: 5000, timeouts: DEFAULT_TIMEOUTS })
    for (let i = 4; i < 5000; i++) expect(s.make(i)).toBeGreaterThanOrEqual(0)
    for (let i = 0; i < 5000; i++) expect(s.find(i)).toBeGreaterThanOrEqual(0)
  })
})

describe('a full zone', () => {
  test('evicts the oldest without an answer, never an assured one, then refuses', () => {
    const s = new Setup(3)
    const [a, b, c] = [s.make(1, 0), s.make(2, 100), s.make(3, 200)]
    s.ct.packet(a, 1, pool, h, 300)
    const d = s.make(4, 400)
    expect(s.removed).toEqual([b])
    s.ct.packet(c, 1, pool, h, 500)
    s.ct.packet(d, 1, pool, h, 500)
    expect(s.make(5, 600)).toBe(CREATE_FULL)
    expect(s.ct.zone(s.zone)).toMatchObject({ count: 3, evicted: 1, refused: 1 })
  })

  test('takes TCP and others by age alone', () => {
    const s = new Setup(2)
    const udp = s.make(1, 0)
    const tcp = s.make(2, 200, PROTO_TCP)
    s.make(3, 400, PROTO_TCP)
    s.make(4, 600)
    expect(s.removed).toEqual([udp, tcp])
  })
})

describe('expiry', () => {
  test('never early, at most two ticks late, whatever was refreshed when', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 400_000 })), {
          maxLength: 60,
        }),
        (events) => {
          const s = new Setup()
          const due = new Map<number, number>()
          let now = 1_000_000
          for (const [n, wait] of events) {
            const until = now + wait
            for (let at = s.ct.pollAt(); at !== undefined && at <= until; at = s.ct.pollAt()) {
              now = Math.max(now, at)
              s.ct.poll(now)
              for (const c of s.removed.splice(0)) {
                expect(now).toBeGreaterThanOrEqual(due.get(c)!)
                due.delete(c)
              }
            }
            now = until
            s.ct.poll(now)
            for (const c of s.removed.splice(0)) due.delete(c)
            for (const [, t] of due) expect(now).toBeLessThanOrEqual(t + 200)
            const found = s.find(n)
            const c = found < 0 ? s.make(n, now) : found >> 1
            if (found >= 0) s.ct.packet(c, 0, pool, h, now)
            due.set(c, now + DEFAULT_TIMEOUTS.udp)
          }
        },
      ),
    )
  })

  test('a direction that does not refresh does not', () => {
    const s = new Setup()
    const c = s.make(1, 0, PROTO_UDP, s.zone, 1)
    s.ct.packet(c, 1, pool, h, 200_000)
    s.ct.packet(c, 0, pool, h, 100_000)
    s.ct.poll(400_300)
    expect(s.ct.exists(c)).toBe(false)
  })

  test('many at once are spread over several polls', () => {
    const s = new Setup(10_000)
    for (let i = 0; i < 10_000; i++) s.make(i)
    s.ct.poll(301_000)
    expect(s.ct.count).toBeGreaterThan(0)
    expect(s.ct.pollAt()).toBeLessThanOrEqual(301_000)
    for (let i = 0; i < 3; i++) s.ct.poll(301_000)
    expect(s.ct.count).toBe(0)
    expect(s.ct.pollAt()).toBeUndefined()
  })

  test('the wheel shows each member at its tick, however the wheel turns', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 19 }), fc.integer({ min: 1, max: 20_000 })), {
          maxLength: 100,
        }),
        (events) => {
          const wheel = new ExpiryWheel()
          wheel.reserve(20)
          const wanted = new Map<number, number>()
          let now = 1
          for (const [member, ahead] of events) {
            if (wanted.has(member)) wheel.remove(member)
            wanted.set(member, now + ahead)
            expect(wheel.insert(member, now + ahead)).toBeLessThanOrEqual(now + ahead)
            now += ahead >> 2
            for (let m = wheel.due(now); m >= 0; m = wheel.due(now)) {
              wheel.remove(m)
              if (wanted.get(m)! <= now) wanted.delete(m)
              else wheel.insert(m, wanted.get(m)!)
            }
            for (const due of wanted.values()) expect(due).toBeGreaterThan(now)
            const next = wheel.next()
            if (wanted.size === 0) expect(next).toBe(-1)
            else expect(next).toBeLessThanOrEqual(Math.min(...wanted.values()))
          }
        },
      ),
    )
  })
})
