import { expect, test } from 'vitest'
import { stationOf } from '../../../engine/ofproto/tags.ts'
import { Fdb, type StationWatch } from '../../../engine/tables/fdb.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { SECOND } from '../../../protocols/time.ts'

const AGING = 300 * SECOND
const BRIDGE = 3

class Watch implements StationWatch {
  readonly changed: number[] = []
  /** What cached flows have carried: station and address to the time. */
  readonly carried = new Map<string, number>()
  stationChanged(tag: number): void {
    this.changed.push(tag)
  }
  lastHeard(_tag: number, station: number, mac: number): number {
    return this.carried.get(`${station} ${mac}`) ?? Number.NEGATIVE_INFINITY
  }
}

function rows(fdb: Fdb): string[] {
  const out: string[] = []
  fdb.walk(
    0,
    (vlan, mac, port, used, fixed) => out.push(`${vlan} ${mac} ${port} ${fixed ? 'static' : used}`) > 0,
  )
  return out.sort()
}

const A = 0x0200_0000_000a
const B = 0x0200_0000_000b
const C = 0x0200_0000_000c

test('IEEE 802.1Q §8.8.3: a station silent for the ageing time is forgotten', () => {
  const watch = new Watch()
  const fdb = new Fdb(watch, BRIDGE, 100, AGING)
  fdb.learn(0, A, 1, 0)
  fdb.expire(AGING - 1)
  expect(fdb.lookup(0, A)).toBe(1)
  watch.changed.length = 0
  fdb.expire(AGING)
  expect(fdb.lookup(0, A)).toBe(-1)
  expect(watch.changed).toEqual([fdb.tag(0, A)])
})

test('being heard again, itself or by a cached flow, keeps a station', () => {
  const watch = new Watch()
  const fdb = new Fdb(watch, BRIDGE, 100, AGING)
  for (const mac of [A, B, C]) fdb.learn(5, mac, 1, 0)
  fdb.learn(5, A, 1, 100 * SECOND)
  watch.carried.set(`${stationOf(BRIDGE, 5)} ${B}`, 150 * SECOND)
  // The flow that carried C's frames is gone, and said so.
  fdb.heard(5, C, 200 * SECOND)
  fdb.heard(5, C, 50 * SECOND)
  fdb.expire(AGING)
  expect(rows(fdb)).toHaveLength(3)
  fdb.expire(100 * SECOND + AGING)
  expect(fdb.lookup(5, A)).toBe(-1)
  fdb.expire(150 * SECOND + AGING)
  expect(fdb.lookup(5, B)).toBe(-1)
  fdb.expire(200 * SECOND + AGING - 1)
  expect(fdb.lookup(5, C)).toBe(1)
  fdb.expire(200 * SECOND + AGING)
  expect(fdb.size).toBe(0)
})

test('news of a station that is not known, or does not age, changes nothing', () => {
  const fdb = new Fdb(new Watch(), BRIDGE, 100, AGING)
  fdb.addStatic(0, A, 1)
  fdb.heard(0, A, 5)
  fdb.heard(0, B, 5)
  expect(rows(fdb)).toEqual([`0 ${A} 1 static`])
})

test('a station that moves is found on its new port at once; one of its VLANs says nothing of another', () => {
  const watch = new Watch()
  const fdb = new Fdb(watch, BRIDGE, 100, AGING)
  fdb.learn(1, A, 1, 0)
  fdb.learn(2, A, 2, 0)
  watch.changed.length = 0
  fdb.learn(1, A, 3, 1)
  expect([fdb.lookup(1, A), fdb.lookup(2, A), fdb.lookup(3, A)]).toEqual([3, 2, -1])
  expect(watch.changed).toEqual([fdb.tag(1, A)])
  fdb.learn(1, A, 3, 2)
  expect(watch.changed).toHaveLength(1)
})

test('static entries neither age nor move, survive flush, resize and a full table, and go with their port', () => {
  const fdb = new Fdb(new Watch(), BRIDGE, 10, AGING)
  fdb.learn(0, A, 5, 0)
  fdb.addStatic(0, A, 1)
  fdb.addStatic(0, B, 1)
  for (let i = 0; i < 100; i++) fdb.learn(0, C + i, 2, i)
  fdb.learn(0, A, 2, 1)
  expect(fdb.size).toBe(12)
  fdb.resize(4)
  expect(fdb.size).toBe(6)
  fdb.expire(10 * AGING)
  fdb.flush()
  expect(rows(fdb)).toEqual([`0 ${A} 1 static`, `0 ${B} 1 static`])
  fdb.removePort(1)
  expect(fdb.size).toBe(0)
})

test('more static entries than there was room for', () => {
  const fdb = new Fdb(new Watch(), BRIDGE, 10, AGING)
  for (let i = 0; i < 5; i++) fdb.learn(0, A + i, 1, i)
  for (let i = 0; i < 500; i++) fdb.addStatic(1, C + i, 2)
  expect(fdb.size).toBe(505)
  for (let i = 0; i < 500; i++) expect(fdb.lookup(1, C + i)).toBe(2)
  for (let i = 0; i < 5; i++) expect(fdb.lookup(0, A + i)).toBe(1)
})

test('a full table forgets who was silent for longest, by what flows know too', () => {
  const watch = new Watch()
  const fdb = new Fdb(watch, BRIDGE, 3, AGING)
  fdb.learn(0, A, 1, 1)
  fdb.learn(0, B, 1, 2)
  fdb.learn(0, C, 1, 3)
  watch.carried.set(`${stationOf(BRIDGE, 0)} ${A}`, 4)
  watch.changed.length = 0
  fdb.learn(0, C + 1, 1, 5)
  expect(rows(fdb)).toEqual([`0 ${A} 1 4`, `0 ${C} 1 3`, `0 ${C + 1} 1 5`].sort())
  expect(watch.changed).toEqual([fdb.tag(0, B), fdb.tag(0, C + 1)])
})

test('a smaller bound forgets those silent for longest, a larger one nobody', () => {
  const watch = new Watch()
  const fdb = new Fdb(watch, BRIDGE, 10, AGING)
  for (let i = 0; i < 10; i++) fdb.learn(0, A + i, 1, i)
  fdb.learn(0, A, 1, 20)
  watch.changed.length = 0
  fdb.resize(3)
  expect(rows(fdb)).toEqual([`0 ${A} 1 20`, `0 ${A + 8} 1 8`, `0 ${A + 9} 1 9`].sort())
  expect(watch.changed.sort()).toEqual([1, 2, 3, 4, 5, 6, 7].map((i) => fdb.tag(0, A + i)).sort())
  fdb.resize(100)
  expect(fdb.size).toBe(3)
})

test('behaves as a Map does, and reports every change under its tag', () => {
  const random = seededRandom(11)
  const below = (n: number) => random() % n
  const watch = new Watch()
  const fdb = new Fdb(watch, BRIDGE, 16, 50)
  const twin = new Map<string, { vlan: number; mac: number; port: number; used: number; fixed: boolean }>()
  const dropOldest = () => {
    const learned = [...twin].filter(([, s]) => !s.fixed)
    // Map order is order of being heard.
    twin.delete(learned[0][0])
  }
  let now = 0
  let limit = 16
  for (let i = 0; i < 30_000; i++) {
    now += below(3)
    const vlan = below(2)
    const mac = A + below(16)
    const port = below(4)
    const key = `${vlan} ${mac}`
    const before = new Map([...twin].map(([k, s]) => [k, { ...s }]))
    watch.changed.length = 0
    const action = below(200)
    if (action < 150) {
      fdb.learn(vlan, mac, port, now)
      const known = twin.get(key)
      if (!known?.fixed) {
        const learned = [...twin.values()].filter((s) => !s.fixed).length
        if (known === undefined && learned >= limit) dropOldest()
        twin.delete(key)
        twin.set(key, { vlan, mac, port, used: now, fixed: false })
      }
    } else if (action < 160) {
      const at = now - below(20)
      fdb.heard(vlan, mac, at)
      const known = twin.get(key)
      if (known !== undefined && !known.fixed && at > known.used) {
        twin.delete(key)
        twin.set(key, { ...known, used: at })
      }
    } else if (action < 180) {
      fdb.expire(now)
      for (const [k, s] of [...twin]) if (!s.fixed && s.used + 50 <= now) twin.delete(k)
    } else if (action < 184) {
      fdb.addStatic(vlan, mac, port)
      twin.delete(key)
      twin.set(key, { vlan, mac, port, used: Number.POSITIVE_INFINITY, fixed: true })
    } else if (action < 190) {
      fdb.removePort(port)
      for (const [k, s] of [...twin]) if (s.port === port) twin.delete(k)
    } else if (action < 192) {
      fdb.flush()
      for (const [k, s] of [...twin]) if (!s.fixed) twin.delete(k)
    } else if (action < 196) {
      limit = 4 + below(16)
      fdb.resize(limit)
      while ([...twin.values()].filter((s) => !s.fixed).length > limit) dropOldest()
    } else if (action < 198) {
      fdb.renumberPort(port, 3 - port)
      for (const [k, s] of twin) if (s.port === port) twin.set(k, { ...s, port: 3 - port })
    }
    const known = [...twin.values()].map((s) => `${s.vlan} ${s.mac} ${s.port} ${s.fixed ? 'static' : s.used}`)
    expect(rows(fdb).join()).toBe(known.sort().join())
    expect([fdb.size, fdb.lookup(vlan, mac)].join()).toBe([twin.size, twin.get(key)?.port ?? -1].join())
    for (const k of new Set([...before.keys(), ...twin.keys()])) {
      if (before.get(k)?.port === twin.get(k)?.port) continue
      const { vlan: v, mac: m } = (twin.get(k) ?? before.get(k))!
      if (!watch.changed.includes(fdb.tag(v, m))) throw new Error(`nothing was said of ${v} ${m}`)
    }
  }
})

test('a walk in pages sees every entry once', () => {
  const fdb = new Fdb(new Watch(), BRIDGE, 1000, AGING)
  for (let i = 0; i < 1000; i++) fdb.learn(0, A + i, 1, 0)
  const seen: number[] = []
  for (let from: number | undefined = 0; from !== undefined; ) {
    let page = 0
    from = fdb.walk(from, (_vlan, mac) => {
      seen.push(mac)
      return ++page < 7
    })
  }
  expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => A + i))
})

test('a flood of 1,000,000 addresses stays within the bound', () => {
  const fdb = new Fdb(new Watch(), BRIDGE, 2048, AGING)
  for (let i = 0; i < 1_000_000; i++) fdb.learn(0, 0x0200_0000_0000 + i, 1, i)
  expect(fdb.size).toBe(2048)
  expect(fdb.lookup(0, 0x0200_0000_0000 + 999_999)).toBe(1)
  expect(fdb.lookup(0, 0x0200_0000_0000 + 1_000_000 - 2049)).toBe(-1)
})
