/**
 * Tags tell which megaflows looked at what.
 *
 * Problem: a cached decision must go the moment anything it looked at changes (a station moves, a neighbour
 * answers, a route or rule or connection goes), yet no packet may pay for finding that out.
 *
 * A tag is a small integer, a hash of the thing looked at ("MAC m in VLAN v of bridge b", "neighbour a of
 * interface i"), found or not: looking in vain leaves the same tag, so that an appearing entry counts as a
 * change too. A translation collects tags; the megaflow is listed under each; a change touches the tag and
 * every flow listed there is dropped and translated again on its next packet. Two things may share a tag; that
 * costs a needless translation and is never wrong.
 */

const SECTION = 1 << 16
/** Number of tags; a power of two. */
export const TAG_COUNT = 8 * SECTION
/** From here on they are of connections: few flows share one of these, and each of those has few. */
export const FIRST_OWN_TAG = TAG_COUNT / 2

/** What kind of thing a tag stands for. */
export const TAG_MAC = 1
export const TAG_NEIGHBOR = 2
export const TAG_CONNECTION = 3
/** Everything of a bridge but its rules: ports and settings. */
export const TAG_BRIDGE = 4
/** Everything of a router but neighbours and connections: interfaces, routes, NAT rules. */
export const TAG_ROUTER = 5
/** What a lookup found in a flow table: a footprint (classifier/footprints.ts). */
export const TAG_RULES = 7
/** A flow table that was looked into. */
export const TAG_TABLE = 8
/** Every change of a flow table's rules. */
export const TAG_TABLE_CHANGE = 9
/** A NAT mapping or the want of one: (protocol, external address and port). */
export const TAG_MAPPING = 6
/** A tuple of a zone of ct(), with a connection or without. */
export const TAG_CT_TUPLE = 14

/**
 * What changes with every frame of a flood (stations, connections) shares no tags with what thousands of flows
 * depend on (a bridge, a router, a next hop, a table): tags fall into sections by kind.
 */
const FIRST_OF = new Uint32Array(16)
const COUNT_OF = new Uint32Array(16).fill(SECTION)
FIRST_OF[TAG_MAC] = SECTION
FIRST_OF[TAG_NEIGHBOR] = 2 * SECTION
// Flows stand under connections; where there is none yet, or no mapping, under that for a moment only.
FIRST_OF[TAG_CONNECTION] = FIRST_OWN_TAG
COUNT_OF[TAG_CONNECTION] = 2 * SECTION
for (const kind of [TAG_MAPPING, TAG_CT_TUPLE]) {
  FIRST_OF[kind] = FIRST_OWN_TAG + 2 * SECTION
  COUNT_OF[kind] = 2 * SECTION
}

/** A group, or the want of one. */
export const TAG_GROUP = 10
/** A meter, or the want of one. */
export const TAG_METER = 11
/** The facts of a packet-in, kept under a number. */
export const TAG_PACKET_IN = 12
/** A translation that will go on, kept under a number. */
export const TAG_FROZEN = 13

/** The tag of a thing named by its kind and up to three numbers. */
export function tagOf(kind: number, a: number, b: number, c: number): number {
  let h = Math.imul(kind, 0x9e3779b1) ^ Math.imul(a | 0, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35) ^ Math.imul(b | 0, 0x27d4eb2f)
  h = Math.imul(h ^ (h >>> 13), 0x165667b1) ^ Math.imul(c | 0, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  return FIRST_OF[kind] + ((h ^ (h >>> 13)) & (COUNT_OF[kind] - 1))
}

/** A VLAN of a bridge as one number above 0: where a station is, besides its address. */
export function stationOf(bridge: number, vlan: number): number {
  return bridge * 4096 + vlan + 1
}

export function bridgeOfStation(station: number): number {
  return (station - 1) >>> 12
}

export function vlanOfStation(station: number): number {
  return (station - 1) & 4095
}

/** Who drops the flows listed under a tag. */
export interface TagListener {
  touch(tag: number): void
}
