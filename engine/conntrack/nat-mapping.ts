/**
 * Endpoint-independent mappings: (protocol, internal address and port) to (external address and port).
 *
 * Problem: whatever an internal endpoint sends, to whomever, must appear outside under one and the same
 * address and port for as long as any of its sessions lives (RFC 4787 REQ-1, RFC 5382 REQ-1, RFC 5508 REQ-1a),
 * and no two internal endpoints may ever share one (RFC 4787 REQ-3, RFC 5382 REQ-7): answers are told apart by
 * nothing else. Mappings are therefore counted references of their connections; the last one gives the port
 * back. TIME_WAIT and reset connections count, so a port rests for minutes before it serves somebody else.
 *
 * A port is kept if it is free (port preservation), else chosen at random, of the same kind where that can be:
 * privileged for privileged (REQ-3a), of the same parity for UDP (REQ-4). All mappings of an internal address
 * use one external address of the pool (REQ-2, "paired"): when that has no port left the new mapping is
 * refused, rather than split a host's sessions over two addresses (RFC 7857 §4).
 */
import type { Random } from '../../protocols/random.ts'
import { finish, mix } from '../flow/hash.ts'
import { TAG_MAPPING, type TagListener, tagOf } from '../ofproto/tags.ts'
import { type NatPool, poolAddress, poolSize } from './nat-rules.ts'
import { PARITY_ANY, PortSet } from './port-set.ts'
import { PROTO_ICMP, PROTO_UDP } from './tuple.ts'
import { TupleTable } from './tuple-table.ts'

/** External addresses tried for a host that has none yet. */
const MAX_ADDRESSES_TRIED = 64
const PRIVILEGED = 1024

/** The external address that a host's mappings share. */
interface Pairing {
  readonly address: number
  mappings: number
}

/** Ports of an external address that dynamic mappings leave alone. */
export type Reservations = (proto: number, address: number, ports: PortSet) => void

export class NatMappings {
  readonly #tags: TagListener
  readonly #random: Random
  readonly #scope: number
  readonly #seed: number
  /** Entry 2m: internal address, pool, port * 2; entry 2m + 1: external address, 0, port * 2 + 1. */
  readonly #tuples: TupleTable
  readonly #ports = new Map<number, PortSet>()
  readonly #pairings = new Map<number, Pairing>()
  #protos = new Uint8Array(0)
  #references = new Int32Array(0)
  #filters = new Uint8Array(0)
  /** Mappings that went, linked through `#references`; -1 ends. */
  #freed = -1
  #fresh = 0
  #reservations: Reservations = () => {}
  /** Mappings alive. */
  count = 0

  /** @param scope names the router in tags */
  constructor(tags: TagListener, random: Random, scope: number) {
    this.#tags = tags
    this.#random = random
    this.#scope = scope
    this.#seed = random()
    this.#tuples = new TupleTable(random())
  }

  /** Makes room for that many mappings. */
  reserve(capacity: number): void {
    if (capacity <= this.#protos.length) return
    const protos = new Uint8Array(capacity)
    protos.set(this.#protos)
    this.#protos = protos
    const references = new Int32Array(capacity)
    references.set(this.#references)
    this.#references = references
    const filters = new Uint8Array(capacity)
    filters.set(this.#filters)
    this.#filters = filters
    this.#tuples.reserve(capacity, (m) => this.#protos[m] !== 0)
  }

  /** Takes on new reservations; mappings that exist keep their ports. */
  setReservations(reservations: Reservations): void {
    this.#reservations = reservations
    for (const [key, ports] of this.#ports) {
      ports.unreserve()
      reservations(key % 256, Math.floor(key / 256), ports)
    }
  }

  /** The mapping of an internal endpoint in a pool, or -1. */
  findInternal(pool: NatPool, proto: number, address: number, port: number): number {
    return this.#tuples.lookup(proto, address, pool.id, port << 1) >> 1
  }

  /** The mapping behind an external address and port, or -1. */
  findExternal(proto: number, address: number, port: number): number {
    return this.#tuples.lookup(proto, address, 0, (port << 1) | 1) >> 1
  }

  /**
   * The mapping of an internal endpoint, made if need be. Whoever gets one must `hold` it or let it `drop`.
   * @returns -1 when there is no port
   */
  obtain(pool: NatPool, proto: number, address: number, port: number, filter: number): number {
    const known = this.findInternal(pool, proto, address, port)
    if (known >= 0) return known
    const pairing = this.#pairings.get(pairKey(pool, address))
    if (pairing !== undefined) return this.#make(pool, proto, address, port, pairing.address, filter)
    const size = poolSize(pool)
    const start = size === 0 ? 0 : finish(mix(this.#seed, address)) % size
    for (let i = 0; i < Math.min(size, MAX_ADDRESSES_TRIED); i++) {
      const external = poolAddress(pool, (start + i) % size)
      const made = this.#make(pool, proto, address, port, external, filter)
      if (made >= 0) return made
    }
    return -1
  }

  /** A mapping to a given external address and port, which a forwarding rule has set aside; -1 if taken. */
  obtainAt(
    pool: NatPool,
    proto: number,
    address: number,
    port: number,
    external: number,
    externalPort: number,
    filter: number,
  ): number {
    const known = this.findInternal(pool, proto, address, port)
    if (known >= 0) return known
    const ports = this.#portsOf(proto, external)
    if (ports.has(externalPort)) return -1
    return this.#enter(pool, proto, address, port, external, externalPort, ports, filter)
  }

  /** The external address that a host's next mapping must have, or 0 for any of the pool. */
  pairedAddress(pool: NatPool, address: number): number {
    return this.#pairings.get(pairKey(pool, address))?.address ?? 0
  }

  /** One more connection uses the mapping. */
  hold(mapping: number): void {
    this.#references[mapping]++
  }

  /** One connection less. */
  release(mapping: number): void {
    this.#references[mapping]--
    this.drop(mapping)
  }

  /** Forgets the mapping if nobody holds it. */
  drop(mapping: number): void {
    if (this.#references[mapping] > 0) return
    const proto = this.#protos[mapping]
    const external = this.externalAddress(mapping)
    const port = this.externalPort(mapping)
    const ports = this.#portsOf(proto, external)
    ports.release(port)
    if (ports.count === 0) this.#ports.delete(portKey(proto, external))
    const key = this.#tuples.dst(mapping << 1) * 0x1_0000_0000 + this.internalAddress(mapping)
    const pairing = this.#pairings.get(key)
    if (pairing !== undefined && --pairing.mappings === 0) this.#pairings.delete(key)
    this.#tuples.remove(mapping << 1)
    this.#tuples.remove((mapping << 1) | 1)
    this.#protos[mapping] = 0
    this.#references[mapping] = this.#freed
    this.#freed = mapping
    this.count--
    this.#tags.touch(this.tag(proto, external, port))
  }

  references(mapping: number): number {
    return this.#references[mapping]
  }

  internalAddress(mapping: number): number {
    return this.#tuples.src(mapping << 1)
  }

  internalPort(mapping: number): number {
    return this.#tuples.tp(mapping << 1) >>> 1
  }

  externalAddress(mapping: number): number {
    return this.#tuples.src((mapping << 1) | 1)
  }

  externalPort(mapping: number): number {
    return this.#tuples.tp((mapping << 1) | 1) >>> 1
  }

  poolId(mapping: number): number {
    return this.#tuples.dst(mapping << 1)
  }

  /** FILTER_* of the rule that made it. */
  filter(mapping: number): number {
    return this.#filters[mapping]
  }

  /** The tag of cached decisions that depend on what is mapped to an external address and port. */
  tag(proto: number, address: number, port: number): number {
    return tagOf(TAG_MAPPING, (this.#scope << 8) | proto, address, port)
  }

  #make(
    pool: NatPool,
    proto: number,
    address: number,
    port: number,
    external: number,
    filter: number,
  ): number {
    const ports = this.#portsOf(proto, external)
    const chosen =
      proto === PROTO_ICMP ? this.#chooseId(ports, port) : this.#choosePort(ports, pool, proto, port)
    if (chosen >= 0) return this.#enter(pool, proto, address, port, external, chosen, ports, filter)
    return -1
  }

  #enter(
    pool: NatPool,
    proto: number,
    address: number,
    port: number,
    external: number,
    externalPort: number,
    ports: PortSet,
    filter: number,
  ): number {
    if (this.#freed < 0 && this.#fresh === this.#protos.length) return -1
    let m = this.#freed
    if (m >= 0) this.#freed = this.#references[m]
    else m = this.#fresh++
    ports.take(externalPort)
    const key = pairKey(pool, address)
    const pairing = this.#pairings.get(key)
    if (pairing === undefined) this.#pairings.set(key, { address: external, mappings: 1 })
    else pairing.mappings++
    this.#protos[m] = proto
    this.#references[m] = 0
    this.#filters[m] = filter
    this.#tuples.insert(m << 1, proto, address, pool.id, port << 1)
    this.#tuples.insert((m << 1) | 1, proto, external, 0, (externalPort << 1) | 1)
    this.count++
    this.#tags.touch(this.tag(proto, external, externalPort))
    return m
  }

  /** Identifiers are all alike. */
  #chooseId(ports: PortSet, wanted: number): number {
    return ports.free(wanted) ? wanted : ports.search(0, 65_535, PARITY_ANY, this.#random)
  }

  #choosePort(ports: PortSet, pool: NatPool, proto: number, wanted: number): number {
    const first = Math.max(1, pool.firstPort)
    const last = pool.lastPort
    if (wanted >= first && wanted <= last && ports.free(wanted)) return wanted
    const parity = proto === PROTO_UDP ? wanted & 1 : PARITY_ANY
    if (wanted < PRIVILEGED) {
      const low = this.#seek(ports, first, Math.min(last, PRIVILEGED - 1), parity)
      if (low >= 0) return low
    }
    return this.#seek(ports, Math.max(first, PRIVILEGED), last, parity)
  }

  #seek(ports: PortSet, first: number, last: number, parity: number): number {
    const found = ports.search(first, last, parity, this.#random)
    return found >= 0 || parity === PARITY_ANY ? found : ports.search(first, last, PARITY_ANY, this.#random)
  }

  #portsOf(proto: number, address: number): PortSet {
    const key = portKey(proto, address)
    let ports = this.#ports.get(key)
    if (ports === undefined) {
      ports = new PortSet()
      this.#reservations(proto, address, ports)
      this.#ports.set(key, ports)
    }
    return ports
  }
}

function portKey(proto: number, address: number): number {
  return address * 256 + proto
}

function pairKey(pool: NatPool, address: number): number {
  return pool.id * 0x1_0000_0000 + address
}
