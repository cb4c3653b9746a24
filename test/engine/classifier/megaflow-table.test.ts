import { expect, test } from 'vitest'
import { MegaflowTable } from '../../../engine/classifier/megaflow-table.ts'
import { PacketCounter } from '../../../engine/ofproto/packet-counter.ts'
import { FIRST_OWN_TAG } from '../../../engine/ofproto/tags.ts'
import { KEY_WORDS, W_DL_MIX, W_DL_SRC, W_NW_DST } from '../../../protocols/flow-key.ts'
import { seededRandom } from '../../../protocols/random.ts'

interface TwinFlow {
  readonly key: Uint32Array
  readonly mask: Uint32Array
  readonly tags: number[]
  readonly station: number
  readonly code: number[]
  readonly generation: number
  used: number
}

/** Masks of which no two flows made below overlap in effect: word 0 tells the mask. */
const MASKS = [0, 1, 2, 3].map((n) => {
  const mask = new Uint32Array(KEY_WORDS)
  mask[0] = 0xff
  mask[W_DL_MIX] = 0xffff
  mask[W_DL_SRC] = 0xffff_ffff
  mask[W_NW_DST] = [0, 0xff00_0000, 0xffff_ff00, 0xffff_ffff][n]
  return mask
})

const LIMIT = 40
const random = seededRandom(7)
const below = (n: number) => random() % n

function arbitraryKey(): Uint32Array {
  const key = new Uint32Array(KEY_WORDS)
  key[0] = below(4)
  key[W_DL_MIX] = (below(4) << 16) | 0x0200
  key[W_DL_SRC] = below(3)
  key[W_NW_DST] = (0x0a00_0000 + below(2) * 0x0100_0000 + below(3) * 256 + below(3)) >>> 0
  return key
}

function matches(flow: TwinFlow, key: Uint32Array): boolean {
  return key.every((word, i) => ((word ^ flow.key[i]) & flow.mask[i]) === 0)
}

test('behaves as a list of masked keys, with tags, touch, expiry, eviction and stations', () => {
  const heard: [number, number, number][] = []
  const table = new MegaflowTable(LIMIT, 99, { stationHeard: (...args) => heard.push(args) })
  const twin = new Map<number, TwinFlow>()
  const generations = new Map<number, number>()
  let now = 0
  let evictions = 0

  /** Takes flows out of the twin that the table no longer has; they must have been told of. */
  const gone = (f: number) => {
    const flow = twin.get(f)!
    expect(table.records.generation(f)).toBe(flow.generation + 1)
    if (flow.station !== 0) {
      const mac = (flow.key[W_DL_MIX] & 0xffff) * 2 ** 32 + flow.key[W_DL_SRC]
      expect(heard).toContainEqual([flow.station, mac, flow.used])
    }
    twin.delete(f)
  }
  const present = () => {
    const out: number[] = []
    for (let f = table.next(0); f >= 0; f = table.next(f + 1)) out.push(f)
    return out
  }

  for (let i = 0; i < 20_000; i++) {
    heard.length = 0
    now += below(3)
    const action = below(100)
    if (action < 80) {
      const key = arbitraryKey()
      const f = table.lookup(key)
      const expected = [...twin].find(([, flow]) => matches(flow, key))?.[0] ?? -1
      expect(f).toBe(expected)
      if (f >= 0) {
        const flow = twin.get(f)!
        flow.used = now
        const at = table.records.use(f, 60, now)
        expect(table.code.subarray(at, at + flow.code.length)).toEqual(Int32Array.from(flow.code))
        continue
      }
      const tags = Uint32Array.from([below(6), 6 + below(6), FIRST_OWN_TAG - 2 + below(6)])
      const station = below(2) * (1 + below(5))
      const stations = Uint32Array.from([0, station, 0])
      const code = Array.from({ length: 1 + below(60) }, () => random() | 0)
      const mask = MASKS[key[0]]
      const before = present()
      const added = table.insert(key, mask, Int32Array.from(code), code.length, tags, stations, 3, now)
      expect(added).toBeGreaterThanOrEqual(0)
      if (before.length === LIMIT) {
        // One of the eight looked at made room, and none of those had been unused for longer.
        evictions++
        gone(added)
      }
      generations.set(added, table.records.generation(added))
      const own = key.map((w, k) => w & mask[k])
      twin.set(added, {
        key: own,
        mask,
        tags: [...tags],
        station,
        code,
        generation: table.records.generation(added),
        used: now,
      })
      expect(table.keyOf(added)).toEqual(own)
      expect(table.maskOf(added)).toEqual(mask)
    } else if (action < 84) {
      const tag = below(2) === 0 ? below(12) : FIRST_OWN_TAG - 2 + below(6)
      table.touch(tag)
      for (const [f, flow] of [...twin]) if (flow.tags.includes(tag)) gone(f)
    } else if (action < 88) {
      table.expire(now, 400)
      for (const [f, flow] of [...twin]) if (flow.used + 400 <= now) gone(f)
    } else if (action < 92) {
      const tag = 6 + below(6)
      const station = 1 + below(5)
      const mac = 0x0200_0000_0000 + below(3)
      const of = [...twin.values()].filter(
        (t) =>
          t.tags[1] === tag &&
          t.station === station &&
          (t.key[W_DL_MIX] & 0xffff) * 2 ** 32 + t.key[W_DL_SRC] === mac,
      )
      expect(table.lastHeard(tag, station, mac)).toBe(Math.max(-Infinity, ...of.map((t) => t.used)))
      const listed = [...twin.values()].filter((t) => t.tags.includes(tag))
      expect(table.lastUsed(tag)).toBe(Math.max(-Infinity, ...listed.map((t) => t.used)))
    } else if (twin.size > 0) {
      const f = [...twin.keys()][below(twin.size)]
      table.remove(f)
      gone(f)
      table.remove(f)
    }
    expect(present().join()).toBe([...twin.keys()].sort((a, b) => a - b).join())
    expect(table.count).toBe(twin.size)
    expect(table.masks).toBe(new Set([...twin.values()].map((t) => t.mask)).size)
  }
  expect(evictions).toBeGreaterThan(100)
  table.clear()
  expect(table.count).toBe(0)
})

test('at the limit the longest unused of the candidates makes room', () => {
  const table = new MegaflowTable(8, 1, { stationHeard: () => {} })
  const none = new Uint32Array(0)
  const add = (n: number, now: number) => {
    const key = new Uint32Array(KEY_WORDS)
    key[W_NW_DST] = n
    const mask = new Uint32Array(KEY_WORDS)
    mask[W_NW_DST] = 0xffff_ffff
    return table.insert(key, mask, Int32Array.of(0), 1, none, none, 0, now)
  }
  const flows = [5, 3, 8, 1, 9, 7, 2, 6].map((used, n) => add(n, used))
  expect(add(100, 10)).toBe(flows[3])
  expect(add(101, 10)).toBe(flows[6])
})

test('what many flows have carried is credited in several goes, each packet once', () => {
  const FLOWS = 10_000
  const table = new MegaflowTable(FLOWS * 2, 1, { stationHeard: () => {} })
  const none = new Uint32Array(0)
  const mask = new Uint32Array(KEY_WORDS)
  mask[W_NW_DST] = 0xffff_ffff
  const credited: [packets: number, bytes: number, used: number][] = []
  const counter = new PacketCounter()
  counter.credit = (...args) => credited.push(args)
  const flows = Array.from({ length: FLOWS }, (_, n) => {
    const key = new Uint32Array(KEY_WORDS)
    key[W_NW_DST] = n
    return table.insert(key, mask, Int32Array.of(0), 1, none, none, 0, 0, -1, [counter], 1)
  })
  const goes = () => {
    let n = 1
    while (!table.creditSome()) n++
    return n
  }
  for (const f of flows) table.records.use(f, 60, 5)
  expect(goes()).toBeGreaterThan(2)
  expect(credited).toEqual(flows.map(() => [1, 60, 5]))
  credited.length = 0
  expect(goes()).toBeGreaterThan(2)
  expect(credited).toEqual([])
  // All at once in the middle of it.
  for (const f of flows) table.records.use(f, 70, 6)
  expect(table.creditSome()).toBe(false)
  table.credit()
  goes()
  expect(credited).toEqual(flows.map(() => [1, 70, 6]))
})
