import { afterEach, beforeEach, expect, test } from 'vitest'
import { IoUring } from '../../../engine/sys/io-uring.ts'
import { EAGAIN, EBADF, EFAULT } from '../../../engine/sys/libc.ts'
import { mapMemory } from '../../../engine/sys/memory.ts'
import { WakeFd } from '../../../engine/sys/wake-fd.ts'

/** Its descriptor adds up the 64-bit numbers written to it; a read takes the sum, or fails when it is 0. */
let counter: WakeFd
let ring: IoUring
const { address, bytes } = mapMemory(64)
const numbers = new BigUint64Array(bytes.buffer)

beforeEach(() => {
  counter = new WakeFd()
  ring = new IoUring(8)
})
afterEach(() => {
  ring.close()
  counter.close()
})

test('all is done in the order it was asked for, each with its own result', () => {
  numbers.set([2n, 3n, 0n, 0n, 0n])
  ring.write(counter.fd, address, 8)
  ring.write(counter.fd, address + 8, 8)
  ring.read(counter.fd, address + 16, 8)
  ring.read(counter.fd, address + 24, 8)
  ring.write(counter.fd, address, 8)
  ring.read(counter.fd, address + 32, 8)
  expect(ring.waiting).toBe(6)
  expect(ring.submit()).toBe(6)
  expect([...ring.results.subarray(0, 6)]).toEqual([8, 8, 8, -EAGAIN, 8, 8])
  expect([...numbers.subarray(2, 5)]).toEqual([5n, 0n, 2n])
  expect(ring.waiting).toBe(0)
  expect(ring.submit()).toBe(0)
})

test('a request that fails leaves the others alone', () => {
  numbers.set([1n, 0n])
  ring.write(counter.fd, address, 8)
  ring.write(-1, address, 8)
  ring.write(counter.fd, 8, 8)
  ring.read(counter.fd, address + 8, 8)
  ring.submit()
  expect([...ring.results.subarray(0, 4)]).toEqual([8, -EBADF, -EFAULT, 8])
  expect(numbers[1]).toBe(1n)
})

test('the rings go round', () => {
  for (let round = 0; round < 1000; round++) {
    const count = 1 + (round % (ring.capacity - 1))
    numbers[0] = BigInt(round + 1)
    for (let i = 0; i < count; i++) ring.write(counter.fd, address, 8)
    ring.read(counter.fd, address + 8, 8)
    expect(ring.submit()).toBe(count + 1)
    expect(ring.results[count]).toBe(8)
    expect(numbers[1]).toBe(BigInt(count) * numbers[0])
  }
})
