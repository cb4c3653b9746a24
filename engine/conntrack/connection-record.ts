/**
 * What the tracker keeps of a connection, as it lies in memory: one record of RECORD_WORDS 32-bit words (a
 * cache line), so that a packet of a known connection touches nothing else. Sequence numbers are kept as
 * signed words; their differences are taken modulo 2^32 with `| 0`.
 */

/** log2 of the words of a record. */
export const RECORD_SHIFT = 4
export const RECORD_WORDS = 1 << RECORD_SHIFT

/** IP protocol; 0 in a record nobody uses. */
export const R_PROTO = 0
/** TCP: one of the states of tcp-state.ts. */
export const R_STATE = 1
/** F_* bits. */
export const R_FLAGS = 2
/** Handle of the zone. */
export const R_ZONE = 3
/** Tick at which the connection is forgotten unless a packet comes. */
export const R_EXPIRES = 4
/** Tick at which the wheel looks at it; never after R_EXPIRES. */
export const R_DUE = 5
/** TCP, one word a direction: the highest sequence number sent, plus one. */
export const R_END = 6
/** TCP, one word a direction: the highest acknowledgment sent. */
export const R_ACK = 8
/** TCP, one word a direction: the highest right edge of the window offered. */
export const R_EDGE = 10
/** TCP: window scale of direction 0 in the low byte, of direction 1 above it; SCALE_NONE if not offered. */
export const R_SCALE = 12
/** Two words for whoever created the connection. */
export const R_OWNER_A = 13
export const R_OWNER_B = 14
/** Tick of creation. */
export const R_CREATED = 15

export const SCALE_NONE = 0x80

/** An answer has been seen. */
export const F_REPLIED = 1 << 0
/** Established in both directions: never evicted. */
export const F_ASSURED = 1 << 1
/** Stands in one of its zone's lists of connections that may be evicted. */
export const F_EVICTABLE = 1 << 2
/** A packet of direction 0 (or, shifted left by one, 1) prolongs the connection's life. */
export const F_REFRESH = 1 << 3
/** TCP, shifted left by the direction: a SYN was seen, so R_END is known. */
export const F_SYN = 1 << 5
/** TCP, likewise: has acknowledged the peer's SYN, so R_ACK and R_EDGE are known. */
export const F_ACKED = 1 << 7
/** TCP, likewise: has sent a FIN. */
export const F_FIN = 1 << 9
/** TCP, likewise: the FIN has been acknowledged by the peer. */
export const F_FIN_ACKED = 1 << 11
/** TCP: picked up in the middle; the handshake was never seen. */
export const F_PICKED_UP = 1 << 13
/** TCP: a valid RST was seen. */
export const F_RESET = 1 << 14
/** A helper reads what it carries. */
export const F_HELPED = 1 << 15
/** A helper has seen it announced. */
export const F_EXPECTED = 1 << 16
/** When it is over, one that begins as it did is let in and translated as it was: it begins anew. */
export const F_RENEWABLE = 1 << 17

export const ORIGINAL = 0
export const REPLY = 1
