/**
 * A whole network from a configuration, in memory and under a virtual clock: bridges, routers and DHCP servers
 * as the program would make them, and in place of each host, TAP or NIC a small station (station.ts).
 */
import { readFileSync } from 'node:fs'
import { type ParseError, parse } from 'jsonc-parser'
import type { DpifEvent, PortSpec, VlanSettings } from '../../engine/dpif.ts'
import { LocalDatapath, type LocalOptions } from '../../engine/dpif-local.ts'
import { seededRandom } from '../../protocols/random.ts'
import type { Prefix } from '../../protocols/wire/ipv4.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Network, Router, RouterInterface } from '../../src/config/network.ts'
import { bridgeSpec, portSpec, routerPortSpec, routerSpec } from '../../src/reconcile/specs.ts'
import { DhcpService, type ServicePort } from '../../src/services/dhcp-server.ts'
import { MemoryStore } from './dhcp-network.ts'
import { Station } from './station.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Where a service's frames come in, and the answers to its probes. */
interface Served {
  readonly service: DhcpService
  deliver(frame: Uint8Array): void
  probed(address: number, inUse: boolean): void
}

/** The lab of the README, from the project's root, where tests run. */
const NETNS_LAB = 'examples/netns-lab.json'

/** The example's configuration as an object, to be added to. */
// biome-ignore lint/suspicious/noExplicitAny: a configuration on its way to be bent and then checked
export function netnsLab(): any {
  const errors: ParseError[] = []
  return parse(readFileSync(NETNS_LAB, 'utf8'), errors, { allowTrailingComma: true })
}

export class MemoryLab {
  readonly clock = new VirtualClock(1_000_000)
  readonly local: LocalDatapath
  readonly network: Network
  /** Hosts by name, other ports by theirs, internal ports by that of their bridge. */
  readonly stations = new Map<string, Station>()
  /** What was logged, by the dataplane and by services. */
  readonly log: string[] = []
  /** Datagrams handed up to services. */
  served = 0
  readonly #services = new Map<string, Served>()
  #events: DpifEvent[] = []

  /** @param config what a configuration file would hold */
  constructor(config: object = netnsLab(), options: Partial<LocalOptions> = {}) {
    const loaded = loadConfig(JSON.stringify(config))
    if (!loaded.ok) throw new Error(loaded.errors.map((e) => `${e.path}: ${e.message}`).join('\n'))
    this.network = loaded.network
    this.local = new LocalDatapath({
      random: seededRandom(1),
      now: this.clock.now(),
      cells: 512,
      ...options,
    })
    // Answered between bursts, as by the main thread.
    this.local.onEvent((event) => this.#events.push(event))
    this.#build()
    // Routers have claimed their addresses when this is over.
    this.advance(20_000)
  }

  get pool() {
    return this.local.datapath.pool
  }

  get commands() {
    return this.local.commands
  }

  /** Events that wait for `run`. */
  get pending(): number {
    return this.#events.length
  }

  station(name: string): Station {
    const station = this.stations.get(name)
    if (station === undefined) throw new Error(`no station ${name}`)
    return station
  }

  dhcp(router: string, iface: string): DhcpService {
    return this.#served({ router, interface: iface }).service
  }

  /** Lets everything happen that happens at this moment. */
  run(): void {
    for (;;) {
      const frames = this.local.step(this.clock.now())
      const events = this.#events
      if (frames === 0 && events.length === 0) return
      this.#events = []
      for (const event of events) this.#take(event)
    }
  }

  /** Lets time pass, from one thing due to the next. */
  advance(ms: number): void {
    const end = this.clock.now() + ms
    this.run()
    for (let due = this.local.pollAt(); due <= end; due = this.local.pollAt()) {
      if (due > this.clock.now()) this.clock.advance(due - this.clock.now())
      this.run()
    }
    this.clock.advance(end - this.clock.now())
    this.run()
  }

  /** A port in memory with a station behind it. */
  plug(name: string, port: PortSpec, mac: number, address?: Prefix, gateway?: number): Station {
    const station = new Station(this, {
      mac,
      ...(address === undefined ? {} : { address }),
      ...(gateway === undefined ? {} : { gateway }),
      ...tagFor(port.vlan),
    })
    const device = this.local.device({ name: port.name, onSend: (frame) => station.receive(frame) })
    station.attach(device)
    this.commands.portPut({ ...port, kind: { type: 'memory', key: port.name } })
    this.stations.set(name, station)
    return station
  }

  #build(): void {
    const { bridges, routers, hosts } = this.network
    for (const b of bridges) this.commands.bridgePut(bridgeSpec(b))
    for (const b of bridges) {
      for (const p of b.ports) {
        if (p.type === 'patch') this.commands.portPut(portSpec(b.name, p))
        else this.plug(p.name, portSpec(b.name, p), 'mac' in p ? p.mac : 0x02_00_00_00_ff_00)
      }
      if (b.internal === undefined) continue
      const { vlan, address } = b.internal
      const spec: PortSpec = {
        name: b.name,
        bridge: b.name,
        vlan,
        kind: { type: 'memory', key: b.name },
      }
      this.plug(b.name, spec, b.mac, address)
    }
    for (const r of routers) {
      this.commands.routerPut(routerSpec(r))
      for (const i of r.interfaces) {
        this.commands.portPut(routerPortSpec(r, i))
        if (i.dhcp !== undefined) this.#serve(r, i)
      }
    }
    for (const host of hosts) {
      for (const i of host.interfaces) {
        const spec: PortSpec = {
          name: i.port,
          bridge: i.bridge,
          vlan: i.vlan,
          kind: { type: 'memory', key: i.port },
        }
        const station = this.plug(host.name, spec, i.mac, i.addresses[0], i.gateway)
        for (const p of host.addresses) station.also.push(p.address)
      }
    }
  }

  #serve(router: Router, iface: RouterInterface): void {
    let listener: (frame: Uint8Array) => void = () => {}
    const probes = new Map<number, (inUse: boolean) => void>()
    const { datapath } = this.local
    const port: ServicePort = {
      mac: iface.mac,
      address: iface.dhcp!.serverId,
      onFrame: (l) => {
        listener = l
      },
      send: (frame) => {
        datapath.now = this.clock.now()
        this.commands.routerOutput(router.name, iface.name, frame)
      },
      sendVia: (datagram) => {
        datapath.now = this.clock.now()
        this.commands.routerSend(router.name, datagram)
      },
      probe: (address, done) => {
        datapath.now = this.clock.now()
        probes.set(address, done)
        try {
          this.commands.routerProbe(router.name, iface.name, address)
        } catch (error) {
          probes.delete(address)
          this.log.push((error as Error).message)
        }
      },
    }
    const service = new DhcpService(
      {
        config: iface.dhcp!,
        port,
        clock: this.clock,
        log: (_level, message) => this.log.push(message),
      },
      new MemoryStore(this.clock),
      [],
    )
    this.#services.set(`${router.name} ${iface.name}`, {
      service,
      deliver: (frame) => listener(frame),
      probed: (address, inUse) => {
        probes.get(address)?.(inUse)
        probes.delete(address)
      },
    })
  }

  #take(event: DpifEvent): void {
    if (event.type === 'log') this.log.push(event.message)
    else if (event.type === 'service') {
      this.served++
      this.#services.get(`${event.router} ${event.interface}`)?.deliver(event.frame)
    } else if (event.type === 'probe') {
      this.#services.get(`${event.router} ${event.interface}`)?.probed(event.address, event.inUse)
    }
  }

  #served(of: { readonly router: string; readonly interface: string }): Served {
    const served = this.#services.get(`${of.router} ${of.interface}`)
    if (served === undefined) throw new Error(`nothing serves ${of.router} ${of.interface}`)
    return served
  }
}

/** Whoever sits at a trunk tags his frames. */
function tagFor(vlan: VlanSettings): { vlan?: number } {
  return vlan.mode === 'trunk' && vlan.trunks.length > 0 ? { vlan: vlan.trunks[0] } : {}
}
