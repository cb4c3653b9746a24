/**
 * The way of a packet through a router, walked once per flow: RFC 1812 §5.2.1. Every decision is made here;
 * what depends on the single packet (checksum, TTL, length, connection) is left to operations of the program,
 * and what answers somebody to the slow path.
 *
 * Slow-path code must see a packet as it reached the interface, so that it can quote it in an error or put it
 * by and let it enter again. Rewrites are therefore not committed before the packet leaves; what is lent to
 * the slow path on the way is lent uncommitted. Exceptions: ARP, datagrams for the router itself, and those
 * about to leave.
 */

import {
  ETH_ARP,
  ETH_IPV4,
  FLAG_BAD_L3,
  FLAG_IP_OPTIONS,
  W_DL_DST,
  W_DL_MIX,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'
import { contains, formatIpv4, mask, PROTO_UDP } from '../../protocols/wire/ipv4.ts'
import {
  OP_SLOW,
  SLOW_ARP,
  SLOW_DEPART,
  SLOW_FRAGMENT,
  SLOW_LOCAL,
  SLOW_NO_ROUTE,
  SLOW_OPTIONS,
  SLOW_REDIRECT,
  SLOW_UNRESOLVED,
} from '../actions/ops.ts'
import {
  DROP_NAT_NO_MAPPING,
  DROP_PORT_DOWN,
  DROP_ROUTER_BAD_HEADER,
  DROP_ROUTER_BROADCAST,
  DROP_ROUTER_MARTIAN_DESTINATION,
  DROP_ROUTER_MARTIAN_SOURCE,
  DROP_ROUTER_NO_SERVICE,
  DROP_ROUTER_NOT_IP,
  DROP_ROUTER_NOT_OURS,
} from '../drops.ts'
import {
  dlDst,
  dlDstIsMulticast,
  dlType,
  isFragment,
  nwProto,
  setDlDst,
  setDlSrc,
  tpDst,
  vlanTci,
} from '../flow/fields.ts'
import { TAG_NEIGHBOR, TAG_ROUTER, tagOf } from '../ofproto/tags.ts'
import type { Xlate } from '../ofproto/xlate.ts'
import {
  CLASS_LIMITED_BROADCAST,
  CLASS_MULTICAST,
  CLASS_THIS_HOST,
  CLASS_UNICAST,
  interfacePosition,
  isOwn,
  isSubnetBroadcast,
} from './address-class.ts'
import type { Fib } from './fib.ts'
import type { RouterInterface } from './interface.ts'
import { NAT_CONTINUE } from './nat-stage.ts'

/** What the next packet that enters a router is to be spared or given. */
export const MODE_NORMAL = 0
/** Options have been looked at; those to be filled in are, when the packet departs. */
export const MODE_OPTIONS_SEEN = 1
/** May be longer than the MTU: it is cut when it departs. */
export const MODE_FRAGMENT = 2
/** Only find out the way; see `locatedOut` and `locatedHop`. */
export const MODE_LOCATE = 4

export class RouterTranslation {
  readonly #interfaces: readonly (RouterInterface | undefined)[]
  /** Applies to the next packet that enters a router, and to no other. */
  mode = MODE_NORMAL
  /** After a packet entered in MODE_LOCATE: its way out and next hop; undefined when it has none. */
  locatedOut: RouterInterface | undefined
  locatedHop = 0

  constructor(interfaces: readonly (RouterInterface | undefined)[]) {
    this.#interfaces = interfaces
  }

  input(x: Xlate, index: number): void {
    const mode = this.mode
    this.mode = MODE_NORMAL
    const iface = this.#interfaces[index]
    if (iface === undefined) {
      x.drop(DROP_PORT_DOWN)
      return
    }
    x.trace?.heading(x.level, `router("${iface.router.spec.name}") interface "${iface.spec.name}"`)
    x.tag(tagOf(TAG_ROUTER, iface.router.index, 0, 0))
    x.look(W_DL_DST, 0xffffffff)
    x.look(W_DL_MIX, 0xffff0000)
    x.look(W_VLAN, 0xffff0000)
    x.look(W_TYPE, 0xffffffff)
    const group = dlDstIsMulticast(x.flow)
    if ((!group && dlDst(x.flow) !== iface.spec.mac) || vlanTci(x.flow) !== 0) {
      x.drop(DROP_ROUTER_NOT_OURS)
      return
    }
    const type = dlType(x.flow)
    if (type === ETH_ARP) x.slow(SLOW_ARP, index)
    else if (type !== ETH_IPV4) x.drop(DROP_ROUTER_NOT_IP)
    else if ((x.flow[W_TYPE] & FLAG_BAD_L3) !== 0) x.drop(DROP_ROUTER_BAD_HEADER)
    else if ((mode & MODE_LOCATE) !== 0) this.#locate(x, iface)
    else {
      x.commit()
      x.checkIp(index)
      this.#ipv4(x, iface, group, mode)
    }
  }

  #ipv4(x: Xlate, iface: RouterInterface, group: boolean, mode: number): void {
    const { router, index } = iface
    const to = classOf(x, router.classes, W_NW_DST)
    const from = classOf(x, router.classes, W_NW_SRC)
    const broadcast =
      to === CLASS_LIMITED_BROADCAST ||
      to === CLASS_MULTICAST ||
      (isSubnetBroadcast(to) && router.interfaces[interfacePosition(to)] === iface)
    if (from !== CLASS_UNICAST && !(from === CLASS_THIS_HOST && broadcast)) {
      x.drop(DROP_ROUTER_MARTIAN_SOURCE)
      return
    }
    if (broadcast) {
      this.#broadcast(x, iface)
      return
    }
    if (isSubnetBroadcast(to)) {
      // RFC 2644: directed broadcasts are not forwarded.
      x.drop(DROP_ROUTER_BROADCAST)
      return
    }
    if (to !== CLASS_UNICAST && !isOwn(to)) {
      x.drop(DROP_ROUTER_MARTIAN_DESTINATION)
      return
    }
    if (group) {
      // RFC 1812 §5.3.4: a link-layer broadcast must not carry a unicast datagram.
      x.drop(DROP_ROUTER_BROADCAST)
      return
    }
    if ((x.flow[W_TYPE] & FLAG_IP_OPTIONS) !== 0 && (mode & MODE_OPTIONS_SEEN) === 0) {
      lend(x, SLOW_OPTIONS, index)
      return
    }
    if (isFragment(x.flow) && (router.nat !== undefined || isOwn(to))) {
      lend(x, SLOW_FRAGMENT, index)
      return
    }
    if (router.nat !== undefined && router.nat.prerouting(x, index) !== NAT_CONTINUE) return
    if (isOwn(classOf(x, router.classes, W_NW_DST))) x.slow(SLOW_LOCAL, index)
    else if (router.nat?.owns(x.flow[W_NW_DST])) {
      x.look(W_NW_DST, 0xffffffff)
      x.drop(DROP_NAT_NO_MAPPING)
    } else this.#forward(x, iface, mode)
  }

  /** Broadcasts and multicasts go no further; who has no service for them need not see them. */
  #broadcast(x: Xlate, iface: RouterInterface): void {
    x.look(W_NW, 0xff000000)
    if (nwProto(x.flow) !== PROTO_UDP) {
      x.drop(DROP_ROUTER_BROADCAST)
      return
    }
    if (isFragment(x.flow)) {
      lend(x, SLOW_FRAGMENT, iface.index)
      return
    }
    x.look(W_TP, 0x0000ffff)
    if (iface.spec.services.includes(tpDst(x.flow))) x.slow(SLOW_LOCAL, iface.index)
    else x.drop(DROP_ROUTER_NO_SERVICE)
  }

  #forward(x: Xlate, iface: RouterInterface, mode: number): void {
    const { router, index } = iface
    const { fib, nat } = router
    const destination = x.flow[W_NW_DST]
    const route = fib.lookup(destination)
    x.look(W_NW_DST, mask(fib.examined))
    x.checkTtl(index)
    if (route < 0) {
      lend(x, SLOW_NO_ROUTE, index)
      return
    }
    const out = router.outOf(route)
    const hop = router.nextHop(route, destination)
    if (hop === destination) x.look(W_NW_DST, 0xffffffff)
    x.trace?.note(x.level, `route by ${out.spec.name} via ${formatIpv4(hop)}`)
    if ((mode & MODE_FRAGMENT) === 0) x.checkMtu(out.spec.mtu, index)
    if (out.port === undefined) {
      x.drop(DROP_PORT_DOWN)
      return
    }
    const { table } = out.neighbors.machine
    x.tag(tagOf(TAG_NEIGHBOR, out.index, hop, 0))
    const found = table.find(hop)
    if (found < 0 || !table.hasStation(found)) {
      lend(x, SLOW_UNRESOLVED, index)
      return
    }
    if (x.sideEffects) table.lookup(x.now, hop)
    const mac = table.mac(found)
    if (router.spec.redirects && out === iface && mode === MODE_NORMAL) redirect(x, iface, hop, destination)
    if (nat !== undefined && nat.postrouting(x, index, out.index) !== NAT_CONTINUE) return
    x.decTtl()
    setDlSrc(x.flow, out.spec.mac)
    setDlDst(x.flow, mac)
    if (mode !== MODE_NORMAL) x.slow(SLOW_DEPART, out.index)
    else x.enterBridge(out.port)
  }

  /** Finds the way as `#ipv4` would, and leaves no trace: no operation, no drop, no connection. */
  #locate(x: Xlate, iface: RouterInterface): void {
    const { router } = iface
    const { program, outputs, irreversible, sideEffects } = x
    const mark = program.length
    this.locatedOut = undefined
    x.sideEffects = false
    if (router.nat === undefined || router.nat.prerouting(x, iface.index) === NAT_CONTINUE) {
      const destination = x.flow[W_NW_DST]
      const route = router.fib.lookup(destination)
      if (route >= 0) {
        this.locatedOut = router.outOf(route)
        this.locatedHop = router.nextHop(route, destination)
      }
    }
    program.length = mark
    x.outputs = outputs
    x.irreversible = irreversible
    x.sideEffects = sideEffects
  }
}

/** Lends the packet as it is after the last commit, which is how it reached the interface. */
function lend(x: Xlate, reason: number, iface: number): void {
  x.program.op2(OP_SLOW, reason, iface)
  x.outputs++
}

function classOf(x: Xlate, classes: Fib, word: number): number {
  const value = classes.lookup(x.flow[word])
  x.look(word, mask(classes.examined))
  return value
}

/** RFC 1812 §5.2.7.2: the sender could have reached the next hop without us. */
function redirect(x: Xlate, iface: RouterInterface, hop: number, destination: number): void {
  // Behind NAT the sender's idea of the destination is not ours.
  if (x.base[W_NW_DST] !== destination) return
  for (const p of iface.spec.addresses) {
    if (!contains(p, hop)) continue
    x.look(W_NW_SRC, mask(p.prefixLength))
    if (contains(p, x.flow[W_NW_SRC])) x.program.op2(OP_SLOW, SLOW_REDIRECT, iface.index)
  }
}
