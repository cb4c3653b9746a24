/**
 * The flow key: what a frame is looked up by. It is a run of 32-bit words (so that hashing, masking and
 * comparing are word loops) with header fields in host order of significance: the first byte on the wire is
 * the most significant byte of its word. A mask has the same layout; so has the record of the bits that a
 * translation looked at.
 *
 * Only as many words as the frame needs are compared: KEY_BASE for most, KEY_ARP for ARP, KEY_MPLS for MPLS,
 * KEY_NSH for NSH, KEY_WORDS for IPv6.
 * `W_TYPE` lies in the base and tells which, so keys of different length never compare equal by accident.
 * Words beyond the length are zero.
 *
 * As in Open vSwitch, fields of ARP share those of IP: opcode in nw_proto, addresses in nw_src and nw_dst;
 * ICMP type and code stand in tp_src and tp_dst; nw_proto of an IPv6 fragment other than the first is 44.
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
/** Words compared for frames of IPv4 and of types that have no words of their own. */
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
export const ETH_MPLS = 0x8847
export const ETH_MPLS_MULTICAST = 0x8848
export const ETH_NSH = 0x894f
/** What eth_type holds for an 802.3 frame with a length and no SNAP-encapsulated type, as in Open vSwitch. */
export const ETH_TYPE_NONE = 0x05ff

/** packet_type of a frame with an Ethernet header; of others it is PT_ETHERTYPE and the Ethernet type. */
export const PT_ETHERNET = 0
/** The namespace of Ethernet types (OpenFlow 1.5.1 §7.2.3.11), shifted to its place. */
export const PT_ETHERTYPE = 0x1_0000

/** How many words of a key with this W_TYPE word are compared. */
export function keyLength(wType: number): number {
  const type = wType >>> 16
  if (type === ETH_IPV4) return KEY_BASE
  if (type === ETH_IPV6) return KEY_WORDS
  if (type === ETH_ARP) return KEY_ARP
  if (type === ETH_MPLS || type === ETH_MPLS_MULTICAST) return KEY_MPLS
  return type === ETH_NSH ? KEY_NSH : KEY_BASE
}

/*
 * Beyond the key: what a packet carries through tables of rules but not on any wire. A translation's flow, a
 * rule's match and its mask have FLOW_WORDS words; the datapath's key and a megaflow's mask are their first
 * KEY_WORDS.
 *
 * MPLS and NSH share words with ARP and IPv6: a frame has only one of them.
 */

/** Three label stack entries, the outermost first: label << 12 | tc << 9 | bos << 8 | ttl. */
export const W_MPLS = 12
/** Words compared for MPLS. */
export const KEY_MPLS = 15
/** NSH: flags << 24 | ttl << 16 | mdtype << 8 | next protocol. */
export const W_NSH = 12
/** NSH: service path id << 8 | service index. */
export const W_NSH_PATH = 13
/** NSH: four context words of MD type 1. */
export const W_NSH_CONTEXT = 14
/** Words compared for NSH. */
export const KEY_NSH = 18

/** OpenFlow metadata, high word first. */
export const W_METADATA = 28
export const W_PKT_MARK = 30
/** Queue chosen by set_queue. */
export const W_SKB_PRIORITY = 31
/** reg0 to reg15; xreg0 is reg0 << 32 | reg1, xxreg0 begins with reg0. */
export const W_REG = 32
/** CS_* bits. */
export const W_CT_STATE = 48
export const W_CT_ZONE = 49
export const W_CT_MARK = 50
/** Four words, most significant first. */
export const W_CT_LABEL = 51
export const W_CT_NW_SRC = 55
export const W_CT_NW_DST = 56
export const W_CT_IPV6_SRC = 57
export const W_CT_IPV6_DST = 61
/** ct_nw_proto. */
export const W_CT_NW_PROTO = 65
/** ct_tp_src << 16 | ct_tp_dst. */
export const W_CT_TP = 66
export const W_CONJ_ID = 67
export const W_DP_HASH = 68
export const W_ACTSET_OUTPUT = 69
/** Two words. */
export const W_TUN_ID = 70
export const W_TUN_SRC = 72
export const W_TUN_DST = 73
export const W_TUN_IPV6_SRC = 74
export const W_TUN_IPV6_DST = 78
/** tun_tos << 24 | tun_ttl << 16 | tun_flags. */
export const W_TUN_IP = 82
/** tun_gbp_id << 16 | tun_gbp_flags << 8. */
export const W_TUN_GBP = 83
/** tun_erspan_idx. */
export const W_TUN_ERSPAN_IDX = 84
/** tun_erspan_ver << 24 | dir << 16 | hwid << 8. */
export const W_TUN_ERSPAN = 85
/** tun_gtpu_flags << 8 | tun_gtpu_msgtype. */
export const W_TUN_GTPU = 86
/** packet_type: namespace << 16 | type; see PT_*. */
export const W_PACKET_TYPE = 87
/** tun_metadata0 to 63 as the TLV table lays them out: 256 bytes. */
export const W_TUN_METADATA = 88
/** nd_reserved, which no key has. */
export const W_ND_RESERVED = 152
/** Which of tun_metadata0 to 63 there are, in two words: bit 0 of the first is tun_metadata0. */
export const W_TUN_PRESENT = 153
/** Words of a whole flow. */
export const FLOW_WORDS = 155
