import { expect, test } from 'vitest'
import type { PortStatus } from '../../../engine/dpif.ts'
import { RateMeter } from '../../../src/daemon/rates.ts'

function port(name: string, packets: number): PortStatus {
  const stats = { rx_packets: packets, rx_bytes: packets * 100, tx_packets: 0, tx_bytes: 0 }
  return { name, bridge: 'br0', ofport: 1, portNo: 1, type: 'tap', link: 'up', stats }
}

test('rates come from two samples; a port that is new or began anew has none below zero', async () => {
  const samples = [
    [port('a', 0), port('b', 1000)],
    [port('a', 1000), port('b', 10), port('c', 5)],
  ]
  let n = 0
  const meter = new RateMeter(async () => samples[Math.min(n++, 1)]!)
  const { ports, rates } = await meter.look()
  expect(ports.map((p) => p.name)).toEqual(['a', 'b', 'c'])
  expect(rates('a').rxPacketRate).toBeGreaterThan(0)
  expect(rates('a').rxBitRate).toBeCloseTo(rates('a').rxPacketRate * 800)
  expect(rates('a').txPacketRate).toBe(0)
  expect(rates('b').rxPacketRate).toBe(0)
  expect(rates('c').rxPacketRate).toBe(0)
  expect(rates('nobody').rxPacketRate).toBe(0)
})
