/**
 * What the translation walks: bridges, their ports, and which port leads where. Names are resolved here once,
 * when something changes, never per packet.
 */

import {
  PC_NO_FLOOD,
  PC_NO_FWD,
  PC_NO_PACKET_IN,
  PC_NO_RECV,
  PC_PORT_DOWN,
} from '../../protocols/openflow/port-desc.ts'
import type { FragmentHandling } from '../../protocols/openflow/switch-config.ts'
import type { BridgeSpec, PortSpec, VlanSettings } from '../dpif.ts'
import type { PacketInTemplate } from '../dpif-pipeline.ts'
import type { SamplingSpec } from '../dpif-sampling.ts'
import type { Fdb } from '../tables/fdb.ts'
import type { ConnectionTracker } from './connection-tracker.ts'
import type { FlowTables } from './flow-tables.ts'
import type { FrozenState } from './frozen-state.ts'
import type { GroupTable } from './group-table.ts'
import type { KeptValues } from './kept-values.ts'
import type { MeterTable } from './meter-table.ts'

/** Where a port leads. */
export const KIND_DEVICE = 0
export const KIND_PATCH = 1
export const KIND_ROUTER = 2

/** Sets of VLANs as bitmaps of 4,096 bits. */
export class VlanSet {
  readonly #bits = new Uint32Array(128)
  readonly all: boolean

  /** @param vlans members; none means all of them */
  constructor(vlans: readonly number[]) {
    this.all = vlans.length === 0
    for (const v of vlans) this.#bits[v >>> 5] = this.#bits[v >>> 5] | (1 << (v & 31))
  }

  has(vlan: number): boolean {
    return this.all || (this.#bits[vlan >>> 5] & (1 << (vlan & 31))) !== 0
  }
}

export class SwitchPort {
  readonly spec: PortSpec
  readonly bridge: Bridge
  /** Datapath port number: in_port of flow keys, operand of OP_OUTPUT. */
  readonly portNo: number
  /** OpenFlow port number within the bridge. */
  readonly ofport: number
  readonly kind: number
  readonly vlan: VlanSettings
  readonly trunks: VlanSet
  readonly cvlans: VlanSet
  /** KIND_PATCH: the other end once it exists. */
  peer: SwitchPort | undefined
  /** KIND_ROUTER: index of the router's interface, -1 until the router exists. */
  routerInterface = -1
  /** What a controller has set of it: PC_* bits of protocols/openflow/port-desc.ts. */
  config = 0
  /** KIND_DEVICE: whether the device has a link. */
  carrier = true
  /** KIND_DEVICE: whether there is a device; one that is merely down counts what it is sent as dropped. */
  up = true

  constructor(spec: PortSpec, bridge: Bridge, portNo: number, ofport: number) {
    this.spec = spec
    this.bridge = bridge
    this.portNo = portNo
    this.ofport = ofport
    this.kind =
      spec.kind.type === 'patch' ? KIND_PATCH : spec.kind.type === 'router' ? KIND_ROUTER : KIND_DEVICE
    this.vlan = spec.vlan
    this.trunks = vlansOf(spec.vlan)
    this.cvlans = new VlanSet(spec.vlan.cvlans)
  }

  /** Whether packets that come by the port are taken. */
  get receives(): boolean {
    return (this.config & (PC_NO_RECV | PC_PORT_DOWN)) === 0
  }

  /** Whether packets are sent by it. */
  get forwards(): boolean {
    return (this.config & (PC_NO_FWD | PC_PORT_DOWN)) === 0
  }

  /** Whether it is among those that FLOOD means. */
  get floods(): boolean {
    return (this.config & PC_NO_FLOOD) === 0
  }

  /** Whether packets that come by it and match no rule are shown to controllers. */
  get packetIns(): boolean {
    return (this.config & PC_NO_PACKET_IN) === 0
  }

  /** Whether it leads anywhere now: what fast failover asks. */
  get live(): boolean {
    if ((this.config & PC_PORT_DOWN) !== 0) return false
    if (this.kind === KIND_DEVICE) return this.up && this.carrier
    return this.kind === KIND_PATCH ? this.peer !== undefined : this.routerInterface >= 0
  }
}

/** The VLANs a port carries. A native VLAN is a member although nobody lists it, and takes VLAN 0's place. */
function vlansOf({ mode, tag, trunks }: VlanSettings): VlanSet {
  if (mode === 'access' || mode === 'dot1q-tunnel') return new VlanSet([tag])
  if (mode === 'trunk' || (tag === 0 && trunks.length === 0)) return new VlanSet(trunks)
  const listed = trunks.length === 0 ? Array.from({ length: 4096 }, (_, v) => v) : trunks
  return new VlanSet([...listed.filter((v) => v !== 0), tag])
}

export class Bridge {
  spec: BridgeSpec
  /** A small number that names the bridge in tags. */
  readonly index: number
  readonly fdb: Fdb
  readonly tables: FlowTables
  readonly groups: GroupTable
  readonly meters: MeterTable
  /** By it a paused packet finds back; 16 bytes, of no other bridge, nor of one of that name before. */
  readonly uuid: Uint8Array
  /** In order of ofport; also the order of flooding. */
  ports: SwitchPort[] = []
  /** Whether a packet that matches no rule, of a table that says nothing else, is shown to controllers. */
  packetInOnMiss = false
  /** Undefined: nobody collects samples, so that none are taken. */
  sampling: SamplingSpec | undefined
  /** What tables see of fragments. */
  fragments: FragmentHandling = 'normal'

  constructor(
    spec: BridgeSpec,
    index: number,
    fdb: Fdb,
    tables: FlowTables,
    groups: GroupTable,
    meters: MeterTable,
    uuid: Uint8Array,
  ) {
    this.spec = spec
    this.index = index
    this.fdb = fdb
    this.tables = tables
    this.groups = groups
    this.meters = meters
    this.uuid = uuid
  }

  /** The port with an OpenFlow number. */
  portByNumber(ofport: number): SwitchPort | undefined {
    const port = this.ports[this.#placeOf(ofport)]
    return port?.ofport === ofport ? port : undefined
  }

  /** The lowest OpenFlow number that no port has. */
  freeNumber(): number {
    const { ports } = this
    // As many ports as numbers up to the last one's: none is free among them.
    let low = 0
    let high = ports.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ports[middle].ofport === middle + 1) low = middle + 1
      else high = middle
    }
    return low + 1
  }

  addPort(port: SwitchPort): void {
    this.ports.splice(this.#placeOf(port.ofport), 0, port)
  }

  /** Index of the first port with this number or a higher one. */
  #placeOf(ofport: number): number {
    const { ports } = this
    let low = 0
    let high = ports.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ports[middle].ofport < ofport) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Datapath port numbers are below this. */
export const MAX_PORTS = 65_536

export class Topology {
  readonly bridges = new Map<string, Bridge>()
  /** By index; an index is never used again. */
  readonly bridgesByIndex: (Bridge | undefined)[] = []
  readonly portsByName = new Map<string, SwitchPort>()
  /** By datapath port number. */
  readonly ports: (SwitchPort | undefined)[] = new Array(MAX_PORTS).fill(undefined)

  /** Connection tracking of ct(). */
  readonly tracker: ConnectionTracker
  readonly packetIns: KeptValues<PacketInTemplate>
  readonly frozen: KeptValues<FrozenState>

  constructor(
    tracker: ConnectionTracker,
    packetIns: KeptValues<PacketInTemplate>,
    frozen: KeptValues<FrozenState>,
  ) {
    this.tracker = tracker
    this.packetIns = packetIns
    this.frozen = frozen
  }

  port(portNo: number): SwitchPort | undefined {
    return this.ports[portNo]
  }
}
