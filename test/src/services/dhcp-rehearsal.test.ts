import { expect, test } from 'vitest'
import { DhcpRehearsal } from '../../../src/services/dhcp-rehearsal.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

test('every client of the rehearsal gets its lease', () => {
  const rehearsal = new DhcpRehearsal(new VirtualClock())
  const granted: number[] = []
  for (let more = true; more; ) {
    more = rehearsal.step()
    granted.push(rehearsal.granted)
  }
  expect(granted.at(-1)).toBeGreaterThanOrEqual(3000)
  expect(granted).toEqual(granted.map((_, step) => (step + 1) * granted[0]!))
})
