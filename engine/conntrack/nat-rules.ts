/**
 * NAT rules as the translation reads them: names resolved to indices, prefixes to masks, address ranges to
 * pools. Rules are tried in the order of the configuration; the first that matches counts.
 */
import { mask } from '../../protocols/wire/ipv4.ts'
import type { AddressRange, NatFiltering, NatRuleSpec, PrefixSpec } from '../dpif.ts'
import type { NatRouter } from '../router/nat-engine.ts'
import { PROTO_ICMP, PROTO_TCP, PROTO_UDP } from './tuple.ts'

/** Who may send to a mapping, RFC 4787 §5. */
export const FILTER_NONE = 0
export const FILTER_ADDRESS = 1
export const FILTER_ADDRESS_AND_PORT = 2

const FILTERS: Record<NatFiltering, number> = {
  'endpoint-independent': FILTER_NONE,
  'address-dependent': FILTER_ADDRESS,
  'address-and-port-dependent': FILTER_ADDRESS_AND_PORT,
}

const PROTOCOLS = { icmp: PROTO_ICMP, tcp: PROTO_TCP, udp: PROTO_UDP } as const

/** External addresses and ports to choose from. Rules with the same ones share a pool, and so mappings. */
export interface NatPool {
  readonly id: number
  readonly ranges: readonly AddressRange[]
  readonly firstPort: number
  readonly lastPort: number
}

export function poolSize(pool: NatPool): number {
  return pool.ranges.reduce((n, r) => n + r.last - r.first + 1, 0)
}

/** The address at a position below `poolSize`. */
export function poolAddress(pool: NatPool, position: number): number {
  for (const r of pool.ranges) {
    const n = r.last - r.first + 1
    if (position < n) return r.first + position
    position -= n
  }
  throw new RangeError(`pool ${pool.id} has no address ${position}`)
}

/** Gives each set of addresses and ports its pool, the same one as long as it is asked. */
export class NatPools {
  readonly #pools = new Map<string, NatPool>()

  get(ranges: readonly AddressRange[], firstPort: number, lastPort: number): NatPool {
    const key = `${ranges.map((r) => `${r.first}-${r.last}`).join()}:${firstPort}-${lastPort}`
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      pool = { id: this.#pools.size + 1, ranges, firstPort, lastPort }
      this.#pools.set(key, pool)
    }
    return pool
  }
}

interface Mask {
  readonly network: number
  readonly mask: number
}

function maskOf(prefix: PrefixSpec | undefined): Mask | undefined {
  if (prefix === undefined) return undefined
  const bits = mask(prefix.prefixLength)
  return { network: (prefix.prefix & bits) >>> 0, mask: bits }
}

function within(m: Mask, address: number): boolean {
  return ((address ^ m.network) & m.mask) === 0
}

export class SourceRule {
  readonly #source: Mask | undefined
  readonly #notSource: Mask | undefined
  readonly #destination: Mask | undefined
  readonly #notDestination: Mask | undefined
  /** 0 for any. */
  readonly #proto: number
  /** -1 for any, -2 for one that does not exist. */
  readonly #out: number
  readonly filter: number
  /** undefined: masquerade, the pool depends on the way out. */
  readonly #pool: NatPool | undefined
  readonly #masquerades = new Map<number, NatPool>()
  readonly #pools: NatPools
  readonly #ports: { readonly first: number; readonly last: number }

  constructor(spec: NatRuleSpec & { type: 'snat' | 'masquerade' }, router: NatRouter, pools: NatPools) {
    this.#source = maskOf(spec.source)
    this.#notSource = maskOf(spec.notSource)
    this.#destination = maskOf(spec.destination)
    this.#notDestination = maskOf(spec.notDestination)
    this.#proto = spec.protocol === undefined ? 0 : PROTOCOLS[spec.protocol]
    this.#out = interfaceOf(spec.outInterface, router)
    this.filter = FILTERS[spec.filtering]
    this.#pools = pools
    this.#ports = spec.ports
    this.#pool = spec.type === 'snat' ? pools.get(spec.to, spec.ports.first, spec.ports.last) : undefined
  }

  matches(proto: number, src: number, dst: number, out: number): boolean {
    return (
      (this.#proto === 0 || this.#proto === proto) &&
      (this.#out === -1 || this.#out === out) &&
      (this.#source === undefined || within(this.#source, src)) &&
      (this.#notSource === undefined || !within(this.#notSource, src)) &&
      (this.#destination === undefined || within(this.#destination, dst)) &&
      (this.#notDestination === undefined || !within(this.#notDestination, dst))
    )
  }

  /** Where to take the external address from. @param address that of the interface the packet leaves by */
  poolFor(address: number): NatPool | undefined {
    if (this.#pool !== undefined) return this.#pool
    if (address === 0) return undefined
    let pool = this.#masquerades.get(address)
    if (pool === undefined) {
      pool = this.#pools.get([{ first: address, last: address }], this.#ports.first, this.#ports.last)
      this.#masquerades.set(address, pool)
    }
    return pool
  }
}

export class DestinationRule {
  readonly #proto: number
  readonly #hasPorts: boolean
  readonly #first: number
  readonly #last: number
  readonly #in: number
  readonly #toPort: number
  readonly address: number
  readonly to: number

  constructor(spec: NatRuleSpec & { type: 'dnat' }, router: NatRouter) {
    this.#proto = spec.protocol === undefined ? 0 : PROTOCOLS[spec.protocol]
    this.#hasPorts = spec.ports !== undefined
    this.#first = spec.ports?.first ?? 0
    this.#last = spec.ports?.last ?? 65_535
    this.#in = interfaceOf(spec.inInterface, router)
    this.#toPort = spec.toPort ?? this.#first
    this.address = spec.address
    this.to = spec.to
  }

  matches(proto: number, dst: number, port: number, iface: number): boolean {
    return (
      dst === this.address &&
      (this.#in === -1 || this.#in === iface) &&
      this.#covers(proto) &&
      (proto === PROTO_ICMP || (port >= this.#first && port <= this.#last))
    )
  }

  /** Where a port leads; an ICMP identifier stays. */
  portFor(proto: number, port: number): number {
    return proto === PROTO_ICMP ? port : (port - this.#first + this.#toPort) & 0xffff
  }

  /** Whether this rule sends `dst`:`port` to `to`:`toPort`. */
  leads(proto: number, dst: number, port: number, to: number, toPort: number): boolean {
    return to === this.to && this.#leadsFrom(proto, dst, port) && this.portFor(proto, port) === toPort
  }

  /** The port outside that leads to an endpoint inside, or -1. */
  reverse(proto: number, to: number, toPort: number): number {
    if (to !== this.to || proto === PROTO_ICMP || !this.#covers(proto)) return -1
    const port = toPort - this.#toPort + this.#first
    return port >= this.#first && port <= this.#last ? port : -1
  }

  /** The ports it takes for itself, or undefined. */
  reserved(proto: number): { first: number; last: number } | undefined {
    return proto !== PROTO_ICMP && this.#covers(proto) ? { first: this.#first, last: this.#last } : undefined
  }

  #leadsFrom(proto: number, dst: number, port: number): boolean {
    if (dst !== this.address || !this.#covers(proto)) return false
    return proto === PROTO_ICMP || (port >= this.#first && port <= this.#last)
  }

  /** A rule with ports and no protocol is about those that have ports. */
  #covers(proto: number): boolean {
    if (this.#proto !== 0) return this.#proto === proto
    return !this.#hasPorts || proto !== PROTO_ICMP
  }
}

function interfaceOf(name: string | undefined, router: NatRouter): number {
  if (name === undefined) return -1
  const index = router.interfaceIndex(name)
  return index < 0 ? -2 : index
}

/** The rules of one router and what follows from its interfaces. */
export class NatRules {
  readonly sources: SourceRule[] = []
  readonly destinations: DestinationRule[] = []
  readonly #router: NatRouter
  readonly #ranges: AddressRange[] = []
  readonly #own = new Set<number>()
  readonly #external = new Set<number>()

  constructor(router: NatRouter, pools: NatPools) {
    this.#router = router
    for (const i of router.spec.interfaces) for (const a of i.addresses) this.#own.add(a.address)
    for (const spec of router.spec.nat) {
      if (spec.type === 'dnat') {
        this.destinations.push(new DestinationRule(spec, router))
        this.#external.add(spec.address)
        continue
      }
      this.sources.push(new SourceRule(spec, router, pools))
      if (spec.type === 'snat') this.#ranges.push(...spec.to)
      else {
        for (const i of router.spec.interfaces) {
          if (spec.outInterface !== undefined && spec.outInterface !== i.name) continue
          const first = i.addresses[0]
          if (first !== undefined) this.#external.add(first.address)
        }
      }
    }
  }

  /** The rule for a packet about to leave, or undefined. */
  source(proto: number, src: number, dst: number, out: number): SourceRule | undefined {
    for (const rule of this.sources) if (rule.matches(proto, src, dst, out)) return rule
    return undefined
  }

  /** The rule for a packet that arrived, or undefined. */
  destination(proto: number, dst: number, port: number, iface: number): DestinationRule | undefined {
    for (const rule of this.destinations) if (rule.matches(proto, dst, port, iface)) return rule
    return undefined
  }

  /** Whether mappings or forwardings may have this address outside. */
  isExternal(address: number): boolean {
    if (this.#external.has(address)) return true
    for (const r of this.#ranges) if (address >= r.first && address <= r.last) return true
    return false
  }

  isOwn(address: number): boolean {
    return this.#own.has(address)
  }

  /** Index of the interface an address lies behind: by our subnets, else by our routes; -1 for neither. */
  interfaceTowards(address: number): number {
    const direct = this.#interfaceOfSubnet(address)
    if (direct >= 0) return direct
    let via = 0
    let bits = -1
    for (const r of this.#router.spec.routes) {
      if (r.prefixLength > bits && ((r.prefix ^ address) & mask(r.prefixLength)) === 0) {
        via = r.via
        bits = r.prefixLength
      }
    }
    return bits < 0 ? -1 : this.#interfaceOfSubnet(via)
  }

  #interfaceOfSubnet(address: number): number {
    let best = ''
    let bits = -1
    for (const i of this.#router.spec.interfaces) {
      for (const a of i.addresses) {
        if (a.prefixLength > bits && ((a.address ^ address) & mask(a.prefixLength)) === 0) {
          best = i.name
          bits = a.prefixLength
        }
      }
    }
    return bits < 0 ? -1 : this.#router.interfaceIndex(best)
  }
}
