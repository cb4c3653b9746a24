/** The dataplane's end of the ring of flow-mods: carries them out, some at a time, so that packets get their turn. */
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import type { Datapath } from '../datapath.ts'
import { FlowModRun } from '../ofproto/flow-mod.ts'
import { WireFlowMods } from '../ofproto/wire-flow-mods.ts'
import type { Outbox } from '../outbox.ts'
import type { FlowModRing } from './ring.ts'

/** Flow-mods between two looks at the ports: about as much work as a burst from each of a few. */
const PER_TURN = 32

/** What goes back to the control side by message. */
export interface FlowModNews {
  readonly type: 'flow-mods'
  readonly refused: readonly Refused[]
}
export interface Refused {
  readonly stream: number
  readonly error: OfErrorName
  readonly bytes: Uint8Array
}

type NewsSink = Pick<Outbox<FlowModNews>, 'put' | 'flush'>

export class FlowModIntake {
  readonly #dp: Datapath
  readonly #ring: FlowModRing
  readonly #outbox: NewsSink
  /** Bridges of open streams. */
  readonly #bridges = new Map<number, string>()
  readonly #wire = new WireFlowMods()

  constructor(dp: Datapath, ring: FlowModRing, outbox: NewsSink) {
    this.#dp = dp
    this.#ring = ring
    this.#outbox = outbox
  }

  open(stream: number, bridge: string): void {
    this.#bridges.set(stream, bridge)
  }

  close(stream: number): void {
    this.#bridges.delete(stream)
  }

  /** A mistake of ours costs the flow-mod, not the dataplane. */
  #next(run: FlowModRun, bytes: Uint8Array): OfErrorName | undefined {
    try {
      return this.#wire.next(run, bytes, this.#ring.tableIdExtension)
    } catch (error) {
      this.#dp.emit({ type: 'log', level: 'error', message: `flow-mod: ${(error as Error).stack}` })
      return 'OFPFMFC_UNKNOWN'
    }
  }

  /** Carries out what waits, up to a turn's share; how much that was. */
  take(): number {
    const ring = this.#ring
    if (ring.empty) return 0
    const refused: Refused[] = []
    let run: FlowModRun | undefined
    let count = 0
    for (; count < PER_TURN; count++) {
      const bytes = ring.next()
      if (bytes === undefined) break
      // Those of a bridge that has gone are nobody's.
      const tables = this.#dp.topology.bridges.get(this.#bridges.get(ring.stream) ?? '')?.tables
      if (tables === undefined) continue
      if (run?.tables !== tables) {
        run?.end()
        run = new FlowModRun(tables, false, this.#dp.now)
      }
      const error = this.#next(run, bytes)
      if (error === undefined) continue
      refused.push({ stream: ring.stream, error, bytes: Uint8Array.from(bytes) })
    }
    run?.end()
    if (refused.length > 0) this.#outbox.put({ type: 'flow-mods', refused })
    // Who sees them done has been told before what came of them.
    this.#outbox.flush()
    if (ring.release(count)) this.#outbox.put({ type: 'flow-mods', refused: [] })
    return count
  }
}
