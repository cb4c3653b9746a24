import type { Duration } from '../../protocols/time.ts'
import { F_ASSURED } from './connection-record.ts'
import type { IndexList } from './index-list.ts'
import { TCP_CLOSE_WAIT, TCP_ESTABLISHED } from './tcp-state.ts'
import { PROTO_TCP, PROTO_UDP } from './tuple.ts'

/** Told when a connection it created goes; the tuples can still be read. */
export interface ConnectionOwner {
  connectionRemoved(connection: number): void
  /** Told when the first answer has been seen. */
  connectionReplied?(connection: number): void
}

/** Spans after which an idle connection is forgotten, milliseconds. */
export interface ZoneTimeouts {
  /** Established, half-closed connections included: at least 2 h 4 min (RFC 5382 REQ-5). */
  readonly tcpEstablished: Duration
  /** Opening, closing or reset: at least 4 min (RFC 5382 REQ-5, RFC 7857 §2). */
  readonly tcpTransitory: Duration
  /** At least 2 min, 5 min recommended (RFC 4787 REQ-5). */
  readonly udp: Duration
  /** At least 60 s (RFC 5508 REQ-2). */
  readonly icmp: Duration
}

export const DEFAULT_TIMEOUTS: ZoneTimeouts = {
  tcpEstablished: 7_440_000,
  tcpTransitory: 240_000,
  udp: 300_000,
  icmp: 60_000,
}

export interface ZoneSettings {
  /** Connections at the most. */
  readonly limit: number
  readonly timeouts: ZoneTimeouts
}

/** One user of the tracker, whose tuples mean nothing to the others; OVS calls it a conntrack zone. */
export class Zone {
  readonly owner: ConnectionOwner
  limit = 0
  count = 0
  /** In ticks. */
  established = 0
  transitory = 0
  udp = 0
  icmp = 0
  /** TCP connections not yet established, and others without an answer: what may be evicted. */
  readonly halfOpen: IndexList = { head: 0, tail: 0 }
  readonly unreplied: IndexList = { head: 0, tail: 0 }
  /** Connections that had to make room for others, and those refused because nobody could. */
  evicted = 0
  refused = 0
  open = true

  constructor(owner: ConnectionOwner) {
    this.owner = owner
  }

  /** @param tick milliseconds a tick */
  configure(settings: ZoneSettings, tick: Duration): void {
    this.limit = settings.limit
    this.established = Math.ceil(settings.timeouts.tcpEstablished / tick)
    this.transitory = Math.ceil(settings.timeouts.tcpTransitory / tick)
    this.udp = Math.ceil(settings.timeouts.udp / tick)
    this.icmp = Math.ceil(settings.timeouts.icmp / tick)
  }

  /**
   * How long a connection may be idle. A TCP connection of which only one end has sent a FIN is still in use
   * (RFC 5382 §5: the closing phase begins with the second FIN).
   */
  idleTicks(proto: number, state: number, flags: number): number {
    if (proto === PROTO_UDP) return this.udp
    if (proto !== PROTO_TCP) return this.icmp
    const established = state >= TCP_ESTABLISHED && state <= TCP_CLOSE_WAIT
    return established && (flags & F_ASSURED) !== 0 ? this.established : this.transitory
  }
}
