/**
 * What a megaflow does to its packets: a program of 32-bit words, an opcode followed by its operands. The
 * translation writes programs (`ProgramBuilder`), the datapath runs them (`execute`), `format` shows them in
 * the words of ovs-dpctl(8). Multi-word operands hold header fields as FlowKey words do.
 */

/** Ends the program. */
export const OP_END = 0
/** port: sends the packet as it is now out of a datapath port. */
export const OP_OUTPUT = 1
/** reason: counts a drop. */
export const OP_DROP = 2
/** reason, arg: lends the packet as it is now to the slow path (SLOW_*), in this thread, at once. */
export const OP_SLOW = 3
/** tpid, tci: pushes a tag. */
export const OP_PUSH_VLAN = 4
/** Pops the outer tag. */
export const OP_POP_VLAN = 5
/** tci: rewrites the outer tag's VID, PCP and DEI. */
export const OP_SET_VLAN = 6
/** w2, w3, w4: rewrites both Ethernet addresses. */
export const OP_SET_ETH = 7
/** address: rewrites the IPv4 source, its checksum and the transport's. */
export const OP_SET_NW_SRC = 8
/** address: rewrites the IPv4 destination, its checksum and the transport's. */
export const OP_SET_NW_DST = 9
/** port: rewrites the TCP or UDP source port and the checksum. */
export const OP_SET_TP_SRC = 10
/** port: rewrites the TCP or UDP destination port and the checksum. */
export const OP_SET_TP_DST = 11
/** id: rewrites the identifier of an ICMP query or reply. */
export const OP_SET_ICMP_ID = 12
/** tos: rewrites the whole IPv4 TOS byte. */
export const OP_SET_NW_TOS = 13
/** iface: verifies the IPv4 header checksum; a wrong one ends the program with DROP_ROUTER_BAD_CHECKSUM. */
export const OP_CHECK_IP = 14
/** iface: a TTL of 1 or 0 ends the program in SLOW_TTL_EXPIRED, leaving the packet as it was. */
export const OP_CHECK_TTL = 15
/** Decrements the IPv4 TTL (known to be above 1) and updates the checksum. */
export const OP_DEC_TTL = 16
/** mtu, iface: a datagram longer than mtu (GSO: whose segments are) ends the program in SLOW_TOO_BIG. */
export const OP_CHECK_MTU = 17
/** connection, direction, iface: shows the packet to the connection tracker; if that wants it translated
 * anew (closed, reopened, invalid) the program ends in SLOW_RETRANSLATE. */
export const OP_CT = 18
/** words: runs that many following words on a copy of the packet, then goes on with the original after them. */
export const OP_CLONE = 19

/** ttl: rewrites the IPv4 TTL or the IPv6 hop limit. */
export const OP_SET_NW_TTL = 20
/** w0, w1, w2, w3: rewrites the IPv6 source and the transport's checksum. */
export const OP_SET_IPV6_SRC = 21
/** w0, w1, w2, w3: rewrites the IPv6 destination and the transport's checksum. */
export const OP_SET_IPV6_DST = 22
/** tos: rewrites the IPv6 traffic class. */
export const OP_SET_IPV6_TCLASS = 23
/** label: rewrites the IPv6 flow label. */
export const OP_SET_IPV6_LABEL = 24
/** type << 8 | code: rewrites both of an ICMP or ICMPv6 message, and its checksum. */
export const OP_SET_ICMP = 25
/** operation, sender, target: rewrites an ARP packet's opcode and protocol addresses. */
export const OP_SET_ARP = 26
/** w0, w1, w2: rewrites an ARP packet's hardware addresses, as the key's words hold them. */
export const OP_SET_ARP_HA = 27
/** w0, w1, w2, w3: rewrites the target of a neighbour solicitation or advertisement. */
export const OP_SET_ND_TARGET = 28
/** option, high, low: rewrites the link-layer address of a neighbour discovery option (1 source, 2 target). */
export const OP_SET_ND_LL = 29
/** ethertype, entry: pushes a label stack entry behind the tags. */
export const OP_PUSH_MPLS = 30
/** ethertype: pops the outermost label stack entry; what is behind it is of this type. */
export const OP_POP_MPLS = 31
/** entry: rewrites the outermost label stack entry. */
export const OP_SET_MPLS = 32
/** length: cuts the packet. */
export const OP_TRUNC = 33
/** id: sends the packet to controllers, with the facts kept under a number. */
export const OP_CONTROLLER = 34
/** slot: a packet that a meter does not let pass ends the program. */
export const OP_METER = 35
/** length, words, words: a longer packet goes the first way, others the second; then it is as it was before. */
export const OP_CHECK_LEN = 36
/** id, packet type: reads headers anew and goes on with the translation kept under a number. Ends the program. */
export const OP_RECIRC = 37
/**
 * w0, w1, ethernet: rewrites flags, TTL, service path and index of an NSH header, as the key's words hold them.
 * Ethernet is in front of it (1) or nothing (0).
 */
export const OP_SET_NSH = 38
/** w0, w1, w2, w3, ethernet: rewrites the context of an NSH header of MD type 1. */
export const OP_SET_NSH_CONTEXT = 39
/** connection, direction, id: as OP_CT; the program ends by going on with the translation kept under a number. */
export const OP_TRACK = 40
/** Likewise, but with a copy, and the program goes on. */
export const OP_TRACK_ASIDE = 41

/** w2, w3: rewrites the Ethernet destination. */
export const OP_SET_ETH_DST = 42
/** w3, w4: rewrites the Ethernet source. */
export const OP_SET_ETH_SRC = 43
/** connection, direction | HELP_TRANSLATE, id: shows the packet, as it arrived, to the connection's helper. What
 * is withheld ends the program; what is invalid goes on with the translation kept under a number, if not -1. */
export const OP_HELP = 46
/** connection, direction: translates the packet that an ICMP error, sent in `direction`, quotes. */
export const OP_QUOTED = 47
/** zone, id: collects a fragment for ct(), which goes on with the translation kept under a number when all are
 * there. Ends the program. */
export const OP_COLLECT = 48

/** OP_HELP: addresses in the payload follow NAT. */
export const HELP_TRANSLATE = 2

/** port, queue: as OP_OUTPUT, by another queue of the port than number 0. */
export const OP_ENQUEUE = 44
/**
 * chance, bridge, set, domain, point, port, flags: with that chance (of 2^32, all ones for always) reports the
 * packet as it is now to the bridge's collectors; flags are SAMPLE_*, port the one it leaves by or NO_PORT.
 */
export const OP_SAMPLE = 45

/** w2, w3, w4, type: puts an Ethernet header in front of a packet that has none. */
export const OP_PUSH_ETH = 49
/** Takes the Ethernet header off a packet without tags. */
export const OP_POP_ETH = 50
/** word: puts four bytes in front of the packet; from the last to the first, the context of an NSH header. */
export const OP_PREPEND = 51
/** w0, w1, four words, bytes: puts an NSH header in front, whose context of MD type 2, that long, is there. */
export const OP_PUSH_NSH = 52
/** Takes the NSH header off that is the packet's first. */
export const OP_POP_NSH = 53
/** type, entry: puts a label stack entry in front of the whole packet. */
export const OP_ADD_MPLS = 54
/** type: takes the label stack entry off that is the packet's first; what is behind it is of this type. */
export const OP_POP_LABEL = 55

/** How many operands each opcode has. */
export const OPERANDS = [
  0, 1, 1, 2, 2, 0, 1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 2, 3, 1, 1, 4, 4, 1, 1, 1, 3, 3, 4, 3, 2, 1, 1, 1, 1, 1,
  3, 2, 3, 5, 3, 3, 2, 2, 2, 7, 3, 2, 2, 4, 0, 1, 7, 0, 2, 1,
] as const

/** OP_SAMPLE: for the collectors of all that the bridge carries, rather than of a set that a flow names. */
export const SAMPLE_BRIDGE = 1
/** OP_SAMPLE: the flow says that it samples what comes in, or what goes out. */
export const SAMPLE_INGRESS = 2
export const SAMPLE_EGRESS = 4
/** OP_SAMPLE: the program sends its packets somewhere. */
export const SAMPLE_SENT = 8
/** OP_SAMPLE: the packet leaves by no port that is known. */
export const NO_PORT = -1

/** Slow-path reasons: why a packet is shown to code that is not a program. `arg` is a router interface index. */
/** An ARP packet seen by a router's interface. */
export const SLOW_ARP = 1
/** A datagram for the router itself (its addresses, broadcast, multicast). */
export const SLOW_LOCAL = 2
/** The next hop's address is not known yet. */
export const SLOW_UNRESOLVED = 3
/** TTL ran out. */
export const SLOW_TTL_EXPIRED = 4
/** Longer than the MTU of the way out. */
export const SLOW_TOO_BIG = 5
/** No route. */
export const SLOW_NO_ROUTE = 6
/** A fragment that must be put together first. */
export const SLOW_FRAGMENT = 7
/** An ICMP error about a translated connection. */
export const SLOW_ICMP_ERROR = 8
/** An IPv4 header with options to be heeded. */
export const SLOW_OPTIONS = 9
/** The cached decision no longer holds: translate the packet again from the router's interface on. */
export const SLOW_RETRANSLATE = 10
/** A datagram NAT refused for want of ports or table space, or filtered, about which the sender is told. */
export const SLOW_PROHIBITED = 11
/** A datagram that left by the interface it came in by, about which a redirect may be sent. */
export const SLOW_REDIRECT = 12
/** A forwarded datagram ready to leave by router interface `arg`, addressed and all, that is to be cut to its
 * MTU or has options to be filled in first. */
export const SLOW_DEPART = 13

/** Names of the SLOW_* reasons, for people. */
export const SLOW_NAMES = [
  'none',
  'arp',
  'local',
  'unresolved',
  'ttl-expired',
  'too-big',
  'no-route',
  'fragment',
  'icmp-error',
  'options',
  'retranslate',
  'prohibited',
  'redirect',
  'depart',
] as const
