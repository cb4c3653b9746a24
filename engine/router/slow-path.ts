/**
 * What routers do with single packets that no program can deal with, by reason. The packet is the datapath's
 * and is as it reached the interface; who keeps it keeps a copy.
 */
import { ARP_MALFORMED, ARP_NOT_OURS } from '../../protocols/neighbor/arp-machine.ts'
import { HEADER_LEN as ETHERNET } from '../../protocols/wire/ethernet.ts'
import * as icmp from '../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import {
  SLOW_ARP,
  SLOW_DEPART,
  SLOW_FRAGMENT,
  SLOW_ICMP_ERROR,
  SLOW_LOCAL,
  SLOW_NO_ROUTE,
  SLOW_OPTIONS,
  SLOW_PROHIBITED,
  SLOW_REDIRECT,
  SLOW_RETRANSLATE,
  SLOW_TOO_BIG,
  SLOW_TTL_EXPIRED,
  SLOW_UNRESOLVED,
} from '../actions/ops.ts'
import {
  DROP_ARP_MALFORMED,
  DROP_ARP_NOT_OURS,
  DROP_NO_CELLS,
  DROP_PORT_DOWN,
  DROP_ROUTER_ICMP_RATE,
  DROP_ROUTER_NO_ROUTE,
  DROP_ROUTER_OPTIONS,
  DROP_ROUTER_TOO_BIG,
  DROP_ROUTER_TTL,
} from '../drops.ts'
import type { Reassembly } from '../reassembly.ts'
import type { IcmpErrors } from './icmp-error.ts'
import type { RouterInterface } from './interface.ts'
import type { LocalInput } from './local-input.ts'
import type { LocalOutput } from './local-output.ts'
import type { NatEngine } from './nat-engine.ts'
import { inspectOptions, OPTIONS_FINE, OPTIONS_SOURCE_ROUTE, recordOptions } from './options.ts'
import type { RouterHost } from './router-host.ts'
import {
  MODE_FRAGMENT,
  MODE_LOCATE,
  MODE_NORMAL,
  MODE_OPTIONS_SEEN,
  type RouterTranslation,
} from './translate.ts'

/** The rooms of the slow path. */
export interface SlowPathParts {
  readonly host: RouterHost
  readonly interfaces: readonly (RouterInterface | undefined)[]
  readonly translation: RouterTranslation
  readonly errors: IcmpErrors
  readonly output: LocalOutput
  readonly input: LocalInput
  readonly reassembly: Reassembly
  readonly nat: NatEngine
}

export class SlowPath {
  readonly #parts: SlowPathParts
  readonly #host: RouterHost

  constructor(parts: SlowPathParts) {
    this.#parts = parts
    this.#host = parts.host
  }

  handle(reason: number, index: number, h: number): void {
    const iface = this.#parts.interfaces[index]
    if (iface === undefined) {
      this.#host.drop(DROP_PORT_DOWN, h)
      return
    }
    switch (reason) {
      case SLOW_ARP:
        this.#arp(iface, h)
        break
      case SLOW_LOCAL:
        this.#parts.input.receive(iface, h)
        break
      case SLOW_UNRESOLVED:
        this.#unresolved(iface, h)
        break
      case SLOW_TTL_EXPIRED:
        this.#refuse(iface, h, DROP_ROUTER_TTL, icmp.TIME_EXCEEDED, icmp.TTL_EXCEEDED, 0)
        break
      case SLOW_TOO_BIG:
        this.#tooBig(iface, h)
        break
      case SLOW_NO_ROUTE:
        this.#refuse(iface, h, DROP_ROUTER_NO_ROUTE, icmp.DESTINATION_UNREACHABLE, icmp.NET_UNREACHABLE, 0)
        break
      case SLOW_FRAGMENT:
        this.#fragment(iface, h)
        break
      case SLOW_ICMP_ERROR:
        if (this.#parts.nat.icmpError(h, index)) this.#parts.output.forward(iface, h)
        break
      case SLOW_OPTIONS:
        this.#options(iface, h)
        break
      case SLOW_RETRANSLATE:
        this.#host.enterRouter(h, index)
        break
      case SLOW_PROHIBITED:
        // Who refused it has counted it.
        this.#parts.errors.about(index, h, icmp.DESTINATION_UNREACHABLE, icmp.COMMUNICATION_PROHIBITED, 0)
        break
      case SLOW_REDIRECT:
        this.#redirect(iface, h)
        break
      case SLOW_DEPART:
        this.#depart(iface, h)
        break
    }
  }

  #arp(iface: RouterInterface, h: number): void {
    const { pool, now } = this.#host
    const frame = pool.bytes(h)
    const verdict = iface.neighbors.machine.receive(now, 0, frame)
    if (verdict === ARP_MALFORMED) this.#host.drop(DROP_ARP_MALFORMED, h)
    // A broadcast that is about others is no loss: they got it too.
    else if (verdict === ARP_NOT_OURS && (frame[0] & 1) === 0) this.#host.drop(DROP_ARP_NOT_OURS, h)
  }

  #unresolved(iface: RouterInterface, h: number): void {
    const { pool, now } = this.#host
    const out = this.#locate(iface, h)
    if (out === undefined) {
      this.#host.drop(DROP_ROUTER_NO_ROUTE, h)
      return
    }
    const hop = this.#parts.translation.locatedHop
    const { table } = out.neighbors.machine
    const slot = table.find(hop)
    if (slot >= 0 && table.hasStation(slot)) {
      this.#host.enterRouter(h, iface.index)
      return
    }
    const copy = pool.clone(h)
    if (copy < 0) this.#host.drop(DROP_NO_CELLS, h)
    else out.neighbors.hold(now, hop, copy, iface.index)
  }

  /** RFC 1812 §5.3.5: what must not be fragmented is refused with the MTU that would do (RFC 1191 §4). */
  #tooBig(iface: RouterInterface, h: number): void {
    const { pool } = this.#host
    const ip = pool.off[h] + ETHERNET
    if (!ipv4.dontFragment(pool.u8, ip)) {
      // Options, if there are any, have been looked at, or it would not have come this far.
      this.#enter(iface, h, MODE_FRAGMENT | MODE_OPTIONS_SEEN)
      return
    }
    const mtu = this.#locate(iface, h)?.spec.mtu ?? 0
    this.#refuse(
      iface,
      h,
      DROP_ROUTER_TOO_BIG,
      icmp.DESTINATION_UNREACHABLE,
      icmp.FRAGMENTATION_NEEDED,
      Math.min(mtu, 0xffff),
    )
  }

  #fragment(iface: RouterInterface, h: number): void {
    const whole = this.#parts.reassembly.add(iface.router.index, iface.index, h)
    if (whole < 0) return
    this.#host.enterRouter(whole, iface.index)
    this.#host.pool.free(whole)
  }

  #options(iface: RouterInterface, h: number): void {
    const { pool } = this.#host
    const finding = inspectOptions(pool.u8, pool.off[h] + ETHERNET)
    if (finding === OPTIONS_FINE) {
      this.#enter(iface, h, MODE_OPTIONS_SEEN)
    } else if (finding === OPTIONS_SOURCE_ROUTE) {
      this.#refuse(iface, h, DROP_ROUTER_OPTIONS, icmp.DESTINATION_UNREACHABLE, icmp.SOURCE_ROUTE_FAILED, 0)
    } else {
      this.#refuse(iface, h, DROP_ROUTER_OPTIONS, icmp.PARAMETER_PROBLEM, 0, (finding << 24) >>> 0)
    }
  }

  #redirect(iface: RouterInterface, h: number): void {
    const { pool } = this.#host
    const { router } = iface
    const destination = ipv4.dst(pool.u8, pool.off[h] + ETHERNET)
    const route = router.fib.lookup(destination)
    if (route < 0) return
    const gateway = router.nextHop(route, destination)
    this.#parts.errors.about(iface.index, h, icmp.REDIRECT, icmp.REDIRECT_HOST, gateway)
  }

  #depart(out: RouterInterface, h: number): void {
    const { pool, now } = this.#host
    const ip = pool.off[h] + ETHERNET
    recordOptions(pool.u8, ip, out.addressFor(ipv4.dst(pool.u8, ip)), now)
    this.#parts.output.depart(out, h)
  }

  /** The way a packet would take; `translation.locatedHop` is then its next hop. */
  #locate(iface: RouterInterface, h: number): RouterInterface | undefined {
    const { translation } = this.#parts
    const { router } = iface
    translation.locatedOut = undefined
    if (router.nat !== undefined) this.#enter(iface, h, MODE_LOCATE)
    else {
      const destination = ipv4.dst(this.#host.pool.u8, this.#host.pool.off[h] + ETHERNET)
      const route = router.fib.lookup(destination)
      if (route >= 0) {
        translation.locatedOut = router.outOf(route)
        translation.locatedHop = router.nextHop(route, destination)
      }
    }
    return translation.locatedOut
  }

  /** Lets the packet enter the router again in a mode of its own. */
  #enter(iface: RouterInterface, h: number, mode: number): void {
    const { translation } = this.#parts
    translation.mode = mode
    this.#host.enterRouter(h, iface.index)
    translation.mode = MODE_NORMAL
  }

  /** Tells the sender and counts the packet. */
  #refuse(iface: RouterInterface, h: number, reason: number, type: number, code: number, rest: number): void {
    const told = this.#parts.errors.about(iface.index, h, type, code, rest)
    this.#host.drop(told ? reason : DROP_ROUTER_ICMP_RATE, h)
  }
}
