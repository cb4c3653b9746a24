import { afterEach, expect, test } from 'vitest'
import { Doorbell } from '../../engine/doorbell.ts'
import { Poller } from '../../engine/sys/poller.ts'

let bell: Doorbell
afterEach(() => bell.close())

function pair(): { theirs: Doorbell; signalled: () => boolean } {
  bell = new Doorbell()
  const poller = new Poller(1)
  poller.add(bell.fd)
  return { theirs: new Doorbell(bell.plug), signalled: () => poller.wait(0) === 1 }
}

test('who is awake is not woken, and hears rings once', () => {
  const { theirs, signalled } = pair()
  theirs.ring()
  theirs.ring()
  expect(signalled()).toBe(false)
  expect([bell.heard(), bell.heard()]).toEqual([true, false])
})

test('who sleeps is woken once, and again only when it sleeps again', () => {
  const { theirs, signalled } = pair()
  expect(bell.doze()).toBe(true)
  theirs.ring()
  expect(signalled()).toBe(true)
  bell.awake(true)
  theirs.ring()
  expect(signalled()).toBe(false)
  expect(bell.heard()).toBe(true)
})

test('who has been rung does not fall asleep', () => {
  const { theirs, signalled } = pair()
  theirs.ring()
  expect(bell.doze()).toBe(false)
  theirs.ring()
  expect(signalled()).toBe(false)
})

test('to rouse ends the sleep and leaves nothing to be heard', () => {
  const { theirs, signalled } = pair()
  theirs.rouse()
  expect(signalled()).toBe(false)
  bell.doze()
  theirs.rouse()
  theirs.rouse()
  expect(signalled()).toBe(true)
  bell.awake(true)
  expect([signalled(), bell.heard()]).toEqual([false, false])
})
