import { closeSync, openSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { POLL_ERROR, POLLIN, Poller } from '../../../engine/sys/poller.ts'
import { WakeFd } from '../../../engine/sys/wake-fd.ts'

const open: WakeFd[] = []
const wake = () => {
  const w = new WakeFd()
  open.push(w)
  return w
}
afterEach(() => {
  for (const w of open.splice(0)) w.close()
})

test('a ring is seen until it is drained, and many are one', () => {
  const poller = new Poller(4)
  const [a, b] = [wake(), wake()]
  const slotA = poller.add(a.fd)
  const slotB = poller.add(b.fd)
  expect(poller.wait(0)).toBe(0)
  b.signal()
  b.signal()
  expect(poller.wait(-1)).toBe(1)
  expect([poller.ready(slotA), poller.ready(slotB)]).toEqual([0, POLLIN])
  expect(b.drain()).toBe(true)
  expect(b.drain()).toBe(false)
  expect(poller.wait(0)).toBe(0)
  expect(poller.ready(slotB)).toBe(0)
})

test('another holder of the descriptor rings the same bell', () => {
  const mine = wake()
  const theirs = new WakeFd(mine.fd)
  theirs.signal()
  expect(mine.drain()).toBe(true)
})

test('slots stay where they are when others are removed, and are given again', () => {
  const poller = new Poller(3)
  const [a, b, c] = [wake(), wake(), wake()]
  const slots = [a, b, c].map((w) => poller.add(w.fd))
  expect(() => poller.add(a.fd)).toThrow(RangeError)
  poller.remove(slots[0])
  c.signal()
  a.signal()
  expect(poller.wait(0)).toBe(1)
  expect(poller.ready(slots[2])).toBe(POLLIN)
  expect(poller.add(a.fd)).toBe(slots[0])
  expect(poller.wait(0)).toBe(2)
})

test('a descriptor that was closed reports an error rather than nothing', () => {
  const poller = new Poller(1)
  const fd = openSync('/dev/null', 'r')
  closeSync(fd)
  const slot = poller.add(fd)
  expect(poller.wait(-1)).toBe(1)
  expect(poller.ready(slot) & POLL_ERROR).not.toBe(0)
})
