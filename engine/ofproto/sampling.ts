/**
 * Samples for collectors (IPFIX): of what a flow's sample() sees, and of all that enters and leaves a bridge.
 */
import { NO_PORT, OP_SAMPLE, SAMPLE_BRIDGE } from '../actions/ops.ts'
import type { Bridge, SwitchPort } from './topology.ts'
import type { Xlate } from './xlate.ts'

export interface SampleSpec {
  /** Of 2^32; all ones for always. */
  readonly chance: number
  readonly bridge: Bridge
  readonly collectorSetId: number
  readonly obsDomainId: number
  readonly obsPointId: number
  /** Port that the packet leaves by, if any. */
  readonly port: SwitchPort | undefined
  /** SAMPLE_* */
  readonly flags: number
}

/** Takes a sample of the packet as `x.flow` describes it. */
export function emitSample(x: Xlate, spec: SampleSpec): void {
  if (spec.chance === 0) return
  x.commit()
  const operands = Uint32Array.of(
    spec.chance,
    spec.bridge.index,
    spec.collectorSetId,
    spec.obsDomainId,
    spec.obsPointId,
    spec.port?.portNo ?? NO_PORT,
    spec.flags,
  )
  x.program.words(OP_SAMPLE, operands, 0, operands.length)
  x.sampled = true
}

/** A packet enters a bridge, or leaves it by a port, of which samples may be wanted. */
export function sampleBridge(x: Xlate, bridge: Bridge, port: SwitchPort | undefined): void {
  const all = bridge.sampling?.all
  if (all === undefined || !(port === undefined ? all.input : all.output)) return
  emitSample(x, { ...all, bridge, collectorSetId: 0, port, flags: SAMPLE_BRIDGE })
}
