/** The meters of a bridge (OpenFlow 1.3.5 §5.7): what is configured; how packets fare is in engine/meters.ts. */
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import {
  METER_ALL,
  METER_BURST,
  METER_CONTROLLER,
  METER_KBPS,
  METER_MAX,
  METER_PKTPS,
  METER_SLOWPATH,
  METER_STATS,
  type MeterConfig,
  type MeterMod,
} from '../../protocols/openflow/meter.ts'
import type { Instant } from '../../protocols/time.ts'
import type { MeterRuntime } from './meter-runtime.ts'
import { TAG_METER, type TagListener, tagOf } from './tags.ts'

/** Meters of a bridge at the most; as the userspace datapath of Open vSwitch. */
export const MAX_METERS = 262_144
/** Bands of a meter at the most. */
export const MAX_BANDS = 8

export class Meter {
  config: MeterConfig
  readonly slot: number
  readonly created: Instant

  constructor(config: MeterConfig, slot: number, created: Instant) {
    this.config = config
    this.slot = slot
    this.created = created
  }
}

/** What the table asks of its bridge. */
export interface MeterHost extends TagListener {
  /** Removes the rules that send packets through a meter. */
  meterDeleted(meter: number): void
}

export class MeterTable {
  readonly #bridge: number
  readonly #host: MeterHost
  readonly #runtime: MeterRuntime
  readonly #meters = new Map<number, Meter>()

  constructor(bridge: number, runtime: MeterRuntime, host: MeterHost) {
    this.#bridge = bridge
    this.#runtime = runtime
    this.#host = host
  }

  get(id: number): Meter | undefined {
    return this.#meters.get(id)
  }

  /** By number. */
  all(): Meter[] {
    return [...this.#meters.values()].sort((a, b) => a.config.meter - b.config.meter)
  }

  /** The operand of OP_METER, or -1 where there is no such meter. */
  slot(id: number): number {
    return this.#meters.get(id)?.slot ?? -1
  }

  /** The tag of decisions that depend on a meter, or on there being none of that number. */
  tag(id: number): number {
    return tagOf(TAG_METER, this.#bridge, id, 0)
  }

  /** Carries out a meter-mod, or tells why not and changes nothing. */
  modify(mod: MeterMod, now: Instant): OfErrorName | undefined {
    const { meter: id, flags, bands } = mod
    if (mod.command === 'delete') {
      if (id !== METER_ALL && !validId(id)) return 'OFPMMFC_INVALID_METER'
      for (const meter of id === METER_ALL ? this.all() : [this.#meters.get(id)]) {
        if (meter !== undefined) this.#delete(meter)
      }
      return undefined
    }
    if (!validId(id)) return 'OFPMMFC_INVALID_METER'
    const old = this.#meters.get(id)
    if (mod.command === 'add' && old !== undefined) return 'OFPMMFC_METER_EXISTS'
    if (mod.command === 'modify' && old === undefined) return 'OFPMMFC_UNKNOWN_METER'
    const refusal = refusalOf(flags, bands)
    if (refusal !== undefined) return refusal
    const config: MeterConfig = { meter: id, flags, bands }
    if (old !== undefined) {
      old.config = config
      this.#runtime.configure(old.slot, config, now)
      return undefined
    }
    const slot = this.#meters.size < MAX_METERS ? this.#runtime.open(config, now) : -1
    if (slot < 0) return 'OFPMMFC_OUT_OF_METERS'
    this.#meters.set(id, new Meter(config, slot, now))
    this.#host.touch(this.tag(id))
    return undefined
  }

  #delete({ config: { meter: id }, slot }: Meter): void {
    this.#host.meterDeleted(id)
    this.#host.touch(this.tag(id))
    this.#meters.delete(id)
    this.#runtime.close(slot)
  }

  /** All meters go, with the bridge. */
  clear(): void {
    for (const meter of this.all()) this.#delete(meter)
  }
}

function validId(id: number): boolean {
  return (id >= 1 && id <= METER_MAX) || id === METER_SLOWPATH || id === METER_CONTROLLER
}

function refusalOf(flags: number, bands: MeterConfig['bands']): OfErrorName | undefined {
  if ((flags & ~(METER_KBPS | METER_PKTPS | METER_BURST | METER_STATS)) !== 0) return 'OFPMMFC_BAD_FLAGS'
  if ((flags & METER_KBPS) !== 0 && (flags & METER_PKTPS) !== 0) return 'OFPMMFC_BAD_FLAGS'
  if (bands.length > MAX_BANDS) return 'OFPMMFC_OUT_OF_BANDS'
  if (bands.length === 0 || bands.some((b) => b.type !== 'drop')) return 'OFPMMFC_BAD_BAND'
  return bands.some((b) => b.rate === 0) ? 'OFPMMFC_BAD_RATE' : undefined
}
