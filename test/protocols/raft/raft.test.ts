import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Mishaps, RaftSimulation } from '../../support/raft-simulation.ts'

const CALM: Mishaps = { loss: 0, delay: 5, flush: 5, crashes: 0, partitions: 0 }
const STORM: Mishaps = { loss: 10, delay: 150, flush: 300, crashes: 25, partitions: 25 }
/** Long enough for any election. */
const SETTLE = 15_000

/** All that runs has applied the same, and all that somebody was told is in it, once. */
function expectAgreement(simulation: RaftSimulation): void {
  const running = simulation.servers.filter(({ running }) => running)
  const [{ applied }] = running
  for (const server of running) expect(server.applied).toEqual(applied)
  expect(new Set(applied).size).toBe(applied.length)
  expect([...simulation.acknowledged].filter((eid) => !applied.includes(eid))).toEqual([])
}

describe('whatever goes wrong', () => {
  const seeds = fc.integer({ min: 0, max: 2 ** 31 })

  test.each([1, 2, 3, 5])('%i servers agree, and nothing that was acknowledged is lost', (count) => {
    let acknowledged = 0
    fc.assert(
      fc.property(seeds, (seed) => {
        const simulation = new RaftSimulation(seed)
        simulation.create(count)
        simulation.run(20_000, STORM, () => {
          for (const server of simulation.servers) {
            if (simulation.below(3) === 0) simulation.execute(server)
            if (simulation.below(20) === 0) simulation.snapshot(server)
          }
        })
        simulation.heal()
        simulation.run(SETTLE, CALM)
        expectAgreement(simulation)
        expect(simulation.leader).toBeDefined()
        // It lives: whoever is asked, the next transaction succeeds.
        const before = simulation.acknowledged.size
        simulation.execute(simulation.servers[simulation.below(count)])
        simulation.run(1000, CALM)
        expect(simulation.acknowledged.size).toBe(before + 1)
        acknowledged += before
      }),
      { numRuns: 25 },
    )
    expect(acknowledged).toBeGreaterThan(0)
  })

  test('also when servers come and go', () => {
    let joined = 0
    fc.assert(
      fc.property(seeds, (seed) => {
        const simulation = new RaftSimulation(seed)
        simulation.create(1 + simulation.below(3))
        simulation.run(30_000, { ...STORM, crashes: 60 }, () => {
          for (const server of simulation.servers) {
            if (simulation.below(5) === 0) simulation.execute(server)
            if (simulation.below(30) === 0) simulation.snapshot(server)
          }
          if (simulation.servers.length < 6 && simulation.below(30) === 0) simulation.join()
          const { leader } = simulation
          const target = simulation.servers[simulation.below(simulation.servers.length)]
          if (leader !== undefined && target !== leader && simulation.below(60) === 0) {
            leader.raft!.kick(simulation.now, target.sid)
            leader.touched()
          }
        })
        simulation.heal()
        simulation.run(2 * SETTLE, CALM)
        const { leader } = simulation
        expect(leader).toBeDefined()
        const members = new RegExp([...leader!.raft!.state.servers.keys()].join('|'))
        const gone = simulation.servers.filter(({ sid }) => !members.test(sid))
        for (const server of gone) server.crash()
        joined += leader!.raft!.state.servers.size
        expectAgreement(simulation)
      }),
      { numRuns: 25 },
    )
    expect(joined).toBeGreaterThan(25)
  })
})
