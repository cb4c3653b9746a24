/** Features reply: what the switch is and can. */

import type { PortDesc } from './port-desc.ts'

/** Capabilities, as in OpenFlow 1.1 and later; CAP_STP and CAP_ARP_MATCH_IP are OpenFlow 1.0's. */
export const CAP_FLOW_STATS = 1 << 0
export const CAP_TABLE_STATS = 1 << 1
export const CAP_PORT_STATS = 1 << 2
export const CAP_GROUP_STATS = 1 << 3
export const CAP_STP = 1 << 4
export const CAP_IP_REASM = 1 << 5
export const CAP_QUEUE_STATS = 1 << 6
export const CAP_ARP_MATCH_IP = 1 << 7
export const CAP_PORT_BLOCKED = 1 << 8
export const CAP_BUNDLES = 1 << 9
export const CAP_FLOW_MONITORING = 1 << 10

export interface SwitchFeatures {
  datapathId: bigint
  /** Packets that can wait for packet-outs. */
  buffers: number
  tables: number
  /** 0 for a main connection. */
  auxiliaryId: number
  /** CAP_* */
  capabilities: number
  /** OpenFlow 1.0: 1 << OFPAT10_* for each action; 0 later. */
  actions: number
  /** OpenFlow 1.0 to 1.2; empty from 1.3 on, where PORT_DESC_STATS has them. */
  ports: readonly PortDesc[]
}
