/** One router: its interfaces, its routes, and what kind each address is to it. */
import { contains, formatIpv4, formatPrefix, network } from '../../protocols/wire/ipv4.ts'
import { DpifError, type RouteRow, type RouterSpec } from '../dpif.ts'
import { addressClasses, interfacePosition, isOwn } from './address-class.ts'
import { Fib } from './fib.ts'
import type { RouterInterface } from './interface.ts'
import type { NatRouter } from './nat-engine.ts'
import type { NatStage } from './nat-stage.ts'
import { TokenBucket } from './token-bucket.ts'

/** Smallest MTU every IPv4 link has (RFC 791 §3.2). */
const MIN_MTU = 68

export class Router implements NatRouter {
  readonly index: number
  spec: RouterSpec
  /** In the order of the spec. */
  interfaces: RouterInterface[] = []
  nat: NatStage | undefined
  /** What kind an address is: CLASS_*. */
  classes = new Fib()
  /** Longest prefix to an index into the arrays below. */
  fib = new Fib()
  /** Next hop of each route, 0 for a subnet of our own. */
  via = new Uint32Array(0)
  /** Way out of each route: position of the interface. */
  out = new Uint16Array(0)
  errors: TokenBucket
  #rows: RouteRow[] = []

  constructor(index: number, spec: RouterSpec) {
    this.index = index
    this.spec = spec
    this.errors = errorBucket(spec)
  }

  /** Takes on a spec that `checkRouter` approves of; `interfaces` are already those of the spec. */
  configure(spec: RouterSpec, interfaces: RouterInterface[]): void {
    if (spec.icmpErrorRate !== this.spec.icmpErrorRate) this.errors = errorBucket(spec)
    this.spec = spec
    this.interfaces = interfaces
    this.classes = addressClasses(spec)
    this.#buildRoutes()
  }

  /** The interface an address of ours belongs to. */
  ownerOf(address: number): RouterInterface | undefined {
    const value = this.classes.lookup(address)
    return isOwn(value) ? this.interfaces[interfacePosition(value)] : undefined
  }

  /** A route's way out. */
  outOf(route: number): RouterInterface {
    return this.interfaces[this.out[route]]
  }

  /** Whom to hand a datagram for `address` to, by this route. */
  nextHop(route: number, address: number): number {
    return this.via[route] === 0 ? address : this.via[route]
  }

  interfaceIndex(name: string): number {
    return this.interfaces.find((i) => i.spec.name === name)?.index ?? -1
  }

  addressOf(iface: number): number {
    return this.interfaces.find((i) => i.index === iface)?.spec.addresses[0]?.address ?? 0
  }

  routes(): RouteRow[] {
    return this.#rows
  }

  /** Connected subnets first, then static routes by metric; of equals the first counts. */
  #buildRoutes(): void {
    const { spec } = this
    const candidates: { prefix: number; prefixLength: number; via: number; out: number; metric: number }[] =
      []
    spec.interfaces.forEach((iface, out) => {
      for (const p of iface.addresses) {
        candidates.push({ prefix: network(p), prefixLength: p.prefixLength, via: 0, out, metric: 0 })
      }
    })
    for (const r of [...spec.routes].sort((a, b) => a.metric - b.metric)) {
      const out = interfaceTowards(spec, r.via)
      const prefix = network({ address: r.prefix, prefixLength: r.prefixLength })
      candidates.push({ prefix, prefixLength: r.prefixLength, via: r.via, out, metric: r.metric })
    }
    const fib = new Fib()
    const via = new Uint32Array(candidates.length)
    const out = new Uint16Array(candidates.length)
    const rows: RouteRow[] = []
    candidates.forEach((c, i) => {
      via[i] = c.via
      out[i] = c.out
      fib.add(c.prefix, c.prefixLength, i)
      rows.push({
        router: spec.name,
        prefix: c.prefix,
        prefixLength: c.prefixLength,
        via: c.via === 0 ? undefined : c.via,
        interface: spec.interfaces[c.out].name,
        metric: c.metric,
      })
    })
    this.fib = fib
    this.via = via
    this.out = out
    this.#rows = rows
  }
}

function errorBucket(spec: RouterSpec): TokenBucket {
  return new TokenBucket(spec.icmpErrorRate, Math.max(1, Math.min(50, spec.icmpErrorRate)))
}

/** Position of the interface with the longest subnet a next hop lies in, or -1. */
function interfaceTowards(spec: RouterSpec, via: number): number {
  let best = -1
  let bits = -1
  spec.interfaces.forEach((iface, position) => {
    for (const p of iface.addresses) {
      if (contains(p, via) && p.prefixLength > bits) {
        best = position
        bits = p.prefixLength
      }
    }
  })
  return best
}

/** Throws DpifError EINVAL for a spec that no router can be. */
export function checkRouter(spec: RouterSpec): void {
  const fail = (what: string): never => {
    throw new DpifError('EINVAL', `router ${spec.name}: ${what}`)
  }
  const names = new Set<string>()
  const addresses = new Set<number>()
  for (const iface of spec.interfaces) {
    if (names.has(iface.name)) fail(`two interfaces are named ${iface.name}`)
    names.add(iface.name)
    if (iface.mtu < MIN_MTU) fail(`interface ${iface.name}: an MTU of ${iface.mtu} is below ${MIN_MTU}`)
    for (const p of iface.addresses) {
      if (p.address === 0 || p.prefixLength < 0 || p.prefixLength > 32) {
        fail(`interface ${iface.name} cannot have the address ${formatPrefix(p)}`)
      }
      if (addresses.has(p.address)) fail(`two interfaces have the address ${formatIpv4(p.address)}`)
      addresses.add(p.address)
    }
  }
  for (const r of spec.routes) {
    const to = formatPrefix({ address: r.prefix, prefixLength: r.prefixLength })
    if (r.prefixLength < 0 || r.prefixLength > 32) fail(`${to} is no prefix`)
    if (interfaceTowards(spec, r.via) < 0) {
      fail(`the next hop ${formatIpv4(r.via)} of the route to ${to} is on no interface's subnet`)
    }
    if (addresses.has(r.via))
      fail(`the next hop ${formatIpv4(r.via)} of the route to ${to} is the router itself`)
  }
}
