/**
 * NAT of one router: RFC 4787 (UDP), RFC 5382 (TCP), RFC 5508 (ICMP), RFC 7857 (clarifications to all three).
 *
 * A packet of a known connection needs nothing from here but its connection's two tuples (conntrack.ts). A
 * stranger is looked at in two places. `prerouting` decides what its destination means: a forwarding rule's
 * address, somebody's mapping (if the mapping's filter lets the sender in), an address of ours where nobody
 * listens, or none of our business. `postrouting`, knowing the way out, decides what its source becomes, and
 * creates the connection.
 *
 * Hairpinning (RFC 4787 REQ-9, RFC 5382 REQ-8): a packet from inside to a mapping or forwarding of the same
 * router takes both translations, its source that which it would have going out to the address it was sent
 * to. Filters protect the inside from the outside, so they do not apply to it.
 *
 * A translation that creates a connection is not cached: the next packet finds the connection. Behind a TCP segment
 * from inside a next one is sure to come: there the translation becomes what that one's would be. One that finds no
 * connection notes the tuple, and the mapping it looked for, so that it is made anew when either comes about.
 */
import { FLAG_BAD_L4, W_L4, W_NW, W_NW_DST, W_NW_SRC, W_TP, W_TYPE } from '../../protocols/flow-key.ts'
import type { Instant } from '../../protocols/time.ts'
import { OP_SLOW, SLOW_ICMP_ERROR, SLOW_PROHIBITED } from '../actions/ops.ts'
import {
  DROP_CT_INVALID,
  DROP_NAT_FILTERED,
  DROP_NAT_NO_MAPPING,
  DROP_NAT_PORTS,
  DROP_NAT_TABLE,
  DROP_ROUTER_BAD_HEADER,
} from '../drops.ts'
import { icmpId, nwProto } from '../flow/fields.ts'
import type { Xlate } from '../ofproto/xlate.ts'
import type { NatRouter } from '../router/nat-engine.ts'
import { NAT_CONTINUE, NAT_SLOW, type NatStage } from '../router/nat-stage.ts'
import type { RouterHost } from '../router/router-host.ts'
import { type Conntrack, CREATE_CLASH } from './conntrack.ts'
import type { Expectation } from './expectations.ts'
import { mayBegin, opens } from './first-packet.ts'
import { obtainMapping } from './nat-allocation.ts'
import { NatFilter } from './nat-filter.ts'
import { drop, setDestination, setSource } from './nat-flow.ts'
import { NatMappings } from './nat-mapping.ts'
import { reservePorts, stillAllowed } from './nat-revision.ts'
import {
  FILTER_ADDRESS,
  FILTER_NONE,
  type NatPool,
  NatPools,
  NatRules,
  type SourceRule,
} from './nat-rules.ts'
import { RouterAnnouncements } from './router-announcements.ts'
import {
  destinationOf,
  isIcmpError,
  isIcmpQuery,
  isIcmpReply,
  PROTO_ICMP,
  PROTO_TCP,
  PROTO_UDP,
  reverseTp,
  sourceOf,
  withDestination,
  withSource,
} from './tuple.ts'
import { type PortUnreachable, UnsolicitedSyns } from './unsolicited-syns.ts'
import type { ConnectionOwner } from './zone.ts'

/** Ports tried when a forwarded connection's answers would be mistaken for another's. */
const MAX_TRIES = 32

/** What `prerouting` found out about a packet without a connection. */
const ARRIVED_AS_IS = 0
/** Its destination was that of a forwarding rule. */
const ARRIVED_FORWARDED = 1
/** Its destination was a mapping. */
const ARRIVED_MAPPED = 2

export class RouterNat implements NatStage, ConnectionOwner {
  readonly #host: RouterHost
  readonly #conntrack: Conntrack
  readonly #pools = new NatPools()
  readonly #filter = new NatFilter()
  readonly #syns: UnsolicitedSyns
  readonly #announced: RouterAnnouncements
  readonly mappings: NatMappings
  readonly zone: number
  rules: NatRules
  #router: NatRouter

  // Of the packet under way, from `prerouting` to `postrouting`.
  #proto = 0
  #tracked = false
  #src = 0
  #dst = 0
  #tp = 0
  #entry = -1
  #arrived = ARRIVED_AS_IS
  #mapping = -1
  #expected: Expectation | undefined
  /** Where in the program a connection is shown the packet, and how many tags were noted up to there. */
  #trackAt = 0
  #tagsBefore = 0

  constructor(host: RouterHost, conntrack: Conntrack, router: NatRouter, portUnreachable: PortUnreachable) {
    const { maxConnections, timeouts } = router.spec
    this.#host = host
    this.#conntrack = conntrack
    this.#syns = new UnsolicitedSyns(host, conntrack, portUnreachable)
    this.#router = router
    this.mappings = new NatMappings(host, host.random, router.index)
    this.zone = conntrack.openZone(this, { limit: maxConnections, timeouts })
    this.#announced = new RouterAnnouncements(host, conntrack, this.zone, this.mappings)
    this.rules = new NatRules(router, this.#pools)
    this.configure(router)
  }

  /** Takes on new rules: connections that they would still make stay, but do not begin anew as they are; others go. */
  configure(router: NatRouter): void {
    const { maxConnections, timeouts } = router.spec
    const ct = this.#conntrack
    this.#router = router
    this.rules = new NatRules(router, this.#pools)
    ct.configureZone(this.zone, { limit: maxConnections, timeouts })
    // One more: a mapping is made before the connection that may have to make room for its own.
    this.mappings.reserve(Math.max(maxConnections, ct.zone(this.zone).count) + 1)
    this.mappings.setReservations((proto, address, ports) =>
      reservePorts(this.rules, this.#router, proto, address, ports),
    )
    for (let c = 0; c < ct.end; c++) {
      if (!ct.exists(c) || ct.zoneOf(c) !== this.zone) continue
      ct.setRenewable(c, false)
      if (!ct.expected(c) && !stillAllowed(ct, this.rules, router, c)) ct.remove(c)
    }
  }

  close(): void {
    this.#conntrack.closeZone(this.zone)
  }

  owns(address: number): boolean {
    return this.rules.isExternal(address) && !this.rules.isOwn(address)
  }

  prerouting(x: Xlate, iface: number): number {
    const { flow } = x
    const proto = nwProto(flow)
    x.look(W_NW, 0xff000000)
    this.#proto = proto
    this.#entry = -1
    this.#arrived = ARRIVED_AS_IS
    this.#mapping = -1
    this.#expected = undefined
    this.#tracked = false
    if (proto !== PROTO_TCP && proto !== PROTO_UDP && proto !== PROTO_ICMP) return NAT_CONTINUE
    if ((flow[W_TYPE] & FLAG_BAD_L4) !== 0) return drop(x, DROP_ROUTER_BAD_HEADER)
    x.look(W_NW_SRC, 0xffffffff)
    x.look(W_NW_DST, 0xffffffff)
    let tp = flow[W_TP]
    if (proto === PROTO_ICMP) {
      x.look(W_TP, 0xffff0000)
      const type = tp >>> 16
      if (isIcmpError(type)) {
        x.program.op2(OP_SLOW, SLOW_ICMP_ERROR, iface)
        x.outputs++
        return NAT_SLOW
      }
      if (!isIcmpQuery(type) && !isIcmpReply(type)) return NAT_CONTINUE
      x.look(W_L4, 0x0000ffff)
      tp = ((icmpId(flow) << 16) | type) >>> 0
    } else x.look(W_TP, 0xffffffff)
    this.#tracked = true
    this.#src = flow[W_NW_SRC]
    this.#dst = flow[W_NW_DST]
    this.#tp = tp
    const ct = this.#conntrack
    const entry = ct.lookup(this.zone, proto, this.#src, this.#dst, tp)
    this.#trackAt = x.program.length
    this.#tagsBefore = x.notes.count
    if (entry < 0) {
      x.tag(ct.tupleTag(this.zone, proto, this.#src, this.#dst, tp))
      return this.#stranger(x, iface)
    }
    this.#entry = entry
    x.tag(ct.tag(entry >>> 1))
    x.track(entry >>> 1, entry & 1, iface)
    setDestination(x, proto, ct.src(entry ^ 1), sourceOf(ct.tp(entry ^ 1)))
    return NAT_CONTINUE
  }

  postrouting(x: Xlate, inIface: number, outIface: number): number {
    const proto = this.#proto
    if (!this.#tracked) return this.#untracked(x, outIface)
    const ct = this.#conntrack
    if (this.#entry >= 0) {
      const other = this.#entry ^ 1
      this.#announced.help(x, this.#entry)
      setSource(x, proto, ct.dst(other), destinationOf(proto, ct.tp(other)))
      return NAT_CONTINUE
    }
    const target = x.flow[W_NW_DST]
    let rule = this.rules.source(proto, this.#src, target, outIface)
    let out = outIface
    const home = this.#arrived === ARRIVED_AS_IS ? inIface : this.rules.interfaceTowards(this.#dst)
    if (rule === undefined && home !== inIface) {
      rule = this.rules.source(proto, this.#src, this.#dst, home)
      out = home
    }
    if (rule === undefined && this.#arrived === ARRIVED_AS_IS && this.#expected === undefined)
      return NAT_CONTINUE
    const { cacheable } = x
    const lookedAt = x.wc[W_L4]
    if (this.#arrived === ARRIVED_AS_IS && !mayBegin(x, proto, this.#tp)) return drop(x, DROP_CT_INVALID)
    const pool = rule?.poolFor(this.#router.addressOf(out))
    if (!x.sideEffects) {
      if (pool !== undefined) this.#foresee(x, pool)
      return NAT_CONTINUE
    }
    x.cacheable = false
    const verdict = this.#begin(x, inIface, rule, pool)
    const goesOn = proto === PROTO_TCP && this.#arrived === ARRIVED_AS_IS && this.#expected === undefined
    if (verdict !== NAT_CONTINUE || !cacheable || !goesOn) return verdict
    // Under the tags noted so far nothing has changed but that the tuple has a connection, by which all goes from now on.
    x.cacheable = true
    x.notes.forgetOwn(this.#tagsBefore)
    x.wc[W_L4] = lookedAt
    x.tag(ct.tag(this.#entry >>> 1))
    return verdict
  }

  poll(now: Instant): void {
    this.#syns.poll(this.zone, now)
  }

  pollAt(): Instant | undefined {
    return this.#syns.nextDue
  }

  connectionRemoved(connection: number): void {
    const ct = this.#conntrack
    const outbound = ct.ownerA(connection)
    const inbound = ct.ownerB(connection)
    if (outbound >= 0) {
      const filtered = this.mappings.filter(outbound) === FILTER_ADDRESS
      if (filtered) this.#filter.remove(outbound, ct.src((connection << 1) | 1))
      this.mappings.release(outbound)
    }
    if (inbound >= 0) this.mappings.release(inbound)
  }

  /** A packet that belongs to no connection: what does its destination mean? */
  #stranger(x: Xlate, iface: number): number {
    const { rules, mappings } = this
    const proto = this.#proto
    const dst = this.#dst
    const port = destinationOf(proto, this.#tp)
    if (this.#isExpected(x, port)) return NAT_CONTINUE
    const answer = proto === PROTO_ICMP && !isIcmpQuery(this.#tp & 0xff)
    const rule = answer ? undefined : rules.destination(proto, dst, port, iface)
    if (rule !== undefined) {
      if (!opens(x, this.#proto)) return drop(x, DROP_CT_INVALID)
      this.#arrived = ARRIVED_FORWARDED
      setDestination(x, proto, rule.to, rule.portFor(proto, port))
      return NAT_CONTINUE
    }
    if (!rules.isExternal(dst)) return NAT_CONTINUE
    if (proto === PROTO_ICMP) return rules.isOwn(dst) ? NAT_CONTINUE : drop(x, DROP_NAT_NO_MAPPING)
    x.tag(mappings.tag(proto, dst, port))
    const mapping = mappings.findExternal(proto, dst, port)
    if (mapping >= 0 && this.#admits(mapping, iface)) {
      if (!opens(x, this.#proto)) return drop(x, DROP_CT_INVALID)
      this.#arrived = ARRIVED_MAPPED
      this.#mapping = mapping
      setDestination(x, proto, mappings.internalAddress(mapping), mappings.internalPort(mapping))
      return NAT_CONTINUE
    }
    if (proto === PROTO_TCP && !this.#unsolicited(x, iface)) return drop(x, DROP_CT_INVALID)
    if (mapping >= 0) return drop(x, DROP_NAT_FILTERED)
    // UDP to the router itself.
    if (proto === PROTO_UDP && rules.isOwn(dst)) return NAT_CONTINUE
    return drop(x, DROP_NAT_NO_MAPPING)
  }

  /** Whether a helper has seen the connection announced; it is translated as its master is. */
  #isExpected(x: Xlate, port: number): boolean {
    const found = this.#announced.find(x, this.#proto, this.#src, this.#dst, port)
    if (found === undefined || !opens(x, this.#proto)) return false
    this.#expected = found
    if (found.replySrc !== this.#dst || found.replyPort !== port) this.#arrived = ARRIVED_FORWARDED
    setDestination(x, this.#proto, found.replySrc, found.replyPort)
    return true
  }

  /** Whether a mapping is open to the sender of the packet under way. */
  #admits(mapping: number, iface: number): boolean {
    if (iface !== this.rules.interfaceTowards(this.#dst)) return true
    const filter = this.mappings.filter(mapping)
    return filter === FILTER_NONE || (filter === FILTER_ADDRESS && this.#filter.has(mapping, this.#src))
  }

  /** A SYN for nobody is remembered and answered later. @returns false for what is no SYN */
  #unsolicited(x: Xlate, iface: number): boolean {
    if (!opens(x, this.#proto)) return false
    x.cacheable = false
    if (x.sideEffects) this.#syns.add(x, iface)
    return true
  }

  /** What we cannot translate must not leave with an address that a rule hides. */
  #untracked(x: Xlate, outIface: number): number {
    x.look(W_NW_SRC, 0xffffffff)
    x.look(W_NW_DST, 0xffffffff)
    const rule = this.rules.source(this.#proto, x.flow[W_NW_SRC], x.flow[W_NW_DST], outIface)
    return rule === undefined ? NAT_CONTINUE : drop(x, DROP_NAT_NO_MAPPING)
  }

  /** Creates the connection of the packet under way and translates its source. */
  #begin(x: Xlate, inIface: number, rule: SourceRule | undefined, pool: NatPool | undefined): number {
    const proto = this.#proto
    const ct = this.#conntrack
    let outbound = -1
    let src = this.#src
    let srcPort = sourceOf(this.#tp)
    if (rule !== undefined) {
      if (pool !== undefined) {
        const { zone, mappings, rules } = this
        outbound = obtainMapping(ct, zone, mappings, rules, rule, pool, proto, this.#src, srcPort)
      }
      if (outbound < 0) return this.#refuse(x, inIface, DROP_NAT_PORTS)
      src = this.mappings.externalAddress(outbound)
      srcPort = this.mappings.externalPort(outbound)
    } else if (this.#expected !== undefined) src = this.#expected.replyDst
    const target = x.flow[W_NW_DST]
    const targetPort = proto === PROTO_ICMP ? srcPort : destinationOf(proto, x.flow[W_TP])
    // Held before the connection exists: making room for it may end the last one that held it.
    if (outbound >= 0) this.mappings.hold(outbound)
    if (this.#mapping >= 0) this.mappings.hold(this.#mapping)
    let made = this.#create(target, targetPort, src, srcPort)
    for (let i = 0; made === CREATE_CLASH && outbound < 0 && i < MAX_TRIES; i++) {
      srcPort = 1024 + (this.#host.random() % 64_512)
      made = this.#create(target, proto === PROTO_ICMP ? srcPort : targetPort, src, srcPort)
    }
    if (made < 0) {
      if (outbound >= 0) this.mappings.release(outbound)
      if (this.#mapping >= 0) this.mappings.release(this.#mapping)
      return this.#refuse(x, inIface, made === CREATE_CLASH ? DROP_NAT_PORTS : DROP_NAT_TABLE)
    }
    ct.setOwner(made, outbound, this.#mapping)
    // Whom a mapping lets in changes with its connections.
    ct.setRenewable(made, this.#mapping < 0)
    if (
      outbound >= 0 &&
      this.mappings.filter(outbound) === FILTER_ADDRESS &&
      this.#filter.add(outbound, target)
    ) {
      this.#host.touch(this.mappings.tag(proto, src, srcPort))
    }
    this.#announced.begun(made, this.#expected, this.#router.spec.helpers)
    this.#entry = made << 1
    x.track(made, 0, inIface, this.#trackAt)
    this.#announced.help(x, this.#entry)
    setSource(x, proto, src, srcPort)
    return NAT_CONTINUE
  }

  #create(target: number, targetPort: number, src: number, srcPort: number): number {
    const proto = this.#proto
    const reply = reverseTp(proto, withDestination(proto, withSource(this.#tp, srcPort), targetPort))
    // RFC 4787 REQ-6: what comes from outside does not keep a mapping alive; a forwarding needs no keeping.
    const refresh = this.#arrived === ARRIVED_MAPPED ? 2 : this.#arrived === ARRIVED_FORWARDED ? 3 : 1
    return this.#conntrack.create(
      this.zone,
      proto,
      this.#src,
      this.#dst,
      this.#tp,
      target,
      src,
      reply,
      refresh,
      this.#host.now,
    )
  }

  /** RFC 5508 REQ-8: the sender inside is told; whoever is outside is not. */
  #refuse(x: Xlate, inIface: number, reason: number): number {
    if (this.#arrived !== ARRIVED_AS_IS && inIface === this.rules.interfaceTowards(this.#dst))
      return drop(x, reason)
    if (x.handle >= 0) this.#host.drop(reason, x.handle)
    x.program.op2(OP_SLOW, SLOW_PROHIBITED, inIface)
    x.outputs++
    return NAT_SLOW
  }

  /** For a translation without side effects: the source it would most likely get. */
  #foresee(x: Xlate, pool: NatPool): void {
    const port = sourceOf(this.#tp)
    const m = this.mappings.findInternal(pool, this.#proto, this.#src, port)
    if (m < 0) setSource(x, this.#proto, pool.ranges[0].first, port)
    else setSource(x, this.#proto, this.mappings.externalAddress(m), this.mappings.externalPort(m))
  }
}
