/**
 * Over real devices, side by side with the switches that people use: TCP, small frames, round trips, new
 * connections, processor time, memory. In every round each switch has its turn, in a private world of its own, with
 * which everything that it has made ends. Needs root, iproute2 and iperf3.
 */
import type { Peer } from '../peers/peer.ts'
import { Figures } from '../support/figures.ts'
import { runInPrivateWorld } from '../support/private-world.ts'
import { leftOut, type Result } from '../support/result.ts'
import { isWanted } from '../support/wanted.ts'
import { BRIDGES, OFFLOADS, OURS, ROUTERS } from './peers.ts'
import type { Turn } from './turn.ts'

const WORLD = new URL('./world.js', import.meta.url)

export interface Options {
  readonly rounds?: string | undefined
  /** Parts of the names of what is measured; everything if not given. */
  readonly peer?: readonly string[] | undefined
  readonly figure?: readonly string[] | undefined
}

export async function device(quick: boolean, options: Options = {}): Promise<Result[]> {
  const rounds = Number(options.rounds ?? (quick ? 1 : 3))
  const passed = [
    ...(quick ? ['--quick'] : []),
    ...(options.figure ?? []).flatMap((part) => ['--figure', part]),
  ]
  const notes: Result[] = []
  let discarded = 0
  let disturbed = 0

  /** A switch that cannot be brought up here is told, and left out from then on. */
  async function compare(peers: readonly Peer[], into: Figures): Promise<Result[]> {
    const able = new Set(peers.filter(({ name }) => isWanted(name, options.peer)))
    const leave = (peer: Peer, why: string) => {
      able.delete(peer)
      console.error(`  ${peer.name}: left out: ${why}`)
      notes.push(leftOut(peer.name, why))
    }
    for (const peer of able) if (peer.missing !== undefined) leave(peer, `${peer.missing} is not installed`)
    for (let round = 0; round < rounds; round++) {
      for (const peer of round % 2 === 0 ? peers : [...peers].reverse()) {
        if (!able.has(peer)) continue
        const turn = await runInPrivateWorld<Turn>(WORLD, [peer.name, ...passed])
        for (const { figure, value, unit, cost } of turn.readings)
          into.add(peer.name, figure, value, unit, cost)
        discarded += turn.discarded
        disturbed += turn.disturbed
        if (turn.failure !== undefined) leave(peer, turn.failure)
      }
    }
    return into.results(OURS)
  }

  const results = [
    ...(await compare(BRIDGES, new Figures('bridge'))),
    ...(await compare(ROUTERS, new Figures('SNAT'))),
    ...(await compare(OFFLOADS, new Figures('receive offload'))),
  ]
  return [
    ...results,
    ...notes,
    { bench: 'disturbed', figure: 'figures taken again', value: discarded, unit: '' },
    { bench: 'disturbed', figure: 'figures kept all the same', value: disturbed, unit: '' },
  ]
}
