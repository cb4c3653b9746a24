/** The commands of the door that look into the dataplane or play with it (dpif-inspection.ts). */
import { formatProgram } from './actions/format.ts'
import type { Datapath } from './datapath.ts'
import { DpifError, type Page } from './dpif.ts'
import type {
  ConntrackCommands,
  CtLimits,
  CtRow,
  FragmentSettings,
  FragmentStatus,
} from './dpif-conntrack.ts'
import type {
  FdbStats,
  InspectionCommands,
  MegaflowName,
  MegaflowPut,
  MegaflowRow,
} from './dpif-inspection.ts'
import { BURST } from './memory/packet-pool.ts'
import { MemoryNetdev } from './netdev/memory.ts'
import type { Bridge, SwitchPort } from './ofproto/topology.ts'
import { exactFlow, putMegaflow, wordsOf } from './put-megaflow.ts'
import { QosDatapathCommands } from './qos-commands.ts'

/** Rows in one page of a dump. */
const PAGE = 1000
/** Flow numbers of one generation of all slots. */
const GENERATION = 2 ** 24

export abstract class InspectionDatapathCommands
  extends QosDatapathCommands
  implements ConntrackCommands, InspectionCommands
{
  readonly #dp: Datapath
  readonly #burst = new Uint32Array(BURST)

  constructor(dp: Datapath) {
    super(dp)
    this.#dp = dp
  }

  fdbAdd(bridge: string, port: string, vlan: number, mac: number): void {
    const { fdb, ports } = this.#bridgeOf(bridge)
    const to = ports.find((p) => p.spec.name === port)
    if (to === undefined) throw new DpifError('ENOENT', `no port ${port} on ${bridge}`)
    fdb.addStatic(vlan, mac, to.portNo)
  }

  fdbDelete(bridge: string, vlan: number, mac: number): boolean {
    return this.#bridgeOf(bridge).fdb.removeStatic(vlan, mac)
  }

  fdbStats(bridge: string): FdbStats {
    const { fdb } = this.#bridgeOf(bridge)
    return { ...fdb.counters, entries: fdb.size, statics: fdb.statics, capacity: fdb.capacity }
  }

  fdbStatsClear(bridge: string): void {
    Object.assign(this.#bridgeOf(bridge).fdb.counters, { learned: 0, expired: 0, evicted: 0, moved: 0 })
  }

  megaflows(from: number, names = false): Page<MegaflowRow> {
    const { flows } = this.#dp
    const rows: MegaflowRow[] = []
    let f = flows.next(from)
    while (f >= 0 && rows.length < PAGE) {
      rows.push(this.#row(f, names))
      f = flows.next(f + 1)
    }
    return { rows, next: f < 0 ? undefined : f }
  }

  #row(f: number, names = false): MegaflowRow {
    const { flows, now, topology } = this.#dp
    const { records } = flows
    const named = (portNo: number) => topology.port(portNo)?.spec.name ?? String(portNo)
    return {
      id: (records.generation(f) >>> 0) * GENERATION + f,
      key: flows.keyOf(f).slice(),
      mask: flows.maskOf(f).slice(),
      actions: formatProgram(flows.code, records.program(f), names ? named : String),
      packets: records.packets(f),
      bytes: records.bytes(f),
      tcpFlags: records.tcpFlags(f),
      used: records.packets(f) === 0 ? undefined : now - records.used(f),
    }
  }

  megaflowPut(put: MegaflowPut): MegaflowRow {
    return this.#row(putMegaflow(this.#dp, put))
  }

  megaflow(flow: MegaflowName, names = false): MegaflowRow | undefined {
    const f = this.#find(flow)
    return f < 0 ? undefined : this.#row(f, names)
  }

  megaflowDelete(flow: MegaflowName): MegaflowRow | undefined {
    const f = this.#find(flow)
    if (f < 0) return undefined
    const row = this.#row(f)
    this.#dp.flows.remove(f)
    return row
  }

  /** -1 for none. */
  #find(flow: MegaflowName): number {
    const { flows } = this.#dp
    if (typeof flow !== 'number') {
      const { value, mask } = wordsOf(flow)
      return exactFlow(flows, value, mask)
    }
    const f = flow % GENERATION
    return flows.next(f) === f && flows.records.generation(f) >>> 0 === Math.floor(flow / GENERATION) ? f : -1
  }

  megaflowsFlush(): void {
    this.#dp.flows.clear()
  }

  megaflowLimit(limit: number): number {
    this.#dp.flows.wanted = limit
    return this.#dp.flows.wanted
  }

  megaflowsUse(used: boolean): void {
    this.#dp.flows.exact = !used
    this.#dp.flows.clear()
  }

  ctConnections(from: number): Page<CtRow> {
    return this.#dp.topology.tracker.rows(from, this.#dp.now)
  }

  ctLimits(): CtLimits {
    return this.#dp.topology.tracker.limits
  }

  ctLimitsPut(limits: CtLimits): void {
    this.#dp.topology.tracker.limits = limits
  }

  ctFragments(): FragmentStatus {
    return this.#dp.ctOperations.fragments.status
  }

  ctFragmentsPut(settings: FragmentSettings): void {
    this.#dp.ctOperations.fragments.settings = settings
  }

  ctSequenceChecks(wanted?: boolean): boolean {
    if (wanted !== undefined) this.#dp.routers.conntrack.sequenceChecks = wanted
    return this.#dp.routers.conntrack.sequenceChecks
  }

  portInput(name: string, frames: readonly Uint8Array[]): void {
    const { port, device } = this.inMemory(name)
    for (const frame of frames) {
      if (!device.inject(frame)) continue
      const count = device.rx(this.#burst, BURST)
      this.#dp.receive(this.#burst, count, port.portNo)
    }
    // What was sent is seen by those who watch before this is answered.
    this.#dp.captures.flush()
  }

  portLink(name: string, state: 'up' | 'down'): void {
    const { port, device } = this.inMemory(name)
    device.state = state
    this.linkChanged(port.portNo)
  }

  abstract linkChanged(portNo: number): void

  abstract portRenumber(name: string, portNo: number): void

  /** @throws DpifError ENOENT */
  protected inMemory(name: string): { port: SwitchPort; device: MemoryNetdev } {
    const port = this.#dp.topology.portsByName.get(name)
    const device = port && this.#dp.device(port.portNo)
    if (!(device instanceof MemoryNetdev)) throw new DpifError('ENOENT', `no port ${name} in memory`)
    return { port: port!, device }
  }

  #bridgeOf(name: string): Bridge {
    const bridge = this.#dp.topology.bridges.get(name)
    if (bridge === undefined) throw new DpifError('ENOENT', `no bridge ${name}`)
    return bridge
  }
}
