import { describe, expect, test } from 'vitest'
import * as icmp from '../../../protocols/wire/icmpv4.ts'
import { bytes, Lab } from './lab.ts'

const B = '192.168.100.1'
const OUT = [192, 168, 100, 11]

/** The options of what b receives when a sends these. */
function through(options: readonly number[]): { lab: Lab; seen: number[] | undefined } {
  const lab = new Lab()
  lab.a.send({ dst: B, payload: bytes(16), options: Uint8Array.from(options) })
  const [seen] = lab.b.takeIp()
  return { lab, seen: seen === undefined ? undefined : [...seen.ip!.options!] }
}

describe('RFC 1812 §5.2.4 options', () => {
  test.each([
    ['loose', 131],
    ['strict', 137],
  ])('RFC 7126 §4.3: a %s source route is refused with code 5', (_name, kind) => {
    const { lab, seen } = through([kind, 7, 4, 10, 0, 0, 9, 0])
    expect(seen).toBeUndefined()
    const [error] = lab.a.takeIp()
    expect(error.icmp).toMatchObject({ type: icmp.DESTINATION_UNREACHABLE, code: icmp.SOURCE_ROUTE_FAILED })
    expect(lab.drops()).toEqual({ 'router-options': 1 })
  })

  test('§4.2.2.1: a malformed option is answered with a parameter problem that points at it', () => {
    const { lab, seen } = through([1, 7, 99, 4])
    expect(seen).toBeUndefined()
    const [error] = lab.a.takeIp()
    expect(error.icmp).toMatchObject({ type: icmp.PARAMETER_PROBLEM, code: 0 })
    expect(error.icmp!.rest >>> 24).toBe(22)
    expect(lab.drops()).toEqual({ 'router-options': 1 })
  })

  test('record route: the address of the way out, while there is room', () => {
    const { seen } = through([7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(seen).toEqual([7, 11, 8, ...OUT, 0, 0, 0, 0, 0])
    expect(through([7, 7, 8, 1, 2, 3, 4, 0]).seen).toEqual([7, 7, 8, 1, 2, 3, 4, 0])
  })

  test('record route in an echo request comes back with the replying address', () => {
    const lab = new Lab()
    lab.a.ping('10.0.0.254', 8, { options: Uint8Array.from([7, 7, 4, 0, 0, 0, 0, 0]) })
    expect([...lab.a.takeIp()[0].ip!.options!]).toEqual([7, 7, 8, 10, 0, 0, 254, 0])
  })

  test('timestamp: the time; with addresses; only where we are named', () => {
    // Stations' clocks of the lab stand at 1,000,000 + 20,000 ms.
    const time = [0, 0x0f, 0x90, 0x60]
    expect(through([68, 8, 5, 0, 0, 0, 0, 0]).seen).toEqual([68, 8, 9, 0, ...time])
    expect(through([68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0]).seen).toEqual([68, 12, 13, 1, ...OUT, ...time])
    expect(through([68, 12, 5, 3, ...OUT, 0, 0, 0, 0]).seen).toEqual([68, 12, 13, 3, ...OUT, ...time])
    expect(through([68, 12, 5, 3, 1, 2, 3, 4, 0, 0, 0, 0]).seen).toEqual([
      68, 12, 5, 3, 1, 2, 3, 4, 0, 0, 0, 0,
    ])
  })

  test('timestamp: a full one counts those that found no room', () => {
    expect(through([68, 8, 9, 0, 1, 2, 3, 4]).seen).toEqual([68, 8, 9, 0x10, 1, 2, 3, 4])
    expect(through([68, 8, 9, 0xf0, 1, 2, 3, 4]).seen).toEqual([68, 8, 9, 0xf0, 1, 2, 3, 4])
  })

  test('options we do not know pass as they are', () => {
    expect(through([148, 4, 0, 0, 222, 4, 9, 9]).seen).toEqual([148, 4, 0, 0, 222, 4, 9, 9])
  })
})
