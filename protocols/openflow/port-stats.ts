/** Port statistics. */

/** A counter: undefined when it is not kept (all ones on the wire). */
export type Counter = number | undefined

export interface PortStatsRequest {
  /** OFPP_ANY for all. */
  port: number
}

export interface PortStats {
  port: number
  rxPackets: Counter
  txPackets: Counter
  rxBytes: Counter
  txBytes: Counter
  rxDropped: Counter
  txDropped: Counter
  rxErrors: Counter
  txErrors: Counter
  rxFrameErrors: Counter
  rxOverErrors: Counter
  rxCrcErrors: Counter
  collisions: Counter
  /** Since the port exists; undefined where the version does not tell (before 1.3). */
  durationSec: Counter
  durationNsec: Counter
  /** RFC 2819 counters, from OpenFlow 1.4 on as an Intel experimenter property; left out when undefined. */
  rmon?: PortRmonStats | undefined
}

/** Names as in struct intel_port_stats_rfc2819. */
export const RMON_COUNTERS = [
  'rx1To64Packets',
  'rx65To127Packets',
  'rx128To255Packets',
  'rx256To511Packets',
  'rx512To1023Packets',
  'rx1024To1522Packets',
  'rx1523ToMaxPackets',
  'tx1To64Packets',
  'tx65To127Packets',
  'tx128To255Packets',
  'tx256To511Packets',
  'tx512To1023Packets',
  'tx1024To1522Packets',
  'tx1523ToMaxPackets',
  'txMulticastPackets',
  'rxBroadcastPackets',
  'txBroadcastPackets',
  'rxUndersizedErrors',
  'rxOversizeErrors',
  'rxFragmentedErrors',
  'rxJabberErrors',
] as const
export type PortRmonStats = Record<(typeof RMON_COUNTERS)[number], Counter>
