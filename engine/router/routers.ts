/** All routers of a datapath: where their commands, their translation and their slow path meet. */
import { earlier, type Instant } from '../../protocols/time.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import {
  DESTINATION_UNREACHABLE,
  PORT_UNREACHABLE,
  REASSEMBLY_EXCEEDED,
  TIME_EXCEEDED,
} from '../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import type { Conntrack } from '../conntrack/conntrack.ts'
import { ConntrackEngine } from '../conntrack/conntrack-engine.ts'
import {
  type ConnectionRow,
  DpifError,
  type NeighborRow,
  type Page,
  type RouteRow,
  type RouterInterfaceSpec,
  type RouterSpec,
} from '../dpif.ts'
import { TAG_ROUTER, tagOf } from '../ofproto/tags.ts'
import type { SwitchPort } from '../ofproto/topology.ts'
import type { Xlate } from '../ofproto/xlate.ts'
import { REASSEMBLY_TIME, Reassembly } from '../reassembly.ts'
import { IcmpErrors } from './icmp-error.ts'
import { RouterInterface } from './interface.ts'
import { LocalInput } from './local-input.ts'
import { LocalOutput } from './local-output.ts'
import type { NatEngine } from './nat-engine.ts'
import { Neighbors } from './neighbors.ts'
import { PacketStore } from './packet-queue.ts'
import { checkRouter, Router } from './router.ts'
import type { RouterDomain } from './router-domain.ts'
import type { RouterHost } from './router-host.ts'
import { SlowPath } from './slow-path.ts'
import { RouterTranslation } from './translate.ts'

/** Packets waiting for neighbours at the most; a smaller pool gives an eighth of its cells. */
const MAX_WAITING = 1024

export class Routers implements RouterDomain {
  readonly #host: RouterHost
  readonly conntrack: Conntrack
  readonly #nat: NatEngine
  readonly #routers = new Map<string, Router>()
  /** By index. */
  readonly #interfaces: (RouterInterface | undefined)[] = []
  readonly #translation: RouterTranslation
  readonly #output: LocalOutput
  readonly #errors: IcmpErrors
  readonly #reassembly: Reassembly
  readonly #slowPath: SlowPath
  readonly #store: PacketStore

  constructor(host: RouterHost) {
    this.#host = host
    this.#store = new PacketStore(Math.min(MAX_WAITING, host.pool.cells >>> 3))
    this.#translation = new RouterTranslation(this.#interfaces)
    this.#output = new LocalOutput(host)
    this.#errors = new IcmpErrors(host, this.#output, this.#interfaces)
    this.#reassembly = new Reassembly(host, {
      time: REASSEMBLY_TIME,
      keepPieces: false,
      expired: (iface, h) => this.#errors.about(iface, h, TIME_EXCEEDED, REASSEMBLY_EXCEEDED, 0),
    })
    const nat = new ConntrackEngine(host)
    nat.portUnreachable = (h, iface) => {
      this.#errors.about(iface, h, DESTINATION_UNREACHABLE, PORT_UNREACHABLE, 0)
    }
    this.#nat = nat
    this.conntrack = nat.conntrack
    this.#slowPath = new SlowPath({
      host,
      interfaces: this.#interfaces,
      translation: this.#translation,
      errors: this.#errors,
      output: this.#output,
      input: new LocalInput(host, this.#output, this.#errors),
      reassembly: this.#reassembly,
      nat: this.#nat,
    })
  }

  put(spec: RouterSpec): void {
    checkRouter(spec)
    let router = this.#routers.get(spec.name)
    if (router === undefined) {
      router = new Router(this.#freeRouterIndex(), spec)
      this.#routers.set(spec.name, router)
    }
    const old = router.interfaces
    const kept = (s: RouterInterfaceSpec) => old.find((i) => i.spec.name === s.name)
    for (const iface of old) if (!spec.interfaces.some((s) => s.name === iface.spec.name)) this.#remove(iface)
    const interfaces = spec.interfaces.map((s) => kept(s) ?? this.#add(router, s))
    // The specs change together: what neighbours are asked from here on sees the whole new router.
    interfaces.forEach((iface, i) => {
      iface.spec = spec.interfaces[i]
    })
    router.configure(spec, interfaces)
    router.nat = this.#nat.put(router)
    for (const iface of interfaces) iface.neighbors.configure()
    this.#changed(router)
  }

  delete(name: string): void {
    const router = this.#routers.get(name)
    if (router === undefined) return
    for (const iface of router.interfaces) this.#remove(iface)
    this.#routers.delete(name)
    this.#nat.delete(name)
    this.#changed(router)
  }

  attach(name: string, ifaceName: string, port: SwitchPort | undefined): number {
    const iface = this.#find(name, ifaceName)
    if (iface === undefined) return -1
    const before = iface.port
    iface.port = port
    if (port === undefined) iface.neighbors.machine.down()
    else if (before === undefined || before.bridge !== port.bridge) {
      iface.neighbors.machine.up(this.#host.now)
    }
    if (before !== port) this.#changed(iface.router)
    return iface.index
  }

  portOf(index: number): SwitchPort | undefined {
    return this.#interfaces[index]?.port
  }

  macOf(name: string, ifaceName: string): number | undefined {
    return this.#find(name, ifaceName)?.spec.mac
  }

  input(x: Xlate, index: number): void {
    this.#translation.input(x, index)
  }

  slow(reason: number, arg: number, h: number): void {
    this.#slowPath.handle(reason, arg, h)
  }

  track(connection: number, direction: number, h: number): boolean {
    return this.#nat.track(connection, direction, h)
  }

  output(name: string, ifaceName: string, frame: Uint8Array): void {
    const iface = this.#interface(name, ifaceName)
    if (frame.length < ethernet.HEADER_LEN) throw new DpifError('EINVAL', 'a frame is at least 14 bytes long')
    const h = this.#packet(frame, 0)
    this.#host.leaveRouter(h, iface.index)
    this.#host.pool.free(h)
  }

  send(name: string, datagram: Uint8Array): void {
    const router = this.#router(name)
    if (!ipv4.check(datagram, 0, datagram.length)) {
      throw new DpifError('EINVAL', `router ${name} cannot send what is no IPv4 datagram`)
    }
    this.#output.send(router, this.#packet(datagram, ethernet.HEADER_LEN))
  }

  probe(name: string, ifaceName: string, address: number): void {
    const iface = this.#interface(name, ifaceName)
    if (!iface.neighbors.machine.probe(this.#host.now, address)) {
      throw new DpifError('EBUSY', `router ${name} ${ifaceName}: too many addresses are being probed`)
    }
  }

  poll(now: Instant): void {
    for (const iface of this.#interfaces) iface?.neighbors.machine.poll(now)
    this.#reassembly.poll(now)
    this.#nat.poll(now)
  }

  pollAt(): Instant | undefined {
    let due = earlier(this.#reassembly.pollAt(), this.#nat.pollAt())
    for (let i = 0; i < this.#interfaces.length; i++) {
      due = earlier(due, this.#interfaces[i]?.neighbors.machine.pollAt())
    }
    return due
  }

  neighbors(name: string): NeighborRow[] {
    return this.#router(name).interfaces.flatMap((iface) => iface.neighbors.rows(this.#host.now))
  }

  routes(name: string): RouteRow[] {
    return this.#router(name).routes()
  }

  connections(name: string, from: number): Page<ConnectionRow> {
    this.#router(name)
    return this.#nat.connections(name, from)
  }

  connectionsFlush(name: string): void {
    this.#router(name)
    this.#nat.connectionsFlush(name)
  }

  connectionCount(): number {
    return this.#nat.connectionCount()
  }

  #add(router: Router, spec: RouterInterfaceSpec): RouterInterface {
    let index = 0
    while (this.#interfaces[index] !== undefined) index++
    const iface = new RouterInterface(router, index, spec)
    iface.neighbors = new Neighbors(iface, this.#host, this.#store, this.#output, this.#errors)
    this.#interfaces[index] = iface
    return iface
  }

  #remove(iface: RouterInterface): void {
    iface.port = undefined
    iface.neighbors.dispose()
    this.#interfaces[iface.index] = undefined
  }

  #freeRouterIndex(): number {
    const taken = new Set([...this.#routers.values()].map((r) => r.index))
    let index = 0
    while (taken.has(index)) index++
    return index
  }

  #changed(router: Router): void {
    this.#host.touch(tagOf(TAG_ROUTER, router.index, 0, 0))
  }

  #packet(bytes: Uint8Array, before: number): number {
    const { pool } = this.#host
    const h = bytes.length + before <= 65_549 ? pool.alloc() : -1
    if (h < 0) throw new DpifError('ENOSPC', `a packet of ${bytes.length} bytes finds no room`)
    pool.u8.set(bytes, pool.off[h] + before)
    pool.len[h] = bytes.length + before
    return h
  }

  #find(name: string, ifaceName: string): RouterInterface | undefined {
    return this.#routers.get(name)?.interfaces.find((i) => i.spec.name === ifaceName)
  }

  #interface(name: string, ifaceName: string): RouterInterface {
    const iface = this.#find(this.#router(name).spec.name, ifaceName)
    if (iface === undefined) throw new DpifError('ENOENT', `router ${name} has no interface ${ifaceName}`)
    return iface
  }

  #router(name: string): Router {
    const router = this.#routers.get(name)
    if (router === undefined) throw new DpifError('ENOENT', `no router ${name}`)
    return router
  }
}
