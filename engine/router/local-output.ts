/**
 * The way out for what a router says itself: answers, errors, datagrams of services. Routed like any other,
 * but never translated and never counted down.
 */
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import {
  DROP_NO_CELLS,
  DROP_ROUTER_MARTIAN_DESTINATION,
  DROP_ROUTER_NO_ROUTE,
  DROP_ROUTER_NO_SERVICE,
  DROP_ROUTER_TOO_BIG,
  DROP_ROUTER_TTL,
} from '../drops.ts'
import { CLASS_UNICAST, isOwn } from './address-class.ts'
import { fragment } from './fragment.ts'
import type { RouterInterface } from './interface.ts'
import { OWN } from './neighbors.ts'
import type { Router } from './router.ts'
import type { RouterHost } from './router-host.ts'

/** Time to live of what a router originates (RFC 1812 §4.2.2.9, RFC 1340). */
export const DEFAULT_TTL = 64

export class LocalOutput {
  readonly #host: RouterHost
  #identification: number

  constructor(host: RouterHost) {
    this.#host = host
    this.#identification = host.random() & 0xffff
  }

  /** An identification for a datagram of the router's own (RFC 6864 §4.3). */
  nextIdentification(): number {
    this.#identification = (this.#identification + 1) & 0xffff
    return this.#identification
  }

  /** Sends a datagram, complete behind an Ethernet header still to be written, to where it is addressed. Takes it. */
  send(router: Router, h: number): void {
    const { pool } = this.#host
    const destination = ipv4.dst(pool.u8, pool.off[h] + ethernet.HEADER_LEN)
    const kind = router.classes.lookup(destination)
    if (kind !== CLASS_UNICAST) {
      this.#drop(h, isOwn(kind) ? DROP_ROUTER_NO_SERVICE : DROP_ROUTER_MARTIAN_DESTINATION)
      return
    }
    const route = router.fib.lookup(destination)
    if (route < 0) this.#drop(h, DROP_ROUTER_NO_ROUTE)
    else this.transmit(router.outOf(route), router.nextHop(route, destination), h)
  }

  /** Sends a datagram to a neighbour on an interface, when that is known. Takes it. */
  transmit(out: RouterInterface, neighbor: number, h: number): void {
    const { pool, now } = this.#host
    const { table } = out.neighbors.machine
    const slot = table.lookup(now, neighbor)
    if (slot < 0) {
      out.neighbors.hold(now, neighbor, h, OWN)
      return
    }
    const o = pool.off[h]
    ethernet.emit({ dst: table.mac(slot), src: out.spec.mac, type: ethernet.TYPE_IPV4 }, pool.u8, o)
    if (
      ipv4.totalLength(pool.u8, o + ethernet.HEADER_LEN) > out.spec.mtu &&
      ipv4.dontFragment(pool.u8, o + ethernet.HEADER_LEN)
    ) {
      this.#drop(h, DROP_ROUTER_TOO_BIG)
      return
    }
    this.depart(out, h)
    pool.free(h)
  }

  /** Sends a frame, addressed already, out of an interface in as many pieces as its MTU makes of it. Borrows it. */
  depart(out: RouterInterface, h: number): void {
    const host = this.#host
    if (!fragment(host.pool, h, out.spec.mtu, (piece) => host.leaveRouter(piece, out.index))) {
      host.drop(DROP_NO_CELLS, h)
    }
  }

  /** Forwards a datagram that NAT has translated by itself: TTL, route, next hop. Borrows it. */
  forward(from: RouterInterface, h: number): void {
    const { pool } = this.#host
    const ip = pool.off[h] + ethernet.HEADER_LEN
    const ttl = ipv4.ttl(pool.u8, ip)
    if (ttl <= 1) {
      this.#host.drop(DROP_ROUTER_TTL, h)
      return
    }
    const c = pool.clone(h)
    if (c < 0) {
      this.#host.drop(DROP_NO_CELLS, h)
      return
    }
    ipv4.rewriteTtl(pool.u8, pool.off[c] + ethernet.HEADER_LEN, ttl - 1)
    this.send(from.router, c)
  }

  #drop(h: number, reason: number): void {
    this.#host.drop(reason, h)
    this.#host.pool.free(h)
  }
}
