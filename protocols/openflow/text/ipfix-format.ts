import type { IpfixStats } from '../ipfix.ts'

/** What an exporter has counted, in two lines as ovs-ofctl has them. @param indent of the second */
function formatCounters(s: IpfixStats, indent: number): string {
  return [
    `flows=${s.totalFlows}, current flows=${s.currentFlows}, sampled pkts=${s.packets}, ipv4 ok=${s.ipv4Packets}, ipv6 ok=${s.ipv6Packets}, tx pkts=${s.transmittedPackets}`,
    `pkts errs=${s.errorPackets}, ipv4 errs=${s.ipv4ErrorPackets}, ipv6 errs=${s.ipv6ErrorPackets}, tx errs=${s.transmitErrors}`,
  ].join(`\n${' '.repeat(indent)}`)
}

/** The exporter of a bridge. */
export function formatIpfixBridge(s: IpfixStats): string {
  return `\n  bridge ipfix: ${formatCounters(s, 16)}`
}

/** Those of sets of collectors. */
export function formatIpfixFlows(list: readonly IpfixStats[]): string {
  const entries = list.map((s) => `\n  id ${String(s.collectorSetId).padStart(3)}: ${formatCounters(s, 10)}`)
  return ` ${list.length} ids${entries.join('')}`
}
