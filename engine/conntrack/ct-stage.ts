/**
 * What ct() finds out about a packet while it is translated: its state, its connection's mark, and what NAT
 * makes of it (ovs-actions(7), ovs-fields(7) "Connection Tracking Fields").
 */
import {
  W_CT_IPV6_DST,
  W_CT_IPV6_SRC,
  W_CT_MARK,
  W_CT_NW_DST,
  W_CT_NW_PROTO,
  W_CT_NW_SRC,
  W_CT_STATE,
  W_CT_TP,
  W_CT_ZONE,
  W_IPV6_DST,
  W_IPV6_SRC,
  W_L4,
  W_NW_DST,
  W_NW_SRC,
} from '../../protocols/flow-key.ts'
import {
  CS_DST_NAT,
  CS_ESTABLISHED,
  CS_INVALID,
  CS_NEW,
  CS_REPLY_DIR,
  CS_SRC_NAT,
  CS_TRACKED,
} from '../../protocols/openflow/prerequisites.ts'
import type { Random } from '../../protocols/random.ts'
import { setIcmpId, setTpDst, setTpSrc, tcpFlags } from '../flow/fields.ts'
import type { ConnectionTracker, TrackRequest } from '../ofproto/connection-tracker.ts'
import type { Xlate } from '../ofproto/xlate.ts'
import { CREATE_CLASH } from './conntrack.ts'
import { translations } from './nat-choice.ts'
import { type PacketTuple, packetTuple } from './packet-tuple.ts'
import { destinationOf, PROTO_ICMP, PROTO_TCP, sourceOf } from './tuple.ts'
import { MARK_WORDS, type ZoneTracker } from './zone-tracker.ts'

/** Words from ct_state to ct_tp. */
const CT_WORDS = W_CT_TP + 1 - W_CT_STATE
const FIN = 0x01
const SYN = 0x02
const RST = 0x04
const ACK = 0x10

export class CtStage implements ConnectionTracker {
  readonly #zones: ZoneTracker
  readonly #random: Random

  constructor(zones: ZoneTracker, random: Random) {
    this.#zones = zones
    this.#random = random
  }

  flush(zone?: number): void {
    this.#zones.flush(zone)
  }

  track(x: Xlate, request: TrackRequest): void {
    const { flow } = x
    const { action, zone } = request
    const zones = this.#zones
    const tuple = packetTuple(x)
    flow.fill(0, W_CT_STATE, W_CT_STATE + CT_WORDS)
    flow[W_CT_ZONE] = zone
    if (tuple === undefined || request.invalid) {
      if (tuple !== undefined) x.cacheable = false
      flow[W_CT_STATE] = CS_TRACKED | CS_INVALID
      return
    }
    let entry = zones.lookup(zone, tuple, flow)
    x.tag(zones.missTag(zone, tuple, flow))
    if (entry >= 0 && action.commit && action.force && (entry & 1) === 1 && x.sideEffects) {
      zones.conntrack.remove(entry >>> 1)
      entry = -1
    }
    if (entry < 0) {
      this.#stranger(x, request, tuple)
      return
    }
    x.tag(zones.conntrack.tag(entry >>> 1))
    show(x, request, entry)
    flow[W_CT_STATE] = CS_TRACKED | CS_ESTABLISHED | ((entry & 1) === 1 ? CS_REPLY_DIR : 0)
    this.#describe(x, entry >>> 1)
    if (action.nat !== undefined) this.#translate(x, tuple, entry)
    if (action.commit) this.#mark(x, request, entry >>> 1)
  }

  /** A packet of no connection. */
  #stranger(x: Xlate, request: TrackRequest, tuple: PacketTuple): void {
    const { flow } = x
    const { action, zone } = request
    if (!mayBegin(x, tuple)) {
      flow[W_CT_STATE] = CS_TRACKED | CS_INVALID
      return
    }
    flow[W_CT_STATE] = CS_TRACKED | CS_NEW
    const addresses = packetAddresses(flow, tuple.ipv6)
    putOriginal(flow, tuple.ipv6, addresses, tuple.proto, tuple.tp)
    if (!action.commit || !x.sideEffects) return
    // The next packet finds the connection.
    x.cacheable = false
    for (const reply of translations(action.nat, tuple, addresses, this.#random)) {
      const made = this.#zones.create(zone, tuple, flow, reply, x.now)
      if (made === CREATE_CLASH) continue
      if (made < 0) break
      show(x, request, made << 1)
      if (action.nat !== undefined) this.#translate(x, tuple, made << 1)
      this.#mark(x, request, made)
      return
    }
    // No room, or every port is taken.
    request.note(' >> connection could not be committed')
    flow[W_CT_STATE] = CS_TRACKED | CS_INVALID
  }

  /** The packet carries its connection's mark and the addresses of its first packet. */
  #describe({ flow }: Xlate, connection: number): void {
    const { conntrack } = this.#zones
    flow.set(this.#zones.marks(connection), W_CT_MARK)
    const forward = connection << 1
    const ipv6 = this.#zones.isIpv6(connection)
    putOriginal(
      flow,
      ipv6,
      this.#zones.addresses(forward),
      conntrack.proto(connection),
      conntrack.tp(forward),
    )
  }

  /** Gives the packet the addresses that its connection has on the other side. */
  #translate({ flow }: Xlate, { ipv6, proto }: PacketTuple, entry: number): void {
    const zones = this.#zones
    const translated = zones.translated(entry >>> 1)
    if (!translated.source && !translated.destination) return
    const reply = (entry & 1) === 1
    const source = reply ? translated.destination : translated.source
    const destination = reply ? translated.source : translated.destination
    flow[W_CT_STATE] = flow[W_CT_STATE] | (source ? CS_SRC_NAT : 0) | (destination ? CS_DST_NAT : 0)
    const other = zones.addresses(entry ^ 1)
    if (ipv6) {
      flow.set(other.subarray(4, 8), W_IPV6_SRC)
      flow.set(other.subarray(0, 4), W_IPV6_DST)
    } else {
      flow[W_NW_SRC] = other[4]
      flow[W_NW_DST] = other[0]
    }
    const tp = zones.conntrack.tp(entry ^ 1)
    if (proto === PROTO_ICMP) setIcmpId(flow, sourceOf(tp))
    else if (tp !== 0) {
      setTpSrc(flow, destinationOf(proto, tp))
      setTpDst(flow, sourceOf(tp))
    }
  }

  /** exec(): sets the connection's mark and label. */
  #mark(x: Xlate, { action, exec }: TrackRequest, connection: number): void {
    if (action.exec.length === 0) return
    exec()
    if (x.sideEffects) this.#zones.setMarks(connection, x.flow.slice(W_CT_MARK, W_CT_MARK + MARK_WORDS))
  }
}

/** Has the program show each packet to its connection. */
function show(x: Xlate, { op, resume }: TrackRequest, entry: number): void {
  x.commit()
  x.program.op3(op, entry >>> 1, entry & 1, resume())
  x.irreversible++
}

/**
 * Whether a packet may be the first of a connection, or of one that is older than our memory. A segment that
 * is half of a handshake, or whose flags contradict each other, is neither.
 */
function mayBegin(x: Xlate, { proto, tp }: PacketTuple): boolean {
  if (proto === PROTO_TCP) {
    x.look(W_L4, (FIN | SYN | RST | ACK) << 16)
    const flags = tcpFlags(x.flow)
    if ((flags & SYN) !== 0) return (flags & (FIN | RST | ACK)) === 0
    return (flags & (ACK | RST)) !== 0
  }
  return proto !== PROTO_ICMP || (tp & 0xff) === 8 || (tp & 0xff) >= 13
}

function putOriginal(
  flow: Uint32Array,
  ipv6: boolean,
  addresses: Uint32Array,
  proto: number,
  tp: number,
): void {
  if (ipv6) {
    flow.set(addresses.subarray(0, 4), W_CT_IPV6_SRC)
    flow.set(addresses.subarray(4, 8), W_CT_IPV6_DST)
  } else {
    flow[W_CT_NW_SRC] = addresses[0]
    flow[W_CT_NW_DST] = addresses[4]
  }
  flow[W_CT_NW_PROTO] = ipv6 && proto === PROTO_ICMP ? 58 : proto
  flow[W_CT_TP] = proto === PROTO_ICMP ? (tp & 0xff) << 16 : tp
}

function packetAddresses(flow: Uint32Array, ipv6: boolean): Uint32Array {
  const words = new Uint32Array(8)
  if (ipv6) words.set(flow.subarray(W_IPV6_SRC, W_IPV6_SRC + 8), 0)
  else {
    words[0] = flow[W_NW_SRC]
    words[4] = flow[W_NW_DST]
  }
  return words
}
