import type { ClientLease } from '../../protocols/dhcp/client-lease.ts'
import { INFINITE_LEASE } from '../../protocols/dhcp/config.ts'
import type { Random } from '../../protocols/random.ts'
import { contains, formatIpv4, formatPrefix, type Prefix } from '../../protocols/wire/ipv4.ts'
import { ipRemove } from '../lab/address.ts'
import type { Machine } from '../lab/context.ts'
import { type DhcpSocket, openDhcpSocket } from '../lab/dhcp-socket.ts'
import { putResolver, removeResolver } from '../lab/resolver.ts'
import type { DhcpClientSpec } from '../reconcile/element.ts'
import { DhcpClientService } from '../services/dhcp-client.ts'
import type { Clock } from '../services/scheduler.ts'

interface Client {
  spec: DhcpClientSpec
  readonly socket: DhcpSocket
  readonly service: DhcpClientService
  /** What the interface has now. */
  applied: ClientLease | undefined
  /** Changes of the interface, one after the other. */
  work: Promise<void>
  /** Resolves when the first lease has been applied. */
  readonly bound: Promise<void>
}

/** Milliseconds that a release may take to find the server's MAC address. */
const ARP_PATIENCE = 1_000
const DEFAULT: Prefix = { address: 0, prefixLength: 0 }

/** The DHCP clients of the hosts whose addresses are "dhcp". */
export class DhcpClients {
  readonly #machine: Machine
  readonly #clock: Clock
  readonly #random: Random
  readonly #clients = new Map<string, Client>()

  constructor(machine: Machine, clock: Clock, random: Random) {
    this.#machine = machine
    this.#clock = clock
    this.#random = random
  }

  /** Starts a client, or tells one that runs what else there is to configure. */
  async put(spec: DhcpClientSpec): Promise<void> {
    const key = keyOf(spec)
    const present = this.#clients.get(key)
    if (present !== undefined) {
      if (present.spec.mac === spec.mac) {
        const before = present.spec
        present.spec = spec
        this.#then(present, () => this.#reroute(present, before))
        await present.work
        return
      }
      await this.remove(spec, true)
    }
    const warn = (error: Error) =>
      this.#machine.warn(`DHCP on ${spec.host} ${spec.interface}: ${error.message}`)
    const socket = await openDhcpSocket(spec.host, spec.interface, quietly(warn))
    let first = () => {}
    const bound = new Promise<void>((resolve) => {
      first = resolve
    })
    const early: (ClientLease | undefined)[] = []
    let client: Client | undefined
    const apply = (lease: ClientLease | undefined) => {
      const self = client
      if (self === undefined) {
        early.push(lease)
        return
      }
      this.#then(self, async () => {
        await this.#apply(self, lease)
        if (lease !== undefined) first()
      })
    }
    const service = new DhcpClientService({
      config: { mac: spec.mac, hostname: spec.host },
      transport: socket,
      clock: this.#clock,
      random: this.#random,
      apply,
    })
    client = { spec, socket, service, applied: undefined, work: Promise.resolve(), bound }
    this.#clients.set(key, client)
    for (const lease of early) apply(lease)
  }

  /** @param release gives the lease back to the server; otherwise the same client can come back to it. */
  async remove(spec: DhcpClientSpec, release: boolean): Promise<void> {
    const client = this.#clients.get(keyOf(spec))
    if (client === undefined) return
    this.#clients.delete(keyOf(spec))
    if (release && client.service.lease !== undefined) {
      // Put first, for the release itself asks that the address be taken away.
      this.#then(client, () => this.#resolved(client))
      client.service.release()
    } else client.service.detach()
    this.#then(client, () => this.#apply(client, undefined))
    await client.work
    client.socket.close()
  }

  /** Waits until all have a lease; answers "HOST INTERFACE" of those that have none when the time is over. */
  async waitForLeases(milliseconds: number): Promise<string[]> {
    const waiting = new Map([...this.#clients.values()].map((client) => [client, client.spec]))
    const all = Promise.all(
      [...waiting.keys()].map((client) => client.bound.then(() => waiting.delete(client))),
    )
    let cancel = () => {}
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.schedule(this.#clock.now() + milliseconds, resolve)
    })
    await Promise.race([all, late])
    cancel()
    return [...waiting.values()].map((spec) => `${spec.host} ${spec.interface}`)
  }

  /**
   * Waits until no packet of the interface waits for ARP any more: with the last address the kernel throws
   * away what waits, and a release would be lost.
   */
  async #resolved({ spec }: Client): Promise<void> {
    const unresolved = ['neighbor', 'show', 'dev', spec.interface, 'nud', 'incomplete']
    const end = this.#clock.now() + ARP_PATIENCE
    while ((await this.#machine.ip.run('-n', spec.host, ...unresolved)) !== '' && this.#clock.now() < end) {
      await new Promise<void>((resolve) => this.#clock.schedule(this.#clock.now() + 20, resolve))
    }
  }

  #then(client: Client, action: () => Promise<void>): void {
    client.work = client.work.then(action).catch((error: Error) => {
      this.#machine.warn(`DHCP on ${client.spec.host} ${client.spec.interface}: ${error.message}`)
    })
  }

  async #apply(client: Client, lease: ClientLease | undefined): Promise<void> {
    const { spec, applied } = client
    const { host, interface: device } = spec
    if (applied !== undefined && (lease === undefined || !sameAddress(applied, lease))) {
      // The kernel takes the routes that depend on it along.
      await ipRemove(this.#machine, host, ['address', 'delete', formatPrefix(applied), 'dev', device])
    }
    client.applied = lease
    if (lease === undefined) {
      if (spec.resolver) removeResolver(this.#machine, host)
      return
    }
    const broadcast = lease.broadcast === undefined ? '+' : formatIpv4(lease.broadcast)
    const lifetime = lease.leaseTime === INFINITE_LEASE ? 'forever' : String(lease.leaseTime)
    const times = ['valid_lft', lifetime, 'preferred_lft', lifetime]
    await this.#machine.ip.batch(host, [
      ['address', 'replace', formatPrefix(lease), 'broadcast', broadcast, 'dev', device, ...times],
      ...routesOf(spec, lease).map((route) => ['route', 'replace', ...route, 'dev', device]),
    ])
    if (spec.resolver && lease.dns.length > 0) putResolver(this.#machine, host, lease.dns)
  }

  /** The configuration's own routes have changed while the lease stays. */
  async #reroute(client: Client, before: DhcpClientSpec): Promise<void> {
    const { spec, applied } = client
    if (applied === undefined) return
    const wanted = new Set(routesOf(spec, applied).map((route) => route[0]))
    for (const route of routesOf(before, applied)) {
      if (!wanted.has(route[0])) await ipRemove(this.#machine, spec.host, ['route', 'delete', route[0]!])
    }
    if (before.resolver && !spec.resolver) client.applied = applied
    await this.#apply(client, applied)
  }
}

function keyOf(spec: DhcpClientSpec): string {
  return `${spec.host} ${spec.interface}`
}

function sameAddress(a: ClientLease, b: ClientLease): boolean {
  return a.address === b.address && a.prefixLength === b.prefixLength
}

/** Arguments of `ip route replace`; routes of the configuration go before those of the lease. */
function routesOf(spec: DhcpClientSpec, lease: ClientLease): string[][] {
  const subnet: Prefix = lease
  const routes = new Map<string, string[]>()
  const add = (to: Prefix, via: number) => {
    const onlink = via === 0 || contains(subnet, via) ? [] : ['onlink']
    const by = via === 0 ? ['scope', 'link'] : ['via', formatIpv4(via)]
    routes.set(formatPrefix(to), [formatPrefix(to), ...by, ...onlink])
  }
  if (lease.router !== undefined) add(DEFAULT, lease.router)
  // Those on the link itself first, since others may lead over them.
  for (const route of [...lease.routes].sort((a, b) => Number(a.via !== 0) - Number(b.via !== 0))) {
    add({ address: route.prefix, prefixLength: route.prefixLength }, route.via)
  }
  for (const route of spec.routes) add(route.to, route.via)
  return [...routes.values()]
}

/** Passes on each different message once in a row: an interface that is down would fill the log. */
function quietly(report: (error: Error) => void): (error: Error) => void {
  let last = ''
  return (error) => {
    if (error.message === last) return
    last = error.message
    report(error)
  }
}
