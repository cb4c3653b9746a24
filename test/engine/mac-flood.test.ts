import { expect, test } from 'vitest'
import { BURST } from '../../engine/memory/packet-pool.ts'
import { makeFrame } from '../support/frames.ts'
import { SwitchLab } from '../support/switch-lab.ts'

// Of a million see test/scenario/floods.test.ts.
const ADDRESSES = 20_000
const FLOW_LIMIT = 1024
const A = 0x0200_0000_000a
const B = 0x0200_0000_000b

test('a flood of 20,000 source addresses stays within the bounds, and others are forwarded all along', () => {
  const lab = new SwitchLab({ flowLimit: FLOW_LIMIT, emcEntries: 512 })
  lab.bridge('br')
  for (const name of ['a', 'b', 'flooder']) lab.port(name, 'br')
  const dp = lab.local.datapath
  const { portNo } = lab.commands.ports().find((p) => p.name === 'flooder')!
  const toB = makeFrame({ dst: B, src: A })
  const toA = makeFrame({ dst: A, src: B })
  lab.send('b', toA)
  lab.send('a', toB)

  const flood = makeFrame({ dst: 0x0200_0000_00ff, src: 0x0400_0000_0000 })
  const burst = new Uint32Array(BURST)
  let exchanged = 0
  // What the flood itself causes to be sent is not kept.
  for (const name of ['a', 'b']) lab.device(name).state = 'down'
  for (let n = 0; n < ADDRESSES; n += BURST) {
    for (let i = 0; i < BURST; i++) {
      const h = dp.pool.fromBytes(flood, portNo)
      dp.pool.dv.setUint32(dp.pool.off[h] + 8, n + i)
      burst[i] = h
    }
    dp.receive(burst, BURST, portNo)
    lab.now += 1
    dp.poll(lab.now)
    for (const name of ['a', 'b']) lab.device(name).state = 'up'
    // Known on one port each, so neither is flooded to the other two.
    expect(lab.ports('a', toB)).toEqual(['b'])
    expect(lab.ports('b', toA)).toEqual(['a'])
    exchanged += 2
    for (const name of ['a', 'b']) lab.device(name).state = 'down'
  }
  expect(exchanged).toBeGreaterThan(1000)
  expect(dp.topology.bridges.get('br')!.fdb.size).toBeLessThanOrEqual(2048)
  const stats = lab.commands.stats()
  expect(stats.flows).toBeLessThanOrEqual(FLOW_LIMIT)
  expect(stats.cellsFree).toBe(stats.cells)
  expect(stats.upcalls).toBeGreaterThanOrEqual(ADDRESSES)
  // A second later nothing of it matters any more.
  lab.pass(301)
  expect(lab.commands.stats().flows).toBe(0)
  expect(lab.commands.fdb('br', 0).rows).toEqual([])
})
