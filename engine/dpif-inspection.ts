/**
 * The part of the door for who looks into the dataplane or plays with it: learned addresses and cached flows one by
 * one, and what ports in memory receive. A bridge or port that is not there rejects with ENOENT.
 */
import type { OdpAction } from '../protocols/odp/action.ts'
import type { Page } from './dpif.ts'
import type { FdbCounters } from './tables/fdb.ts'

export interface FdbStats extends FdbCounters {
  readonly entries: number
  /** Of them. */
  readonly statics: number
  readonly capacity: number
}

export interface DatapathStats {
  /** Lookups answered by the exact-match cache, by the megaflow cache, and by translation. */
  readonly emcHits: number
  readonly megaflowHits: number
  readonly upcalls: number
  /** How often headers were read anew, and tables of one mask were asked for what the megaflow cache answered. */
  readonly recirculations: number
  readonly subtableLookups: number
  readonly flows: number
  readonly flowLimit: number
  readonly masks: number
  readonly connections: number
  /** Packets dropped, by the name of the reason; only reasons that occurred. */
  readonly drops: Record<string, number>
  /** Cells of the packet pool that are free, and all of them. */
  readonly cellsFree: number
  readonly cells: number
}

/** A flow of the datapath, as it is looked up. */
export interface MegaflowRow {
  /** Tells it from all others that are and were. */
  readonly id: number
  /** KEY_WORDS words each (protocols/flow-key.ts); the packet type is not among them. */
  readonly key: Uint32Array
  readonly mask: Uint32Array
  /** In the words of ovs-dpctl(8), ports by number, or by name where that was asked for. */
  readonly actions: string
  readonly packets: number
  readonly bytes: number
  /** All that TCP packets had between them. */
  readonly tcpFlags: number
  /** Milliseconds since the last packet; undefined for never. */
  readonly used: number | undefined
}

export type MegaflowName = number | { readonly value: Uint32Array; readonly mask: Uint32Array }

/** A flow that is put there by hand. */
export interface MegaflowPut {
  /** FLOW_WORDS words each, of which those of the key count. */
  readonly value: Uint32Array
  readonly mask: Uint32Array
  readonly actions: readonly OdpAction[]
  /** Whether it may be new; and whether it may be one that packets of this key belong to already. */
  readonly create: boolean
  readonly modify: boolean
}

export interface InspectionCommands {
  /** An address that stays on a port. */
  fdbAdd(bridge: string, port: string, vlan: number, mac: number): void
  /** Takes such an address away; false when there is none. */
  fdbDelete(bridge: string, vlan: number, mac: number): boolean
  fdbStats(bridge: string): FdbStats
  fdbStatsClear(bridge: string): void
  megaflows(from: number, names?: boolean): Page<MegaflowRow>
  /**
   * Puts a flow there that nothing but its not being used takes away. Rejects with EEXIST, ENOENT, ENOSPC, EBUSY (its
   * recirculation id is a translation's), or EINVAL when its actions cannot be carried out on its packets.
   */
  megaflowPut(put: MegaflowPut): MegaflowRow
  /** The flow of an id, or with this very key and mask; undefined when there is none. */
  megaflow(flow: MegaflowName, names?: boolean): MegaflowRow | undefined
  /** Takes it away; the same. */
  megaflowDelete(flow: MegaflowName): MegaflowRow | undefined
  /** Forgets all cached flows. */
  megaflowsFlush(): void
  /** @param limit flows kept at the most, within what there is room for @returns how many that is now */
  megaflowLimit(limit: number): number
  /** Whether flows stand for all packets that are treated alike, as usual, or each for packets of the same headers. */
  megaflowsUse(used: boolean): void
  /** Has frames arrive at a port in memory; what becomes of them has happened when this is answered. */
  portInput(port: string, frames: readonly Uint8Array[]): void
  /** Raises a port in memory, or takes it down. */
  portLink(port: string, state: 'up' | 'down'): void
  /**
   * Gives a port in memory another number in the datapath; all else that is known of it stays. Rejects with EINVAL when
   * there is no such number, EEXIST when a port has it, this one or another.
   */
  portRenumber(port: string, portNo: number): void
}

export const INSPECTION_COMMANDS = [
  'fdbAdd',
  'fdbDelete',
  'fdbStats',
  'fdbStatsClear',
  'megaflows',
  'megaflowPut',
  'megaflow',
  'megaflowDelete',
  'megaflowsFlush',
  'megaflowLimit',
  'megaflowsUse',
  'portInput',
  'portLink',
  'portRenumber',
] as const satisfies readonly (keyof InspectionCommands)[]
