/**
 * The commands of the door that concern groups, meters, packet-outs and tracing, carried out on a datapath.
 */
import type { OfAction } from '../protocols/openflow/action.ts'
import { emptyContinuation } from '../protocols/openflow/continuation.ts'
import type { CtFlush } from '../protocols/openflow/ct-flush.ts'
import type { OfErrorName } from '../protocols/openflow/error.ts'
import type { GroupDesc, GroupMod, GroupStats } from '../protocols/openflow/group.ts'
import type { MeterConfig, MeterMod, MeterStats } from '../protocols/openflow/meter.ts'
import { nestedActions } from '../protocols/openflow/nested-actions.ts'
import type { PacketIn } from '../protocols/openflow/packet-in.ts'
import type { FragmentHandling } from '../protocols/openflow/switch-config.ts'
import { type Instant, SECOND } from '../protocols/time.ts'
import type { Datapath } from './datapath.ts'
import { DpifError } from './dpif.ts'
import type { PacketOutSpec, PipelineCommands, TraceOptions } from './dpif-pipeline.ts'
import type { SamplingCommands, SamplingSpec } from './dpif-sampling.ts'
import { DROP_NO_CELLS } from './drops.ts'
import { type BundleMod, commitBundle } from './ofproto/bundle-commit.ts'
import { stateOf } from './ofproto/continuation.ts'
import type { FlowModFailure } from './ofproto/flow-mod.ts'
import { packetTypeOf } from './ofproto/frozen-state.ts'
import type { Group } from './ofproto/group-table.ts'
import type { Meter } from './ofproto/meter-table.ts'
import { packetOut, resumePaused } from './ofproto/resume.ts'
import type { Rule } from './ofproto/rule.ts'
import type { Bridge } from './ofproto/topology.ts'
import { traceFlow } from './ofproto/trace.ts'
import type { Xlate } from './ofproto/xlate.ts'
import { FlowTableCommands } from './openflow-commands.ts'

export class OpenflowPipelineCommands
  extends FlowTableCommands
  implements PipelineCommands, SamplingCommands
{
  readonly #dp: Datapath

  constructor(dp: Datapath) {
    super(dp)
    this.#dp = dp
  }

  groupMod(name: string, mod: GroupMod): OfErrorName | undefined {
    return this.bundle(name, [{ type: 'group', mod }])?.error
  }

  bundle(name: string, mods: readonly BundleMod[], origin = 0): FlowModFailure | undefined {
    const bridge = this.#named(name)
    return commitBundle(bridge, mods, this.#dp.now, origin, (packet, spec, rehearsal) =>
      this.#packetOut(bridge, packet, spec, rehearsal),
    )
  }

  groupStats(bridge: string, group?: number): GroupStats[] {
    const { groups, tables } = this.#named(bridge)
    this.#dp.flows.credit()
    return chosen(groups.all(), group, (g) => g.id).map((g) => ({
      group: g.id,
      refCount: timesNamed(g.id, tables.uses.ofGroup(g.id)),
      packetCount: g.packets,
      byteCount: g.bytes,
      ...this.#age(g.created),
      buckets: g.buckets.map((b) => ({ packetCount: b.packets, byteCount: b.bytes })),
    }))
  }

  groupDesc(bridge: string, group?: number): GroupDesc[] {
    return chosen(this.#named(bridge).groups.all(), group, (g: Group) => g.id).map((g) => ({
      groupType: g.type,
      group: g.id,
      buckets: g.buckets.map((b) => b.spec),
      selection: g.selection,
    }))
  }

  meterMod(bridge: string, mod: MeterMod): OfErrorName | undefined {
    return this.#named(bridge).meters.modify(mod, this.#dp.now)
  }

  meterStats(bridge: string, meter?: number): MeterStats[] {
    const { meters, tables } = this.#named(bridge)
    const { meters: runtime } = this.#dp
    return chosen(meters.all(), meter, idOf).map((m) => {
      const seen = runtime.seen(m.slot)
      return {
        meter: idOf(m),
        flowCount: tables.uses.ofMeter(idOf(m)).length,
        packetIn: seen.packets,
        byteIn: seen.bytes,
        ...this.#age(m.created),
        bands: m.config.bands.map((_, i) => {
          const dropped = runtime.dropped(m.slot, i)
          return { packetCount: dropped.packets, byteCount: dropped.bytes }
        }),
      }
    })
  }

  meterConfig(bridge: string, meter?: number): MeterConfig[] {
    return chosen(this.#named(bridge).meters.all(), meter, idOf).map((m) => m.config)
  }

  packetOut(name: string, packet: Uint8Array, spec: PacketOutSpec): OfErrorName | undefined {
    return this.#packetOut(this.#named(name), packet, spec, false)
  }

  #packetOut(
    bridge: Bridge,
    packet: Uint8Array,
    spec: PacketOutSpec,
    rehearsal: boolean,
  ): OfErrorName | undefined {
    const dp = this.#dp
    const h = dp.pool.fromBytes(packet)
    if (h < 0) {
      dp.drops.counts[DROP_NO_CELLS]++
      throw new DpifError('ENOSPC', `a packet of ${packet.length} bytes finds no room`)
    }
    let refusal: OfErrorName | undefined
    dp.inject(h, bridge.portByNumber(spec.inPort)?.portNo ?? 0, (x) => {
      x.sideEffects = !rehearsal
      refusal = packetOut(x, bridge, spec)
      return !rehearsal && refusal === undefined
    })
    dp.pool.free(h)
    return refusal
  }

  resume(packetIn: PacketIn): OfErrorName | undefined {
    const dp = this.#dp
    const { bridge: uuid, odpPort } = packetIn.continuation ?? emptyContinuation()
    const bridge = [...dp.topology.bridges.values()].find((b) => uuid.every((byte, i) => byte === b.uuid[i]))
    if (bridge === undefined) return 'NXR_STALE'
    const state = stateOf(bridge, packetIn)
    if (typeof state === 'string') return state
    const h = dp.pool.fromBytes(packetIn.packet)
    if (h < 0) {
      dp.drops.counts[DROP_NO_CELLS]++
      throw new DpifError('ENOSPC', `a packet of ${packetIn.packet.length} bytes finds no room`)
    }
    const translate = (x: Xlate) => {
      resumePaused(x, state)
      return true
    }
    dp.inject(h, dp.topology.port(odpPort)?.portNo ?? 0, translate, packetTypeOf(state))
    dp.pool.free(h)
    return undefined
  }

  packetInOnMiss(name: string, wanted: boolean): void {
    const bridge = this.#named(name)
    if (bridge.packetInOnMiss === wanted) return
    bridge.packetInOnMiss = wanted
    this.#dp.bridgeChanged(bridge)
  }

  samplingPut(name: string, spec: SamplingSpec | undefined): void {
    const bridge = this.#named(name)
    // What was sampled until now goes up before the answer.
    this.#dp.samples.flush()
    bridge.sampling = spec
    this.#dp.bridgeChanged(bridge)
  }

  samplesTaken(): void {
    this.#dp.samples.taken()
  }

  fragments(name: string, handling: FragmentHandling): void {
    const bridge = this.#named(name)
    if (bridge.fragments === handling) return
    bridge.fragments = handling
    this.#dp.bridgeChanged(bridge)
  }

  ctFlush(zone?: number, match?: CtFlush): void {
    this.#dp.topology.tracker.flush(zone, match)
  }

  trace(name: string, packet: Uint8Array | Uint32Array, inPort: number, options?: TraceOptions): string[] {
    const traced = traceFlow(this.#dp, this.#named(name), packet, inPort, options)
    if (typeof traced === 'string') throw new DpifError('EINVAL', traced)
    return traced
  }

  #age(since: Instant): { durationSec: number; durationNsec: number } {
    const age = Math.max(0, this.#dp.now - since)
    const durationSec = Math.floor(age / SECOND)
    return { durationSec, durationNsec: Math.floor((age - durationSec * SECOND) * 1e6) }
  }

  #named(name: string): Bridge {
    const bridge = this.#dp.topology.bridges.get(name)
    if (bridge === undefined) throw new DpifError('ENOENT', `no bridge ${name}`)
    return bridge
  }
}

function idOf(meter: Meter): number {
  return meter.config.meter
}

/** The one with a number, if there is one, or all. */
function chosen<T>(all: readonly T[], id: number | undefined, numberOf: (t: T) => number): readonly T[] {
  return id === undefined ? all : all.filter((t) => numberOf(t) === id)
}

/** How often rules name a group, some more than once. */
function timesNamed(group: number, rules: readonly Rule[]): number {
  const named = (rule: Rule) => groupsIn(rule.actions).filter((id) => id === group).length
  return rules.reduce((times, rule) => times + named(rule), 0)
}

function groupsIn(actions: readonly OfAction[]): number[] {
  return actions.flatMap((a) => (a.type === 'group' ? [a.group] : groupsIn(nestedActions(a) ?? [])))
}
