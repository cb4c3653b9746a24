import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { OpenflowSwitch } from '../../../src/openflow/openflow-switch.ts'
import { SwitchOnDemand } from '../../../src/openflow/switch-on-demand.ts'
import { OpenflowLab } from '../../support/openflow-peer.ts'

interface Making {
  resolve(sw: OpenflowSwitch): void
  reject(error: Error): void
}

/** One that is made when the test says so, and how often it has been asked for. */
function onDemand() {
  const lines: string[] = []
  const makings: Making[] = []
  const make = () =>
    new Promise<OpenflowSwitch>((resolve, reject) => {
      makings.push({ resolve, reject })
    })
  return {
    lines,
    makings,
    sw: new SwitchOnDemand({ bridge: 'br0', make, log: (_, line) => lines.push(line) }),
  }
}

test('the switch is made once, for the first who needs it; who has gone by then is not given to it', async () => {
  const { makings, sw } = onDemand()
  expect(sw.made).toBeUndefined()
  const [first, gone, second] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const given: PassThrough[] = []
  for (const duplex of [first, gone, second]) sw.give(duplex, () => given.push(duplex))
  gone.destroy(new Error('reset by peer'))
  const made = new OpenflowLab().sw
  makings[0]!.resolve(made)
  expect(await sw.get()).toBe(made)
  await Promise.resolve()
  expect(sw.made).toBe(made)
  expect(given).toEqual([first, second])
  expect(makings).toHaveLength(1)
})

test('whose bridge is removed meanwhile is disconnected, and the switch closed when it has been made', async () => {
  const { makings, sw } = onDemand()
  const duplex = new PassThrough()
  sw.give(duplex, () => expect.unreachable())
  sw.close('the bridge is removed')
  const made = new OpenflowLab().sw
  const reasons: string[] = []
  made.close = (reason) => reasons.push(reason)
  makings[0]!.resolve(made)
  await sw.get()
  await Promise.resolve()
  expect(duplex.destroyed).toBe(true)
  expect(reasons).toEqual(['the bridge is removed'])
})

test('where it cannot be made, that is said, and tried again for the next', async () => {
  const { lines, makings, sw } = onDemand()
  const duplex = new PassThrough()
  sw.give(duplex, () => expect.unreachable())
  makings[0]!.reject(new Error('no such file'))
  await expect(sw.get()).rejects.toThrow()
  await Promise.resolve()
  expect(duplex.destroyed).toBe(true)
  expect(lines).toEqual(['br0 cannot speak OpenFlow: no such file'])
  void sw.get()
  expect(makings).toHaveLength(2)
})
