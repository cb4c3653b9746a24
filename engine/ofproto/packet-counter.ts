import type { Instant } from '../../protocols/time.ts'

/**
 * Counts packets of cached flows for something that they pass: a rule, a table, a group's bucket. A translation
 * names its counters (`Xlate.credit`), the megaflow keeps them, and what it carried since is credited at dumps,
 * at its removal and once a second.
 */
export class PacketCounter {
  packets = 0
  bytes = 0
  /** When a packet last passed; 0 for never. */
  used: Instant = 0

  credit(packets: number, bytes: number, used: Instant): void {
    this.packets += packets
    this.bytes += bytes
    if (used > this.used) this.used = used
  }
}
