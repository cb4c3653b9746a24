import { describe, expect, it } from 'vitest'
import { type Random, seededRandom } from '../../protocols/random.ts'
import { u16 } from '../../protocols/wire/big-endian.ts'
import * as dot1q from '../../protocols/wire/dot1q.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import type { MemoryLab } from '../support/memory-lab.ts'
import { AimedFrames } from './aimed-frames.ts'
import {
  aims,
  FLOW_LIMIT,
  LEASE_SECONDS,
  longSession,
  MAC_TABLE,
  MAX_CONNECTIONS,
  ordinaryFrames,
  tryEverything,
  wildLab,
} from './wild-lab.ts'

const FRAMES = 1_000_000

/** Lets ports, taken at random, bring damaged frames; `each` is called when one waits at its port. */
function bring(
  lab: MemoryLab,
  seeds: Uint8Array[],
  count: number,
  each: (n: number, f: AimedFrames) => void,
) {
  const random: Random = seededRandom(42)
  const ports = aims(lab)
  const frames = new AimedFrames(random, seeds)
  for (let i = 0; i < count; i++) {
    const [name, aim] = ports[random() % ports.length]
    frames.next(aim)
    lab.station(name).device.inject(frames.bytes.subarray(0, frames.length), frames.offload)
    each(i, frames)
  }
}

function expectBounds(lab: MemoryLab): void {
  const { commands } = lab
  const stats = commands.stats()
  expect(stats.flows).toBeLessThanOrEqual(FLOW_LIMIT)
  expect(stats.connections).toBeLessThanOrEqual(MAX_CONNECTIONS)
  // One more for the router's own address, which is not learned.
  const { fdb } = lab.local.datapath.topology.bridges.get('br-in')!
  expect(fdb.size).toBeLessThanOrEqual(MAC_TABLE + 1)
  for (const iface of lab.network.routers[0].interfaces) {
    const rows = commands.neighbors('rt').filter((r) => r.interface === iface.name)
    expect(rows.length).toBeLessThanOrEqual(256)
  }
  expect(lab.dhcp('rt', 'eth0').leases().length).toBeLessThanOrEqual(10)
}

describe('a million damaged frames through the whole datapath', () => {
  it('throw nothing, leak nothing, fill no table beyond its bound, and leave the network working', () => {
    const lab = wildLab()
    const { commands, pool } = lab
    const seeds = ordinaryFrames(lab)
    lab.advance(60_000)
    const session = longSession(lab)
    bring(lab, seeds, FRAMES, (i) => {
      if (i % 16 === 0) lab.run()
      if (i % 1000 === 0) lab.advance(25)
      if (i % 20_000 === 0) expectBounds(lab)
    })
    lab.run()
    const { drops } = commands.stats()
    // They got everywhere: to the far corners of the router, of NAT and of reassembly.
    expect(drops).toMatchObject({
      'router-options': expect.any(Number),
      'router-ttl-expired': expect.any(Number),
      'fragment-overlap': expect.any(Number),
      'nat-no-mapping': expect.any(Number),
      'ct-invalid': expect.any(Number),
      'output-too-big': expect.any(Number),
    })
    expect(commands.ports().find((p) => p.name === 'outside.eth0')?.stats.tx_packets).toBeGreaterThan(10_000)
    expect(lab.log.length).toBeLessThan(100)

    lab.advance(120_000)
    expect(pool.available).toBe(pool.cells)
    expect(session.exchange()).toBe(true)
    // Leases that strangers got are over.
    lab.advance(2 * LEASE_SECONDS * 1000)
    expect(tryEverything(lab)).toEqual([])
    expect(pool.available).toBe(pool.cells)
  })
})

describe('every damaged frame', () => {
  it('is sent, handed up, put by, or counted with a reason; only ARP and repeated fragments may end in peace', () => {
    const lab = wildLab()
    const { pool, local } = lab
    const seeds = ordinaryFrames(lab)
    for (const s of lab.stations.values()) s.silent = true
    let before = fates(lab)
    let cells = pool.available
    const lost: string[] = []
    bring(lab, seeds, 150_000, (i, frames) => {
      local.step(lab.clock.now())
      const after = fates(lab)
      if (after === before && pool.available === cells && !mayEndInPeace(frames)) {
        lost.push(Buffer.from(frames.bytes.subarray(0, frames.length)).toString('hex'))
      }
      if (i % 500 === 0) lab.advance(200)
      before = fates(lab)
      cells = pool.available
    })
    expect(lost).toEqual([])
  })
})

/** How often something became of a frame. */
function fates(lab: MemoryLab): number {
  let n = lab.served + lab.pending
  for (const count of lab.local.datapath.drops.counts) n += count
  for (const s of lab.stations.values()) {
    const [, , rxErrors, rxDropped, txPackets, , txErrors, txDropped] = s.device.stats
    n += rxErrors + rxDropped + txPackets + txErrors + txDropped
  }
  return n
}

function mayEndInPeace(frames: AimedFrames): boolean {
  const at = dot1q.skip(frames.bytes, 12, frames.length)
  const type = u16(frames.bytes, at)
  return type === ethernet.TYPE_ARP || (type === ethernet.TYPE_IPV4 && ipv4.isFragment(frames.bytes, at + 2))
}
