/** Statistics of IPFIX exporters (NXST_IPFIX_BRIDGE and NXST_IPFIX_FLOW). */

export interface IpfixStats {
  totalFlows: number
  currentFlows: number
  packets: number
  ipv4Packets: number
  ipv6Packets: number
  errorPackets: number
  ipv4ErrorPackets: number
  ipv6ErrorPackets: number
  transmitErrors: number
  /** 0 for the bridge's exporter. */
  collectorSetId: number
}
