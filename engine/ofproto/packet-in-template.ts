import type { Match } from '../../protocols/openflow/match.ts'
import type { PacketInReason } from '../../protocols/openflow/packet-in.ts'

/** Equal facts, and no others, have equal texts. */
export function textOfTemplate(template: PacketInTemplate): string {
  return JSON.stringify(template, (_, value) => {
    if (typeof value === 'bigint') return `${value}n`
    return ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value
  })
}

/** All of a packet-in that a translation knows: what comes with every packet of the flow. */
export interface PacketInTemplate {
  readonly bridge: string
  readonly reason: PacketInReason
  readonly table: number
  readonly cookie: bigint
  readonly metadata: Match
  readonly maxLen: number
  readonly controllerId: number
  readonly userdata: Uint8Array
}
