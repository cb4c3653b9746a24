/**
 * What ct() finds out about a packet while it is translated: its state, its connection's mark, and what NAT
 * makes of it (ovs-actions(7), ovs-fields(7) "Connection Tracking Fields").
 */
import {
  W_CT_MARK,
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
import { CT_ALG_FTP, CT_ALG_TFTP } from '../../protocols/openflow/action.ts'
import type { CtFlush } from '../../protocols/openflow/ct-flush.ts'
import {
  CS_DST_NAT,
  CS_ESTABLISHED,
  CS_INVALID,
  CS_NEW,
  CS_RELATED,
  CS_REPLY_DIR,
  CS_SRC_NAT,
  CS_TRACKED,
} from '../../protocols/openflow/prerequisites.ts'
import type { Random } from '../../protocols/random.ts'
import type { Instant } from '../../protocols/time.ts'
import { HELP_TRANSLATE, OP_HELP, OP_QUOTED, OP_TRACK } from '../actions/ops.ts'
import type { Page } from '../dpif.ts'
import type { CtLimits, CtRow } from '../dpif-conntrack.ts'
import { setIcmpId, setTpDst, setTpSrc, tcpFlags } from '../flow/fields.ts'
import type { PacketPool } from '../memory/packet-pool.ts'
import {
  type ConnectionTracker,
  CT_BAD_PAYLOAD,
  CT_FINE,
  CT_MISFIT,
  type TrackRequest,
} from '../ofproto/connection-tracker.ts'
import type { Xlate } from '../ofproto/xlate.ts'
import { type Conntrack, CREATE_CLASH } from './conntrack.ts'
import { ctRows } from './ct-rows.ts'
import { flushMatches } from './flush-match.ts'
import { translations } from './nat-choice.ts'
import { originalTuple } from './original-tuple.ts'
import { type PacketTuple, packetTuple } from './packet-tuple.ts'
import { isError, relatedEntry, translateQuoted } from './related-error.ts'
import { destinationOf, PROTO_ICMP, PROTO_TCP, PROTO_UDP, sourceOf } from './tuple.ts'
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
  readonly #pool: PacketPool

  constructor(zones: ZoneTracker, random: Random, pool: PacketPool) {
    this.#zones = zones
    this.#random = random
    this.#pool = pool
  }

  flush(zone?: number, match?: CtFlush): void {
    this.#zones.flush(zone, match === undefined ? undefined : (c) => flushMatches(this.#zones, c, match))
  }

  rows(from: number, now: Instant): Page<CtRow> {
    return ctRows(this.#zones, from, now)
  }

  get limits(): CtLimits {
    return this.#zones.limits
  }

  set limits(limits: CtLimits) {
    this.#zones.limits = limits
  }

  quoted(connection: number, direction: number, h: number): void {
    translateQuoted(this.#zones, (connection << 1) | direction, this.#pool, h)
  }

  track(x: Xlate, request: TrackRequest): void {
    const { flow } = x
    const { action, zone } = request
    const zones = this.#zones
    const tuple = packetTuple(x)
    // A packet that this zone has translated already is known by what it has become.
    const translated = flow[W_CT_ZONE] === zone ? flow[W_CT_STATE] & (CS_SRC_NAT | CS_DST_NAT) : 0
    flow.fill(0, W_CT_STATE, W_CT_STATE + CT_WORDS)
    flow[W_CT_ZONE] = zone
    if (tuple === undefined && request.invalid === CT_FINE && isError(x)) {
      this.#error(x, request)
      return
    }
    if (tuple === undefined || request.invalid === CT_MISFIT) {
      if (tuple !== undefined) x.cacheable = false
      flow[W_CT_STATE] = CS_TRACKED | CS_INVALID
      return
    }
    let entry = translated === 0 ? zones.lookup(zone, tuple, flow) : zones.lookupBack(zone, tuple, flow)
    if (translated !== 0 && entry < 0) x.cacheable = false
    x.tag(zones.missTag(zone, tuple, flow))
    if (entry >= 0 && action.commit && action.force && (entry & 1) === 1 && x.sideEffects) {
      zones.conntrack.remove(entry >>> 1)
      entry = -1
    }
    if (entry < 0 || supersedes(x, zones.conntrack, entry)) {
      this.#stranger(x, request, tuple)
      return
    }
    x.tag(zones.conntrack.tag(entry >>> 1))
    flow[W_CT_STATE] = CS_TRACKED | translated | this.#progress(x, tuple, entry)
    if (request.invalid === CT_BAD_PAYLOAD) {
      x.cacheable = false
      flow[W_CT_STATE] |= CS_INVALID
    } else if (!this.#show(x, request, entry)) return
    this.#describe(x, entry >>> 1)
    if (action.nat !== undefined && translated === 0) this.#translate(x, tuple, entry)
    if (action.commit) this.#mark(x, request, entry >>> 1)
  }

  /** What ct_state says of a connection's packet: a connection is new until it is answered. */
  #progress(x: Xlate, { proto }: PacketTuple, entry: number): number {
    const zones = this.#zones
    const connection = entry >>> 1
    const related = zones.related(connection) ? CS_RELATED : 0
    if ((entry & 1) === 1) return related | CS_ESTABLISHED | CS_REPLY_DIR
    if (zones.conntrack.replied(connection)) return related | CS_ESTABLISHED
    if (proto === PROTO_TCP) {
      x.look(W_L4, (SYN | ACK) << 16)
      if ((tcpFlags(x.flow) & (SYN | ACK)) !== SYN) return related | CS_ESTABLISHED
    }
    x.tag(zones.replyTag(connection))
    return related | CS_NEW
  }

  /** A packet of no connection. */
  #stranger(x: Xlate, request: TrackRequest, tuple: PacketTuple): void {
    const { flow } = x
    const { action, zone } = request
    const zones = this.#zones
    if (!mayBegin(x, tuple)) {
      flow[W_CT_STATE] = CS_TRACKED | CS_INVALID
      return
    }
    flow[W_CT_STATE] = CS_TRACKED | CS_NEW
    const addresses = packetAddresses(flow, tuple.ipv6)
    flow.set(originalTuple(tuple.ipv6, addresses, tuple.proto, tuple.tp), W_CT_NW_SRC)
    const expected = zones.expected(zone, tuple, flow, x.now)
    x.tag(zones.expectationTag(zone, tuple, flow))
    if (expected !== undefined) {
      // It is expected but once.
      x.cacheable = false
      flow[W_CT_STATE] |= CS_RELATED
      flow.set(expected.marks!, W_CT_MARK)
      flow.set(expected.original!, W_CT_NW_SRC)
    }
    if (!action.commit || !x.sideEffects) return
    // The next packet finds the connection.
    x.cacheable = false
    const replies =
      expected !== undefined && action.nat !== undefined
        ? [zones.expectedReply(expected, tuple)]
        : translations(expected === undefined ? action.nat : undefined, tuple, addresses, this.#random)
    for (const reply of replies) {
      const made = zones.create(zone, tuple, flow, reply, x.now)
      if (made === CREATE_CLASH) continue
      if (made < 0) break
      if (expected !== undefined) zones.relate(made, expected)
      if (action.alg !== 0) this.#attach(action.alg, tuple, made)
      if (!this.#show(x, request, made << 1)) return
      if (action.nat !== undefined) this.#translate(x, tuple, made << 1)
      this.#mark(x, request, made)
      return
    }
    // No room, or every port is taken.
    request.note(' >> connection could not be committed')
    flow[W_CT_STATE] = CS_TRACKED | CS_INVALID
  }

  #attach(alg: number, { proto }: PacketTuple, connection: number): void {
    const zones = this.#zones
    if (alg === CT_ALG_FTP && proto === PROTO_TCP) zones.conntrack.helpers.attach(connection, 'ftp', zones)
    if (alg === CT_ALG_TFTP && proto === PROTO_UDP) zones.conntrack.helpers.attach(connection, 'tftp', zones)
  }

  /** An ICMP error: what it quotes is in no key, so that nothing is cached. */
  #error(x: Xlate, request: TrackRequest): void {
    const { flow, handle } = x
    const zones = this.#zones
    x.cacheable = false
    const entry = handle < 0 ? -1 : relatedEntry(zones, request.zone, this.#pool, handle)
    if (entry < 0) {
      flow[W_CT_STATE] = CS_TRACKED | CS_INVALID
      return
    }
    const connection = entry >>> 1
    flow[W_CT_STATE] = CS_TRACKED | CS_RELATED | ((entry & 1) === 1 ? CS_REPLY_DIR : 0)
    this.#describe(x, connection)
    if (request.action.nat === undefined) return
    const { source, destination } = zones.translated(connection)
    if (!source && !destination) return
    x.commit()
    x.program.op2(OP_QUOTED, connection, entry & 1)
    x.irreversible++
    this.#translateAddresses(x, zones.isIpv6(connection), entry)
  }

  /**
   * Has the program show each packet to its connection, and to its helper; a whole datagram is shown at once.
   * @returns false when that one does not belong to the connection
   */
  #show(x: Xlate, { action, op, resume, whole }: TrackRequest, entry: number): boolean {
    const { conntrack } = this.#zones
    const connection = entry >>> 1
    if (whole) {
      if (conntrack.packet(connection, entry & 1, this.#pool, x.handle, x.now) && !conntrack.ignored)
        return true
      x.flow[W_CT_STATE] = CS_TRACKED | CS_INVALID
      return false
    }
    x.commit()
    const id = resume()
    x.program.op3(op, connection, entry & 1, id)
    if (conntrack.helped(connection)) {
      const nat = action.nat === undefined ? 0 : HELP_TRANSLATE
      x.program.op3(OP_HELP, connection, (entry & 1) | nat, op === OP_TRACK ? id : -1)
    }
    x.irreversible++
    return true
  }

  /** The packet carries its connection's mark and the addresses of its first packet, or of its master's. */
  #describe({ flow }: Xlate, connection: number): void {
    flow.set(this.#zones.marks(connection), W_CT_MARK)
    flow.set(this.#zones.originalTuple(connection), W_CT_NW_SRC)
  }

  /** Gives the packet the addresses and ports that its connection has on the other side. */
  #translate(x: Xlate, { ipv6, proto }: PacketTuple, entry: number): void {
    const zones = this.#zones
    const { flow } = x
    const translated = zones.translated(entry >>> 1)
    if (!translated.source && !translated.destination) return
    this.#translateAddresses(x, ipv6, entry)
    const tp = zones.conntrack.tp(entry ^ 1)
    if (proto === PROTO_ICMP) setIcmpId(flow, sourceOf(tp))
    else if (tp !== 0) {
      setTpSrc(flow, destinationOf(proto, tp))
      setTpDst(flow, sourceOf(tp))
    }
  }

  #translateAddresses({ flow }: Xlate, ipv6: boolean, entry: number): void {
    const zones = this.#zones
    const translated = zones.translated(entry >>> 1)
    const reply = (entry & 1) === 1
    const source = reply ? translated.destination : translated.source
    const destination = reply ? translated.source : translated.destination
    flow[W_CT_STATE] = flow[W_CT_STATE] | (source ? CS_SRC_NAT : 0) | (destination ? CS_DST_NAT : 0)
    const other = zones.addresses(entry ^ 1)
    const words = ipv6 ? 4 : 1
    if (source) flow.set(other.subarray(4, 4 + words), ipv6 ? W_IPV6_SRC : W_NW_SRC)
    if (destination) flow.set(other.subarray(0, words), ipv6 ? W_IPV6_DST : W_NW_DST)
  }

  /** exec(): sets the connection's mark and label. */
  #mark(x: Xlate, { action, exec }: TrackRequest, connection: number): void {
    // As in Open vSwitch what is related carries its master's.
    if (action.exec.length === 0 || this.#zones.related(connection)) return
    exec()
    if (x.sideEffects) this.#zones.setMarks(connection, x.flow.slice(W_CT_MARK, W_CT_MARK + MARK_WORDS))
  }
}

/**
 * Whether a connection that was found is over, and the packet in hand begins another between the same ends: the old
 * one goes. What else the packet's flow may carry is not looked at; the program finds out by itself.
 */
function supersedes(x: Xlate, conntrack: Conntrack, entry: number): boolean {
  if (!conntrack.over(entry >>> 1) || (tcpFlags(x.flow) & (FIN | SYN | RST | ACK)) !== SYN) return false
  if (x.sideEffects) conntrack.remove(entry >>> 1)
  return true
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

function packetAddresses(flow: Uint32Array, ipv6: boolean): Uint32Array {
  const words = new Uint32Array(8)
  if (ipv6) words.set(flow.subarray(W_IPV6_SRC, W_IPV6_SRC + 8), 0)
  else {
    words[0] = flow[W_NW_SRC]
    words[4] = flow[W_NW_DST]
  }
  return words
}
