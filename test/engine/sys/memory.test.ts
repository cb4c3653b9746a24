import { expect, test } from 'vitest'
import { errno, errnoName, munmap, open, SystemError } from '../../../engine/sys/libc.ts'
import { mapMemory, unmapMemory, viewMemory } from '../../../engine/sys/memory.ts'

test('mapped memory is zeroed, page aligned, and the same through every view of its address', () => {
  const memory = mapMemory(10_000)
  expect(memory.address % 4096).toBe(0)
  expect(memory.bytes.length).toBe(10_000)
  expect(memory.bytes.every((byte) => byte === 0)).toBe(true)
  const again = viewMemory(memory.address + 5000, 10)
  again[0] = 77
  expect(memory.bytes[5000]).toBe(77)
  unmapMemory(memory.address, 10_000)
})

test('what cannot be had is said by name', () => {
  expect(() => mapMemory(2 ** 46)).toThrow(SystemError)
  expect(() => mapMemory(2 ** 46)).toThrow('ENOMEM')
  expect(munmap(1, 1)).toBe(-1)
  expect(errnoName(errno())).toBe('EINVAL')
  expect(open('/no/such/file', 0, 0)).toBe(-1)
  expect(errnoName(errno())).toBe('ENOENT')
  expect([errnoName(11), errnoName(77), errnoName(100), errnoName(9999)]).toEqual([
    'EAGAIN',
    'EBADFD',
    'ENETDOWN',
    'errno 9999',
  ])
})
