import type { Random } from '../protocols/random.ts'
import type { Conntrack } from './conntrack/conntrack.ts'
import { CtStage } from './conntrack/ct-stage.ts'
import { ZoneTracker } from './conntrack/zone-tracker.ts'
import type { PacketPool } from './memory/packet-pool.ts'
import { textOfState } from './ofproto/frozen-state.ts'
import { KeptValues } from './ofproto/kept-values.ts'
import { textOfTemplate } from './ofproto/packet-in-template.ts'
import { TAG_FROZEN, TAG_PACKET_IN, type TagListener } from './ofproto/tags.ts'
import { Topology } from './ofproto/topology.ts'

/** Packet-ins' facts, and likewise translations that wait, kept for programs at the most. */
const MAX_KEPT = 65_536

/** A topology without bridges, and what its translations share. */
export function newTopology(
  tags: TagListener & { readonly pool: PacketPool },
  conntrack: Conntrack,
  random: Random,
): Topology {
  return new Topology(
    new CtStage(new ZoneTracker(conntrack, tags), random, tags.pool),
    new KeptValues(TAG_PACKET_IN, MAX_KEPT, tags, textOfTemplate),
    new KeptValues(TAG_FROZEN, MAX_KEPT, tags, textOfState),
  )
}
