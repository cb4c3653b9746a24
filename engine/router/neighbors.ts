/**
 * The neighbours of one router interface: the ARP machine joined to the datapath. What the machine sends goes
 * into the bridge, what changes in its table drops the flows that looked at it, and packets wait here for
 * their next hop to be known.
 */
import { type ArpConfig, ArpMachine, type ArpSink } from '../../protocols/neighbor/arp-machine.ts'
import { FAILED, INCOMPLETE, PROBE, REACHABLE } from '../../protocols/neighbor/neighbor-table.ts'
import { type Instant, SECOND } from '../../protocols/time.ts'
import { formatMac } from '../../protocols/wire/ethernet.ts'
import { DESTINATION_UNREACHABLE, HOST_UNREACHABLE } from '../../protocols/wire/icmpv4.ts'
import { formatIpv4 } from '../../protocols/wire/ipv4.ts'
import type { NeighborRow } from '../dpif.ts'
import { DROP_ROUTER_ICMP_RATE, DROP_ROUTER_NEIGHBOR_QUEUE, DROP_ROUTER_UNRESOLVED } from '../drops.ts'
import { TAG_NEIGHBOR, tagOf } from '../ofproto/tags.ts'
import type { IcmpErrors } from './icmp-error.ts'
import type { RouterInterface } from './interface.ts'
import type { LocalOutput } from './local-output.ts'
import { PacketQueues, type PacketStore } from './packet-queue.ts'
import type { RouterHost } from './router-host.ts'
import { TokenBucket } from './token-bucket.ts'

/** In place of the interface a packet came in by: it is the router's own, with nothing left but to be sent. */
export const OWN = -1

/** Conflicts are logged once in this many seconds. */
const CONFLICT_LOG_INTERVAL = 10

export class Neighbors implements ArpSink {
  readonly #iface: RouterInterface
  readonly #host: RouterHost
  readonly #store: PacketStore
  readonly #output: LocalOutput
  readonly #errors: IcmpErrors
  readonly #conflicts = new TokenBucket(1 / CONFLICT_LOG_INTERVAL, 1)
  machine: ArpMachine
  #queues: PacketQueues

  constructor(
    iface: RouterInterface,
    host: RouterHost,
    store: PacketStore,
    output: LocalOutput,
    errors: IcmpErrors,
  ) {
    this.#iface = iface
    this.#host = host
    this.#store = store
    this.#output = output
    this.#errors = errors
    this.machine = new ArpMachine(this.#config(), this, host.random)
    this.#queues = new PacketQueues(this.machine.table.capacity, store)
  }

  /** The interface has another spec; neighbours that still apply are kept. */
  configure(): void {
    const config = this.#config()
    if (this.machine.fits(config.addresses)) {
      this.machine.configure(this.#host.now, config)
      return
    }
    this.dispose()
    this.machine = new ArpMachine(config, this, this.#host.random)
    this.#queues = new PacketQueues(this.machine.table.capacity, this.#store)
    if (this.#iface.port !== undefined) this.machine.up(this.#host.now)
  }

  /** Gives back every packet held and forgets all neighbours. */
  dispose(): void {
    const { table } = this.machine
    table.forEach((slot) => {
      table.remove(slot)
    })
  }

  /** Puts a packet by until the neighbour is known. Takes the packet. */
  hold(now: Instant, neighbor: number, h: number, iface: number): void {
    const { table } = this.machine
    const slot = table.want(neighbor)
    if (this.#queues.isFull(slot)) this.#drop(this.#queues.shift(slot), DROP_ROUTER_NEIGHBOR_QUEUE)
    else if (this.#store.isFull) this.#drop(this.#store.shiftOldest(), DROP_ROUTER_NEIGHBOR_QUEUE)
    if (!this.#queues.push(slot, h, iface)) this.#drop(h, DROP_ROUTER_NEIGHBOR_QUEUE)
    table.ask(now, slot)
  }

  rows(now: Instant): NeighborRow[] {
    const rows: NeighborRow[] = []
    const { table } = this.machine
    table.forEach((slot) => {
      const known = table.hasStation(slot)
      rows.push({
        router: this.#iface.router.spec.name,
        interface: this.#iface.spec.name,
        address: table.address(slot),
        mac: known ? table.mac(slot) : undefined,
        state: stateName(table.state(slot)),
        age: known ? Math.max(0, Math.floor((now - table.confirmed(slot)) / SECOND)) : 0,
      })
    })
    return rows
  }

  send(frame: Uint8Array): void {
    const h = this.#host.pool.fromBytes(frame)
    if (h < 0) return
    this.#host.leaveRouter(h, this.#iface.index)
    this.#host.pool.free(h)
  }

  resolved(slot: number): void {
    const address = this.machine.table.address(slot)
    for (let h = this.#queues.shift(slot); h >= 0; h = this.#queues.shift(slot)) {
      if (this.#queues.iface === OWN) {
        this.#output.transmit(this.#iface, address, h)
        continue
      }
      this.#host.enterRouter(h, this.#queues.iface)
      this.#host.pool.free(h)
    }
  }

  /** RFC 1812 §5.2.7.1: the senders of what was put by learn that the host cannot be reached. */
  unresolved(slot: number): void {
    for (let h = this.#queues.shift(slot); h >= 0; h = this.#queues.shift(slot)) {
      const from = this.#queues.iface
      const told = from === OWN || this.#errors.about(from, h, DESTINATION_UNREACHABLE, HOST_UNREACHABLE, 0)
      this.#drop(h, told ? DROP_ROUTER_UNRESOLVED : DROP_ROUTER_ICMP_RATE)
    }
  }

  displaced(slot: number): void {
    for (let h = this.#queues.shift(slot); h >= 0; h = this.#queues.shift(slot)) {
      this.#drop(h, DROP_ROUTER_NEIGHBOR_QUEUE)
    }
  }

  changed(address: number): void {
    this.#host.touch(this.#tag(address))
  }

  lastUsed(address: number): Instant {
    return this.#host.lastUsed(this.#tag(address))
  }

  conflict(address: number, mac: number): void {
    if (!this.#conflicts.take(this.#host.now)) return
    const { router, spec } = this.#iface
    this.#host.emit({
      type: 'log',
      level: 'warn',
      message: `router ${router.spec.name} ${spec.name}: ${formatIpv4(address)} is also used by ${formatMac(mac)}`,
    })
  }

  probed(address: number, inUse: boolean): void {
    const { router, spec } = this.#iface
    this.#host.emit({ type: 'probe', router: router.spec.name, interface: spec.name, address, inUse })
  }

  #config(): ArpConfig {
    const { spec } = this.#iface
    return {
      mac: spec.mac,
      addresses: spec.addresses,
      proxied: (address) => this.#iface.router.nat?.owns(address) ?? false,
    }
  }

  #tag(address: number): number {
    return tagOf(TAG_NEIGHBOR, this.#iface.index, address, 0)
  }

  #drop(h: number, reason: number): void {
    if (h < 0) return
    this.#host.drop(reason, h)
    this.#host.pool.free(h)
  }
}

function stateName(state: number): NeighborRow['state'] {
  if (state === INCOMPLETE) return 'incomplete'
  if (state === REACHABLE) return 'reachable'
  if (state === PROBE) return 'probe'
  return state === FAILED ? 'failed' : 'stale'
}
