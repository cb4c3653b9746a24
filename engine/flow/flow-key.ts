/**
 * The flow key: what a frame is looked up by. It is a run of 32-bit words (so that hashing, masking and
 * comparing are word loops) with header fields in host order of significance: the first byte on the wire is
 * the most significant byte of its word. A mask has the same layout; so has the record of the bits that a
 * translation looked at.
 *
 * Only as many words as the frame needs are compared: KEY_BASE for most, KEY_ARP for ARP, KEY_WORDS for IPv6.
 * `W_TYPE` lies in the base and tells which, so keys of different length never compare equal by accident.
 * Words beyond the length are zero.
 *
 * As in Open vSwitch, fields of ARP share those of IP: opcode in nw_proto, addresses in nw_src and nw_dst;
 * ICMP type and code stand in tp_src and tp_dst.
 */

/** Datapath port the frame came in by. */
export const W_IN_PORT = 0
/** Recirculation id; 0 for a frame fresh from a port. */
export const W_RECIRC = 1
/** dl_dst bytes 0–3. */
export const W_DL_DST = 2
/** dl_dst bytes 4–5 (high half), dl_src bytes 0–1 (low half). */
export const W_DL_MIX = 3
/** dl_src bytes 2–5. */
export const W_DL_SRC = 4
/** Outer TCI (high half), inner TCI (low half); as in Open vSwitch the CFI bit 0x1000 tells "tag present". */
export const W_VLAN = 5
/** eth_type behind all tags (high half), FLAG_* bits (low half). */
export const W_TYPE = 6
/** IPv4 source, or ARP sender protocol address. */
export const W_NW_SRC = 7
/** IPv4 destination, or ARP target protocol address. */
export const W_NW_DST = 8
/** nw_proto << 24 | nw_tos << 16 | nw_ttl << 8. */
export const W_NW = 9
/** tp_src << 16 | tp_dst; ICMP: type << 16 | code. */
export const W_TP = 10
/** tcp_flags (12 bits) << 16 | ICMP identifier of a query or reply. */
export const W_L4 = 11
/** Words compared for frames that are neither ARP nor IPv6. */
export const KEY_BASE = 12
/** ARP sender hardware address bytes 0–3. */
export const W_ARP_SHA = 12
/** ARP sender hardware address bytes 4–5 (high), target bytes 0–1 (low). */
export const W_ARP_MIX = 13
/** ARP target hardware address bytes 2–5. */
export const W_ARP_THA = 14
/** Words compared for ARP. */
export const KEY_ARP = 15
/** Four words of IPv6 source. */
export const W_IPV6_SRC = 12
/** Four words of IPv6 destination. */
export const W_IPV6_DST = 16
/** Four words of neighbour discovery target. */
export const W_ND_TARGET = 20
/** Three words: nd_sll (6 bytes) and nd_tll (6 bytes). */
export const W_ND_LL = 24
/** Flow label. */
export const W_IPV6_LABEL = 27
/** Words of a whole key. */
export const KEY_WORDS = 28

/** W_VLAN: a tag is there. Outer tags use the same bit shifted left by 16. */
export const VLAN_PRESENT = 0x1000

/** W_TYPE flags: the outer tag's TPID is 0x88a8 rather than 0x8100. */
export const FLAG_OUTER_AD = 1 << 0
/** The inner tag's TPID is 0x88a8 rather than 0x8100. */
export const FLAG_INNER_AD = 1 << 1
/** The datagram is a fragment (nw_frag any). */
export const FLAG_FRAG = 1 << 2
/** The datagram is a fragment other than the first (nw_frag later). */
export const FLAG_LATER = 1 << 3
/** The network header contradicts itself or the frame's length; the nw words are zero. */
export const FLAG_BAD_L3 = 1 << 4
/** An IPv4 header with options. */
export const FLAG_IP_OPTIONS = 1 << 5
/** The transport header is cut short or contradicts itself; the tp words are zero. */
export const FLAG_BAD_L4 = 1 << 6

export const ETH_IPV4 = 0x0800
export const ETH_ARP = 0x0806
export const ETH_IPV6 = 0x86dd
/** What eth_type holds for an 802.3 frame with a length and no SNAP-encapsulated type, as in Open vSwitch. */
export const ETH_TYPE_NONE = 0x05ff

/** How many words of a key with this W_TYPE word are compared. */
export function keyLength(wType: number): number {
  const type = wType >>> 16
  return type === ETH_IPV6 ? KEY_WORDS : type === ETH_ARP ? KEY_ARP : KEY_BASE
}
