/** One bridge of more and more ports: frames to each of them in turn, and frames to all. */
import { TRUNK_ALL } from '../../engine/dpif.ts'
import { Builder, NOTHING } from '../pipeline/builder.ts'
import { answerFrom, MAC_A } from '../pipeline/topologies.ts'
import { FRAMES, timed, turnOf } from '../pipeline/turn.ts'
import { udpFrame } from '../support/frames.ts'
import type { Frames, Generator } from '../support/generator.ts'
import type { Result } from '../support/result.ts'
import { Curve } from './curve.ts'

const FIRST_STATION = 0x0200_0001_0000
const BROADCAST = 0xffff_ffff_ffff

/** Frames from one station to `count` others in turn. */
function toEach(count: number, first: number): Frames {
  const rest = { src: MAC_A, from: 0x0a00_0001, to: 0x0a00_0002, srcPort: 1024, dstPort: 9, size: 64 }
  return { count, at: (i) => udpFrame({ ...rest, dst: first + i }) }
}

/** @returns frames that come out of all ports in a second, for one that goes in at a time */
function rate(count: number, frames: Frames, copies: number, seconds: number): number {
  const b = new Builder()
  b.bridge('br')
  const source = b.port('br', 'a', TRUNK_ALL, frames)
  const sinks = Array.from({ length: count - 1 }, (_, i) => {
    const sink = b.port('br', `b${i}`, TRUNK_ALL, NOTHING)
    b.hear(sink, answerFrom(FIRST_STATION + i))
    return sink
  })
  const turn = turnOf({ datapath: b.datapath, source, sink: sinks[0] as Generator })
  turn()
  const sent = () => sinks.reduce((sum, sink) => sum + sink.sent, 0)
  const before = sent()
  turn()
  if (sent() - before !== FRAMES * copies) throw new Error(`${count} ports: frames were lost`)
  return (FRAMES * copies) / timed(`${count} ports`, turn, seconds).mean
}

export function ports(quick: boolean): Result[] {
  const curve = new Curve('ports')
  const seconds = quick ? 0.3 : 1
  for (const count of quick ? [2, 32, 256] : [2, 4, 8, 16, 32, 64, 128, 256]) {
    const unicast = rate(count, toEach(count - 1, FIRST_STATION), 1, seconds)
    curve.add('forwarded to all stations in turn', count, unicast * 1e-6, 'Mpps')
    const flooded = rate(count, toEach(1, BROADCAST), count - 1, seconds)
    curve.add('flooded, copies that leave', count, flooded * 1e-6, 'Mpps')
  }
  return curve.results
}
