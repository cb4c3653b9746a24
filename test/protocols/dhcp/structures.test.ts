import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AddressIndex } from '../../../protocols/dhcp/address-index.ts'
import { DeadlineHeap } from '../../../protocols/dhcp/deadline-heap.ts'
import { Fifo } from '../../../protocols/dhcp/fifo.ts'
import { Numbered } from '../../../protocols/dhcp/numbered.ts'
import { VacantAddresses } from '../../../protocols/dhcp/vacant-addresses.ts'

const steps = fc.array(
  fc.tuple(
    fc.constantFrom('put', 'remove', 'pop'),
    fc.nat(19),
    fc.oneof(fc.nat(50), fc.constant(Number.POSITIVE_INFINITY)),
  ),
  { maxLength: 200 },
)

describe('DeadlineHeap', () => {
  it('does what a sorted list does', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const heap = new DeadlineHeap()
        const twin = new Map<number, number>()
        for (const [what, item, at] of list) {
          if (what === 'put') {
            heap.schedule(item, at)
            if (at === Number.POSITIVE_INFINITY) twin.delete(item)
            else twin.set(item, at)
          } else if (what === 'remove') {
            heap.cancel(item)
            twin.delete(item)
          } else {
            const due = Math.min(...twin.values())
            const got = heap.popDue(at)
            expect(twin.get(got)).toBe(twin.size > 0 && due <= at ? due : undefined)
            if (got < 0) expect(got).toBe(-1)
            else expect(heap.deadlineOf(got)).toBe(due)
            twin.delete(got)
          }
          expect(heap.size).toBe(twin.size)
          expect(heap.nextDue).toBe(twin.size === 0 ? undefined : Math.min(...twin.values()))
        }
      }),
    )
  })
})

describe('Fifo', () => {
  it('does what a list does', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const fifo = new Fifo()
        const twin: number[] = []
        for (const [what, i] of list) {
          const item = what === 'pop' ? fifo.first : i
          if (item < 0) continue
          if (what === 'put') {
            if (twin.includes(item)) expect(() => fifo.push(item)).toThrow()
            else {
              fifo.push(item)
              twin.push(item)
            }
          } else {
            fifo.remove(item)
            if (twin.includes(item)) twin.splice(twin.indexOf(item), 1)
          }
          expect(fifo.size).toBe(twin.length)
          expect(fifo.first).toBe(twin[0] ?? -1)
          expect(fifo.has(i)).toBe(twin.includes(i))
        }
        while (fifo.first >= 0) {
          expect(fifo.first).toBe(twin.shift())
          fifo.remove(fifo.first)
        }
        expect(twin).toEqual([])
      }),
    )
  })
})

describe('AddressIndex', () => {
  it('does what a map does, with as many blocks as it needs', () => {
    const address = fc.constantFrom(0, 63, 64, 0x0a000001, 0x0a000002, 0xc0a80101, 0xffffffff)
    const step = fc.tuple(fc.constantFrom('set', 'delete'), address, fc.nat(9))
    fc.assert(
      fc.property(fc.array(step), address, (list, other) => {
        const index = new AddressIndex()
        const twin = new Map<number, number>()
        let most = 0
        for (const [what, at, number] of list) {
          if (what === 'set') {
            index.set(at, number)
            twin.set(at, number)
          } else {
            index.delete(at)
            twin.delete(at)
          }
          expect([index.get(at), index.get(other)]).toEqual([twin.get(at) ?? -1, twin.get(other) ?? -1])
          expect(index.size).toBe(twin.size)
          most = Math.max(most, new Set([...twin.keys()].map((a) => a >>> 6)).size)
          expect(index.blocks).toBe(most)
        }
      }),
    )
  })
})

describe('Numbered', () => {
  it('does what a map does, by the smallest numbers there can be', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const numbered = new Numbered<number>()
        const twin = new Map<number, number | undefined>()
        let most = 0
        for (const [what, i, at] of list) {
          const id = what === 'put' ? numbered.take() : [...twin.keys()][i]
          if (id === undefined) continue
          if (what === 'put') {
            expect(twin.has(id)).toBe(false)
            numbered.set(id, at)
            twin.set(id, at)
          } else if (what === 'remove') {
            numbered.giveBack(id)
            twin.delete(id)
          } else {
            numbered.clear(id)
            twin.set(id, undefined)
          }
          most = Math.max(most, twin.size)
          expect(numbered.size).toBe(twin.size)
          expect(id).toBeLessThan(most)
          for (let n = -1; n <= most; n++) expect(numbered.get(n)).toBe(twin.get(n))
          expect([...numbered.values()].sort()).toEqual(
            [...twin.values()].filter((v) => v !== undefined).sort(),
          )
        }
        numbered.clearAll()
        expect([...numbered.values()]).toEqual([])
        expect(numbered.size).toBe(twin.size)
      }),
    )
  })
})

describe('VacantAddresses', () => {
  it('keeps nothing of what is returned from ahead of those it has named', () => {
    const vacant = new VacantAddresses([
      { first: 100, last: 1099 },
      { first: 10, last: 19 },
    ])
    const taken = vacant.take(() => true)!.address
    for (let i = 0; i < 1000; i++) vacant.giveBack(i < 10 ? 10 + i : 100 + i, i)
    expect(vacant.returned).toBe(0)
    vacant.giveBack(taken, 5)
    expect(vacant.returned).toBe(1)
    expect(vacant.take(() => true)).toEqual({ address: taken, probedAt: 5 })
    const rest = new Set(Array.from({ length: 1009 }, () => vacant.take(() => true)!.address))
    expect(rest.size).toBe(1009)
    expect(vacant.take(() => true)).toBeUndefined()
  })

  it('yields every free address once, and what came back again, without growing', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(29), { maxLength: 300 }), (list) => {
        const vacant = new VacantAddresses([
          { first: 100, last: 119 },
          { first: 200, last: 209 },
        ])
        const addresses = [...Array(20).keys()]
          .map((i) => 100 + i)
          .concat([...Array(10).keys()].map((i) => 200 + i))
        const taken = new Set<number>()
        const free = (a: number) => !taken.has(a)
        for (const i of list) {
          const address = addresses[i]
          if (taken.has(address)) {
            taken.delete(address)
            vacant.giveBack(address, i)
          } else if (i % 2) {
            // By request, past the order of the ranges.
            taken.add(address)
          } else {
            const got = vacant.take(free)
            expect(got !== undefined).toBe(taken.size < 30)
            if (got === undefined) continue
            expect(taken.has(got.address)).toBe(false)
            expect(addresses).toContain(got.address)
            taken.add(got.address)
          }
          expect(vacant.returned).toBeLessThanOrEqual(30)
        }
        for (let n = taken.size; n < 30; n++) taken.add(vacant.take(free)!.address)
        expect(vacant.take(free)).toBeUndefined()
      }),
    )
  })
})
