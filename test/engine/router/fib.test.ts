import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addressClasses,
  CLASS_LIMITED_BROADCAST,
  CLASS_MARTIAN,
  CLASS_MULTICAST,
  CLASS_THIS_HOST,
  CLASS_UNICAST,
  interfacePosition,
  isOwn,
  isSubnetBroadcast,
} from '../../../engine/router/address-class.ts'
import { Fib } from '../../../engine/router/fib.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { mask } from '../../../protocols/wire/ipv4.ts'
import { DEFAULT_ROUTER, ip } from './lab.ts'

interface Entry {
  address: number
  bits: number
}

/** The obvious twin: look at every prefix. */
function longest(entries: readonly Entry[], address: number): number {
  let best = -1
  entries.forEach((e, i) => {
    const inside = ((e.address ^ address) & mask(e.bits)) === 0
    const first = entries.findIndex(
      (o) => o.bits === e.bits && ((o.address ^ e.address) & mask(e.bits)) === 0,
    )
    if (inside && first === i && (best < 0 || e.bits > entries[best].bits)) best = i
  })
  return best
}

/** Addresses that share bits with one another, so that prefixes nest. */
const address = fc
  .tuple(
    fc.constantFrom(0x0a000000, 0x0a800000, 0xc0a80000, 0, 0xffffff00),
    fc.integer({ min: 0, max: 1023 }),
  )
  .map(([base, low]) => (base ^ low) >>> 0)
const entry = fc.record({ address, bits: fc.integer({ min: 0, max: 32 }) })

describe('longest-prefix match', () => {
  test('agrees with looking at every prefix', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 60 }),
        fc.array(address, { maxLength: 30 }),
        (entries, asked) => {
          const fib = new Fib()
          entries.forEach((e, i) => {
            fib.add(e.address, e.bits, i)
          })
          expect(asked.map((a) => fib.lookup(a))).toEqual(asked.map((a) => longest(entries, a)))
        },
      ),
      { numRuns: 500 },
    )
  })

  test('every address that shares the examined bits gets the same answer', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 60 }),
        address,
        fc.array(fc.nat(0xffffffff), { minLength: 20, maxLength: 20 }),
        (entries, asked, noise) => {
          const fib = new Fib()
          entries.forEach((e, i) => {
            fib.add(e.address, e.bits, i)
          })
          const value = fib.lookup(asked)
          const m = mask(fib.examined)
          const alike = noise.map((n) => ((asked & m) | (n & ~m)) >>> 0)
          expect(alike.filter((a) => fib.lookup(a) !== value)).toEqual([])
        },
      ),
      { numRuns: 500 },
    )
  })

  test('a default route alone needs no bit at all, an empty table neither', () => {
    const fib = new Fib()
    expect(fib.lookup(ip('10.0.0.1'))).toBe(-1)
    expect(fib.examined).toBe(0)
    fib.add(0, 0, 5)
    expect(fib.lookup(ip('10.0.0.1'))).toBe(5)
    expect(fib.examined).toBe(0)
  })

  test('bits are examined only as far as needed to tell prefixes apart', () => {
    const fib = new Fib()
    fib.add(0, 0, 0)
    fib.add(ip('10.0.0.0'), 24, 1)
    expect(fib.lookup(ip('192.168.0.1'))).toBe(0)
    expect(fib.examined).toBe(1)
    expect(fib.lookup(ip('10.0.0.1'))).toBe(1)
    expect(fib.examined).toBe(24)
  })

  test('a prefix added twice keeps its first value', () => {
    const fib = new Fib()
    expect(fib.add(ip('10.0.0.0'), 8, 1)).toBe(-1)
    expect(fib.add(ip('10.9.9.9'), 8, 2)).toBe(1)
    expect(fib.lookup(ip('10.1.1.1'))).toBe(1)
    expect(fib.size).toBe(1)
  })

  test('holds 100,000 routes', () => {
    const fib = new Fib()
    const random = seededRandom(3)
    const routes = new Map<number, number>()
    while (routes.size < 100_000) routes.set((random() & 0xffffff00) >>> 0, routes.size)
    for (const [prefix, i] of routes) fib.add(prefix, 24, i)
    expect(fib.size).toBe(100_000)
    expect([...routes].filter(([prefix, i]) => fib.lookup(prefix + 77) !== i)).toEqual([])
    let misses = 0
    const wrong: number[] = []
    for (let i = 0; i < 100_000; i++) {
      const a = random()
      const value = fib.lookup(a)
      if (value !== (routes.get((a & 0xffffff00) >>> 0) ?? -1)) wrong.push(a)
      if (value < 0) misses++
    }
    expect(wrong).toEqual([])
    expect(misses).toBeGreaterThan(0)
  })
})

describe('kinds of address', () => {
  const classes = addressClasses(DEFAULT_ROUTER)

  test.each([
    ['10.0.0.1', CLASS_UNICAST],
    ['8.8.8.8', CLASS_UNICAST],
    ['0.0.0.0', CLASS_THIS_HOST],
    ['0.0.0.1', CLASS_MARTIAN],
    ['127.0.0.1', CLASS_MARTIAN],
    ['224.0.0.1', CLASS_MULTICAST],
    ['239.255.255.255', CLASS_MULTICAST],
    ['240.0.0.1', CLASS_MARTIAN],
    ['255.255.255.254', CLASS_MARTIAN],
    ['255.255.255.255', CLASS_LIMITED_BROADCAST],
  ])('%s', (text, kind) => {
    expect(classes.lookup(ip(text))).toBe(kind)
  })

  test('own addresses and the broadcasts of own subnets know their interface', () => {
    expect(isOwn(classes.lookup(ip('192.168.100.11')))).toBe(true)
    expect(interfacePosition(classes.lookup(ip('192.168.100.11')))).toBe(1)
    for (const text of ['192.168.100.255', '192.168.100.0']) {
      expect(isSubnetBroadcast(classes.lookup(ip(text)))).toBe(true)
      expect(interfacePosition(classes.lookup(ip(text)))).toBe(1)
    }
  })

  test('RFC 3021: a /31 has no broadcast address', () => {
    const [eth0] = DEFAULT_ROUTER.interfaces
    const c = addressClasses({
      ...DEFAULT_ROUTER,
      interfaces: [{ ...eth0, addresses: [{ address: ip('10.0.0.0'), prefixLength: 31 }] }],
    })
    expect(isOwn(c.lookup(ip('10.0.0.0')))).toBe(true)
    expect(c.lookup(ip('10.0.0.1'))).toBe(CLASS_UNICAST)
  })
})
