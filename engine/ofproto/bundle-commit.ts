/**
 * Carries out what a bundle holds (OpenFlow 1.4 §6.8), in order, all or nothing: no packet comes between, and
 * each packet-out goes by the tables as they are at its place.
 */
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import type { FlowMod } from '../../protocols/openflow/flow-mod.ts'
import type { GroupMod } from '../../protocols/openflow/group.ts'
import type { Instant } from '../../protocols/time.ts'
import type { PacketOutSpec } from '../dpif-pipeline.ts'
import { Bundle } from './bundle.ts'
import { applyFlowMod, type FlowModFailure } from './flow-mod.ts'
import { applyGroupMod } from './group-mod.ts'
import type { Bridge } from './topology.ts'

/** One message of a bundle. */
export type BundleMod =
  | { readonly type: 'flow'; readonly mod: FlowMod }
  | { readonly type: 'group'; readonly mod: GroupMod }
  | { readonly type: 'packet-out'; readonly packet: Uint8Array; readonly spec: PacketOutSpec }
  /** What the control plane has looked at already: an error, or nothing for the dataplane to do. */
  | { readonly type: 'other'; readonly error: OfErrorName | undefined }

/** Sends a packet-out, or only tries it. */
export type SendPacket = (
  packet: Uint8Array,
  spec: PacketOutSpec,
  rehearsal: boolean,
) => OfErrorName | undefined

/**
 * Packets that have been sent cannot be taken back, so a bundle with packet-outs is rehearsed first.
 * @returns what failed, and then nothing has been done
 */
export function commitBundle(
  bridge: Bridge,
  mods: readonly BundleMod[],
  now: Instant,
  origin: number,
  send: SendPacket,
): FlowModFailure | undefined {
  const passes = mods.some(({ type }) => type === 'packet-out') ? [true, false] : [false]
  for (const rehearsal of passes) {
    const bundle = new Bundle(bridge.tables, origin)
    for (const [index, mod] of mods.entries()) {
      bundle.mod = index
      const error = carryOut(bridge, bundle, mod, now, (packet, spec) => send(packet, spec, rehearsal))
      if (error === undefined) continue
      bundle.rollback()
      return { index, error }
    }
    if (rehearsal) bundle.rollback()
    else bundle.commit()
  }
  return undefined
}

function carryOut(
  bridge: Bridge,
  bundle: Bundle,
  mod: BundleMod,
  now: Instant,
  send: (packet: Uint8Array, spec: PacketOutSpec) => OfErrorName | undefined,
): OfErrorName | undefined {
  switch (mod.type) {
    case 'flow':
      return applyFlowMod(bridge.tables, bundle, mod.mod, now)
    case 'group':
      return applyGroupMod(bridge, bundle, mod.mod, now)
    case 'packet-out':
      return send(mod.packet, mod.spec)
    case 'other':
      return mod.error
  }
}
