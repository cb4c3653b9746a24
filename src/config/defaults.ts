/** What holds where neither a configuration nor a database says otherwise. */

export const MTU = 1500
/** Seconds. */
export const AGING_TIME = 300
/** Addresses. */
export const MAC_TABLE_SIZE = 8192

/** Milliseconds. */
export const MAX_BACKOFF = 8000
/** Milliseconds. */
export const INACTIVITY_PROBE = 5000

/** One packet in so many. */
export const IPFIX_SAMPLING = 400

/** Bits a second of a port that does not say: what Open vSwitch takes a TAP for. */
export const LINE_RATE = 10_000_000_000
/** Bits: what Open vSwitch takes for a burst of 0. */
export const POLICING_BURST = 8_000_000

/** A second. */
export const ICMP_ERROR_RATE = 1000
export const MAX_CONNECTIONS = 65_536
/** Milliseconds: RFC 5382 REQ-5, RFC 4787 REQ-5, RFC 5508 REQ-2. */
export const TIMEOUTS = { tcpEstablished: 7_440_000, tcpTransitory: 240_000, udp: 300_000, icmp: 60_000 }
export const HELPERS = ['ftp', 'tftp'] as const
/** Ports a source NAT may use: all but the well-known ones. */
export const NAT_PORTS = { first: 1024, last: 65_535 }
export const NAT_FILTERING = 'address-and-port-dependent'
/** Seconds. */
export const LEASE_TIME = 86_400
