/**
 * The commands of the door, carried out on a datapath. Each checks everything before it changes anything.
 */
import { SECOND } from '../protocols/time.ts'
import type { Datapath } from './datapath.ts'
import type { DeviceFactory } from './devices.ts'
import {
  type BridgeSpec,
  type ConnectionRow,
  type DpifCommands,
  DpifError,
  type FdbRow,
  type NeighborRow,
  type Page,
  type PortCountersPage,
  type PortSpec,
  type PortStatus,
  type RouteRow,
  type RouterSpec,
} from './dpif.ts'
import type { DatapathStats } from './dpif-inspection.ts'
import { DROP_NO_CELLS } from './drops.ts'
import { InspectionDatapathCommands } from './inspection-commands.ts'
import { type Netdev, STAT_NAMES } from './netdev/netdev.ts'
import { newBridge } from './ofproto/bridge-host.ts'
import { FlowTables } from './ofproto/flow-tables.ts'
import { type Bridge, SwitchPort } from './ofproto/topology.ts'
import { checkPortNo, chooseOfport, choosePortNo } from './port-numbers.ts'
import { isDevice, sameKind, sameVlans } from './port-spec.ts'
import { checkQos } from './qos-commands.ts'
import { Fdb } from './tables/fdb.ts'

/** Rows in one page of a dump. */
const PAGE = 1000

/** Told when a device comes to a port or leaves it, so that its owner polls it or stops to. */
export interface DeviceListener {
  added(portNo: number, device: Netdev): void
  removed(portNo: number, device: Netdev): void
}

export class Commands extends InspectionDatapathCommands implements DpifCommands {
  readonly #dp: Datapath
  readonly #devices: DeviceFactory
  readonly #listener: DeviceListener

  constructor(dp: Datapath, devices: DeviceFactory, listener: DeviceListener) {
    super(dp)
    this.#dp = dp
    this.#devices = devices
    this.#listener = listener
  }

  bridgePut(spec: BridgeSpec): void {
    const { bridges, bridgesByIndex } = this.#dp.topology
    const bridge = bridges.get(spec.name)
    if (bridge !== undefined) {
      bridge.spec = spec
      bridge.fdb.aging = spec.agingTime * SECOND
      bridge.fdb.resize(spec.macTableSize)
      this.#changed(bridge)
      return
    }
    const index = bridgesByIndex.length
    const fdb = new Fdb(this.#dp, index, spec.macTableSize, spec.agingTime * SECOND)
    const tables = new FlowTables(index, this.#dp.random() | 0, this.#dp)
    if (spec.failMode !== 'secure') tables.addNormal(this.#dp.now)
    bridgesByIndex[index] = newBridge(this.#dp, spec, index, fdb, tables)
    bridges.set(spec.name, bridgesByIndex[index])
  }

  bridgeDelete(name: string): void {
    const bridge = this.#dp.topology.bridges.get(name)
    if (bridge === undefined) return
    for (const port of [...bridge.ports]) this.portDelete(port.spec.name)
    bridge.meters.clear()
    this.#changed(bridge)
    this.#dp.topology.bridges.delete(name)
    this.#dp.topology.bridgesByIndex[bridge.index] = undefined
  }

  portPut(spec: PortSpec): { ofport: number; portNo: number } {
    const { topology } = this.#dp
    const bridge = topology.bridges.get(spec.bridge)
    if (bridge === undefined) throw new DpifError('ENOENT', `port ${spec.name}: no bridge ${spec.bridge}`)
    if (spec.kind.type === 'patch' && spec.kind.peer === spec.name) {
      throw new DpifError('EINVAL', `port ${spec.name}: a patch port cannot be its own peer`)
    }
    checkQos(spec)
    const old = topology.portsByName.get(spec.name)
    const kept = old !== undefined && sameKind(old.spec, spec)
    const ofport = chooseOfport(bridge, spec, old)
    const portNo = kept ? old.portNo : choosePortNo(topology.ports, spec)
    const alive = kept && this.#dp.device(portNo)?.state !== 'gone'
    const device = isDevice(spec) && !alive ? this.#devices.open(spec.name, spec.kind) : undefined

    if (old !== undefined && !kept) this.portDelete(spec.name)
    else if (old !== undefined && device !== undefined) this.#closeDevice(portNo)
    const port = new SwitchPort(spec, bridge, portNo, ofport)
    if (kept) {
      this.#replace(old, spec)
      if (alive) port.up = old.up
      port.config = old.config
    }
    topology.ports[portNo] = port
    topology.portsByName.set(spec.name, port)
    bridge.addPort(port)
    if (device !== undefined) {
      port.up = device.state !== 'gone'
      this.#dp.setDevice(portNo, device)
      this.#listener.added(portNo, device)
    }
    this.#dp.qos.configure(portNo, spec.qos, spec.ingressPolicing)
    this.#join(port)
    this.#changed(bridge)
    return { ofport, portNo }
  }

  /** Takes a port away that goes on with another spec; what was learned where that no longer holds goes too. */
  #replace(old: SwitchPort, spec: PortSpec): void {
    const { bridge } = old
    bridge.ports = bridge.ports.filter((p) => p !== old)
    if (bridge.spec.name !== spec.bridge || !sameVlans(old.spec, spec)) bridge.fdb.removePort(old.portNo)
    if (old.peer !== undefined) {
      old.peer.peer = undefined
      this.#changed(old.peer.bridge)
    }
    this.#changed(bridge)
  }

  portDelete(name: string): void {
    const { topology } = this.#dp
    const port = topology.portsByName.get(name)
    if (port === undefined) return
    const { bridge, portNo } = port
    topology.portsByName.delete(name)
    topology.ports[portNo] = undefined
    bridge.ports = bridge.ports.filter((p) => p !== port)
    bridge.fdb.removePort(portNo)
    if (port.peer !== undefined) {
      port.peer.peer = undefined
      this.#changed(port.peer.bridge)
    }
    const { kind } = port.spec
    if (kind.type === 'router') this.#dp.routers.attach(kind.router, kind.interface, undefined)
    this.#dp.captures.stop(portNo)
    this.#dp.qos.remove(portNo)
    this.#closeDevice(portNo)
    this.#changed(bridge)
  }

  portRenumber(name: string, portNo: number): void {
    const { topology, captures, qos } = this.#dp
    const { port: old, device } = this.inMemory(name)
    checkPortNo(topology.ports, portNo)
    const { bridge, spec } = old
    const port = new SwitchPort(spec, bridge, portNo, old.ofport)
    port.config = old.config
    port.up = old.up
    port.carrier = old.carrier
    topology.ports[old.portNo] = undefined
    topology.ports[portNo] = port
    topology.portsByName.set(name, port)
    bridge.ports = bridge.ports.map((p) => (p === old ? port : p))
    bridge.fdb.renumberPort(old.portNo, portNo)
    captures.renumber(old.portNo, portNo)
    qos.remove(old.portNo)
    qos.configure(portNo, spec.qos, spec.ingressPolicing)
    this.#dp.setDevice(old.portNo, undefined)
    this.#listener.removed(old.portNo, device)
    this.#dp.setDevice(portNo, device)
    this.#listener.added(portNo, device)
    this.#changed(bridge)
  }

  portConfig(name: string, config: number): void {
    const port = this.#port(name)
    if (port.config === config) return
    port.config = config
    this.#changed(port.bridge)
  }

  routerPut(spec: RouterSpec): void {
    this.#dp.routers.put(spec)
    for (const port of this.#routerPorts(spec.name)) this.#join(port)
  }

  routerDelete(name: string): void {
    this.#dp.routers.delete(name)
    for (const port of this.#routerPorts(name)) {
      port.routerInterface = -1
      port.bridge.fdb.removePort(port.portNo)
      this.#changed(port.bridge)
    }
  }

  portOutput(name: string, frame: Uint8Array): void {
    const port = this.#port(name)
    const h = this.#packet(frame)
    this.#dp.output(port.portNo, h)
    this.#dp.pool.free(h)
  }

  routerOutput(router: string, iface: string, frame: Uint8Array): void {
    this.#dp.routers.output(router, iface, frame)
  }

  routerSend(router: string, datagram: Uint8Array): void {
    this.#dp.routers.send(router, datagram)
  }

  routerProbe(router: string, iface: string, address: number): void {
    this.#dp.routers.probe(router, iface, address)
  }

  ports(names?: readonly string[]): PortStatus[] {
    const { portsByName } = this.#dp.topology
    const asked =
      names === undefined ? [...portsByName.values()] : names.flatMap((n) => portsByName.get(n) ?? [])
    return asked.map((port) => {
      const device = this.#dp.device(port.portNo)
      const up = port.spec.kind.type === 'patch' ? port.peer !== undefined : port.routerInterface >= 0
      return {
        name: port.spec.name,
        bridge: port.bridge.spec.name,
        ofport: port.ofport,
        portNo: port.portNo,
        type: port.spec.kind.type,
        ...(port.spec.kind.type === 'patch' ? { peer: port.spec.kind.peer } : {}),
        link: device?.state ?? (up ? 'up' : 'down'),
        stats: Object.fromEntries(STAT_NAMES.map((name, i) => [name, device?.stats[i] ?? 0])),
      }
    })
  }

  portCounters(from: number): PortCountersPage {
    const { ports } = this.#dp.topology
    const names: string[] = []
    const counters = new Float64Array(PAGE * STAT_NAMES.length)
    let next = from
    for (; next < ports.length && names.length < PAGE; next++) {
      const port = ports[next]
      if (port === undefined) continue
      const device = this.#dp.device(next)
      if (device !== undefined) counters.set(device.stats, names.length * STAT_NAMES.length)
      names.push(port.spec.name)
    }
    return { names, counters, next: next < ports.length ? next : undefined }
  }

  stats(): DatapathStats {
    const { cache, upcalls, recirculations, flows, drops, pool, routers } = this.#dp
    return {
      emcHits: cache.emcHits,
      megaflowHits: cache.megaflowHits,
      upcalls,
      recirculations,
      subtableLookups: flows.subtableLookups,
      flows: flows.count,
      flowLimit: flows.wanted,
      masks: flows.masks,
      connections: routers.connectionCount(),
      drops: drops.named(),
      cellsFree: pool.available,
      cells: pool.cells,
    }
  }

  fdb(name: string, from: number): Page<FdbRow> {
    const { fdb } = this.#bridge(name)
    const rows: FdbRow[] = []
    const next = fdb.walk(from, (vlan, mac, portNo, used, fixed) => {
      const port = this.#dp.topology.port(portNo)
      rows.push({
        bridge: name,
        port: port?.spec.name ?? '',
        ofport: port?.ofport ?? -1,
        vlan,
        mac,
        age: fixed ? -1 : Math.floor((this.#dp.now - used) / SECOND),
      })
      return rows.length < PAGE
    })
    return { rows, next }
  }

  fdbFlush(name: string): void {
    this.#bridge(name).fdb.flush()
  }

  neighbors(router: string): NeighborRow[] {
    return this.#dp.routers.neighbors(router)
  }

  routes(router: string): RouteRow[] {
    return this.#dp.routers.routes(router)
  }

  connections(router: string, from: number): Page<ConnectionRow> {
    return this.#dp.routers.connections(router, from)
  }

  connectionsFlush(router: string): void {
    this.#dp.routers.connectionsFlush(router)
  }

  captureStart(name: string, snaplen: number): void {
    this.#dp.captures.start(this.#port(name).portNo, name, snaplen)
  }

  captureStop(name: string): void {
    const port = this.#dp.topology.portsByName.get(name)
    if (port !== undefined) this.#dp.captures.stop(port.portNo)
  }

  /** Takes note that a device went up, down or away. */
  linkChanged(portNo: number): void {
    const port = this.#dp.topology.port(portNo)
    const device = this.#dp.device(portNo)
    if (port === undefined || device === undefined) return
    const up = device.state !== 'gone'
    const carrier = device.state === 'up'
    if (port.up === up && port.carrier === carrier) return
    port.up = up
    port.carrier = carrier
    this.#changed(port.bridge)
    this.#dp.emit({ type: 'link', port: port.spec.name, state: device.state })
  }

  /** Joins a port to what it leads to, as far as that exists. */
  #join(port: SwitchPort): void {
    const { kind } = port.spec
    const { portsByName } = this.#dp.topology
    if (kind.type === 'patch') {
      const peer = portsByName.get(kind.peer)
      if (peer?.spec.kind.type !== 'patch' || peer.spec.kind.peer !== port.spec.name) return
      port.peer = peer
      peer.peer = port
      this.#changed(peer.bridge)
    } else if (kind.type === 'router') {
      const { routers } = this.#dp
      port.bridge.fdb.removePort(port.portNo)
      port.routerInterface = routers.attach(kind.router, kind.interface, port)
      const mac = routers.macOf(kind.router, kind.interface)
      const vlan = port.vlan.mode === 'trunk' ? 0 : port.vlan.tag
      if (port.routerInterface >= 0 && mac !== undefined) port.bridge.fdb.addStatic(vlan, mac, port.portNo)
      this.#changed(port.bridge)
    }
  }

  #routerPorts(router: string): SwitchPort[] {
    return [...this.#dp.topology.portsByName.values()].filter(
      (p) => p.spec.kind.type === 'router' && p.spec.kind.router === router,
    )
  }

  #closeDevice(portNo: number): void {
    const device = this.#dp.device(portNo)
    if (device === undefined) return
    this.#dp.setDevice(portNo, undefined)
    this.#listener.removed(portNo, device)
    device.close()
  }

  #packet(frame: Uint8Array): number {
    const h = this.#dp.pool.fromBytes(frame)
    if (h >= 0) return h
    this.#dp.drops.counts[DROP_NO_CELLS]++
    throw new DpifError('ENOSPC', `a frame of ${frame.length} bytes finds no room`)
  }

  #port(name: string): SwitchPort {
    const port = this.#dp.topology.portsByName.get(name)
    if (port === undefined) throw new DpifError('ENOENT', `no port ${name}`)
    return port
  }

  #bridge(name: string): Bridge {
    const bridge = this.#dp.topology.bridges.get(name)
    if (bridge === undefined) throw new DpifError('ENOENT', `no bridge ${name}`)
    return bridge
  }

  #changed(bridge: Bridge): void {
    this.#dp.bridgeChanged(bridge)
  }
}
