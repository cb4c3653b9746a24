/**
 * Why a frame went no further. Reasons are small integers on the hot path and names everywhere else; each is
 * counted in the datapath's drop counters. Append only: the number is the index of the name.
 */
export const DROP_NAMES = [
  'none',
  'rx-short-frame',
  'no-cells',
  'port-down',
  'bridge-reserved-address',
  'bridge-vlan-not-allowed',
  'bridge-input-is-output',
  'flow-table-miss',
  'action-drop',
  'too-many-resubmits',
  'patch-without-peer',
  'router-not-for-us',
  'router-bad-header',
  'router-bad-checksum',
  'router-martian-source',
  'router-martian-destination',
  'router-broadcast',
  'router-ttl-expired',
  'router-no-route',
  'router-too-big',
  'router-unresolved',
  'router-neighbor-queue-full',
  'router-not-ip',
  'router-no-service',
  'router-icmp-rate-limited',
  'router-options',
  'arp-malformed',
  'arp-not-ours',
  'fragment-timeout',
  'fragment-overlap',
  'fragment-table-full',
  'nat-no-mapping',
  'nat-filtered',
  'nat-ports-exhausted',
  'nat-table-full',
  'ct-invalid',
  'output-too-big',
  'slow-path-busy',
  'meter',
  'controller-queue-full',
  'recirculation-gone',
  'queue-full',
  'egress-policer',
  'ingress-policing',
  'sample-queue-full',
  'controller-action-gone',
  'bridge-fragment',
  'ct-helper',
  'packet-type',
] as const

export type DropName = (typeof DROP_NAMES)[number]

function code(name: DropName): number {
  return DROP_NAMES.indexOf(name)
}

export const DROP_RX_SHORT = code('rx-short-frame')
export const DROP_NO_CELLS = code('no-cells')
export const DROP_PORT_DOWN = code('port-down')
export const DROP_BRIDGE_RESERVED = code('bridge-reserved-address')
export const DROP_BRIDGE_VLAN = code('bridge-vlan-not-allowed')
export const DROP_BRIDGE_HAIRPIN = code('bridge-input-is-output')
export const DROP_TABLE_MISS = code('flow-table-miss')
export const DROP_ACTION = code('action-drop')
export const DROP_RESUBMITS = code('too-many-resubmits')
export const DROP_PATCH_PEER = code('patch-without-peer')
export const DROP_ROUTER_NOT_OURS = code('router-not-for-us')
export const DROP_ROUTER_BAD_HEADER = code('router-bad-header')
export const DROP_ROUTER_BAD_CHECKSUM = code('router-bad-checksum')
export const DROP_ROUTER_MARTIAN_SOURCE = code('router-martian-source')
export const DROP_ROUTER_MARTIAN_DESTINATION = code('router-martian-destination')
export const DROP_ROUTER_BROADCAST = code('router-broadcast')
export const DROP_ROUTER_TTL = code('router-ttl-expired')
export const DROP_ROUTER_NO_ROUTE = code('router-no-route')
export const DROP_ROUTER_TOO_BIG = code('router-too-big')
export const DROP_ROUTER_UNRESOLVED = code('router-unresolved')
export const DROP_ROUTER_NEIGHBOR_QUEUE = code('router-neighbor-queue-full')
export const DROP_ROUTER_NOT_IP = code('router-not-ip')
export const DROP_ROUTER_NO_SERVICE = code('router-no-service')
export const DROP_ROUTER_ICMP_RATE = code('router-icmp-rate-limited')
export const DROP_ROUTER_OPTIONS = code('router-options')
export const DROP_ARP_MALFORMED = code('arp-malformed')
export const DROP_ARP_NOT_OURS = code('arp-not-ours')
export const DROP_FRAGMENT_TIMEOUT = code('fragment-timeout')
export const DROP_FRAGMENT_OVERLAP = code('fragment-overlap')
export const DROP_FRAGMENT_TABLE = code('fragment-table-full')
export const DROP_NAT_NO_MAPPING = code('nat-no-mapping')
export const DROP_NAT_FILTERED = code('nat-filtered')
export const DROP_NAT_PORTS = code('nat-ports-exhausted')
export const DROP_NAT_TABLE = code('nat-table-full')
export const DROP_CT_INVALID = code('ct-invalid')
export const DROP_OUTPUT_TOO_BIG = code('output-too-big')
export const DROP_SLOW_BUSY = code('slow-path-busy')
export const DROP_METER = code('meter')
export const DROP_CONTROLLER_QUEUE = code('controller-queue-full')
export const DROP_RECIRC = code('recirculation-gone')
export const DROP_QUEUE_FULL = code('queue-full')
export const DROP_EGRESS_POLICER = code('egress-policer')
export const DROP_INGRESS_POLICING = code('ingress-policing')
export const DROP_SAMPLE_QUEUE = code('sample-queue-full')
export const DROP_CONTROLLER_GONE = code('controller-action-gone')
export const DROP_FRAGMENT = code('bridge-fragment')
export const DROP_CT_HELPER = code('ct-helper')
export const DROP_PACKET_TYPE = code('packet-type')

/** Counts drops by reason; one for the whole datapath. */
export class DropCounters {
  readonly counts = new Float64Array(DROP_NAMES.length)

  /** The reasons that occurred, by name. */
  named(): Record<string, number> {
    const out: Record<string, number> = {}
    for (let i = 1; i < DROP_NAMES.length; i++) if (this.counts[i] > 0) out[DROP_NAMES[i]] = this.counts[i]
    return out
  }
}
