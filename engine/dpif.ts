/**
 * The one door between control and dataplane.
 *
 * Problem: control code (configuration, OVSDB, OpenFlow, DHCP, the command line) lives on the main thread and
 * thinks in names and whole objects; the dataplane owns every table a packet needs, runs on a thread of its
 * own and must never wait. They meet only here: commands go in and are answered, events come out.
 *
 * Every command is idempotent: `put` makes a thing what its spec says, whether it existed or not, and keeps
 * what did not change (learned addresses, neighbours, connections, counters); `delete` of what is not there
 * is no error. That makes the inverse of a step obvious: put the old spec, or delete.
 *
 * All values are plain data (structured clone carries them between threads). A command that cannot be done
 * rejects with a `DpifError` and leaves the dataplane as it was.
 *
 * IPv4 addresses are unsigned 32-bit numbers, MAC addresses 48-bit numbers, times are `Instant`s.
 */
import type { FlowRemoved } from '../protocols/openflow/flow-removed.ts'
import type { TableStatus } from '../protocols/openflow/table-mod.ts'
import type { Duration, Instant } from '../protocols/time.ts'
import { CONNTRACK_COMMANDS, type ConntrackCommands } from './dpif-conntrack.ts'
import { type DatapathStats, INSPECTION_COMMANDS, type InspectionCommands } from './dpif-inspection.ts'
import { type FlowChangesEvent, OPENFLOW_COMMANDS, type OpenflowCommands } from './dpif-openflow.ts'
import { type PacketInEvent, PIPELINE_COMMANDS, type PipelineCommands } from './dpif-pipeline.ts'
import { type IngressPolicingSpec, QOS_COMMANDS, type QosCommands, type QosSpec } from './dpif-qos.ts'
import { SAMPLING_COMMANDS, type SamplesEvent, type SamplingCommands } from './dpif-sampling.ts'
import type { FlowModDoor } from './flow-mods/stream.ts'

/** What a port does with VLANs; the meanings are those of the `Port` table in ovs-vswitchd.conf.db(5). */
export interface VlanSettings {
  readonly mode: 'access' | 'trunk' | 'native-tagged' | 'native-untagged' | 'dot1q-tunnel'
  /** Access or native VLAN, 0–4095; 0 with `access` means untagged traffic of no VLAN. */
  readonly tag: number
  /** VLANs carried; empty for all. */
  readonly trunks: readonly number[]
  /** dot1q-tunnel: customer VLANs accepted; empty for all. */
  readonly cvlans: readonly number[]
  /** Output of frames of VLAN 0: never, if nonzero priority, or always with an 802.1p header. */
  readonly priorityTags: 'no' | 'if-nonzero' | 'always'
  /** dot1q-tunnel: TPID of the service tag. */
  readonly qinqEthertype: '802.1ad' | '802.1q'
}

/** A port that is nobody's member of any VLAN in particular: a trunk of all of them. */
export const TRUNK_ALL: VlanSettings = {
  mode: 'trunk',
  tag: 0,
  trunks: [],
  cvlans: [],
  priorityTags: 'no',
  qinqEthertype: '802.1ad',
}

export interface BridgeSpec {
  readonly name: string
  /** Seconds after which an address that is not heard of is forgotten (mac-aging-time). */
  readonly agingTime: number
  /** Addresses remembered at the most (mac-table-size). */
  readonly macTableSize: number
  /** Whether frames to 01:80:C2:00:00:0X are forwarded (other_config:forward-bpdu). */
  readonly forwardBpdu: boolean
  /**
   * What the bridge does before anybody programs it: be a learning switch (standalone, the default), or drop
   * every packet (secure). Of no effect on a bridge that is there; `flowFlush` begins anew.
   */
  readonly failMode?: 'standalone' | 'secure'
}

/** Where a port's frames go. Only the first three are devices; the others are walked by the translation. */
export type PortKind =
  /** A TAP this command creates, in the namespace the dataplane runs in; who asked moves it on. */
  | { readonly type: 'tap'; readonly device: string; readonly mtu: number; readonly mac: number }
  /** An existing interface, by AF_PACKET. */
  | { readonly type: 'system'; readonly device: string }
  /** A port in memory, attached by simulations under this key. */
  | { readonly type: 'memory'; readonly key: string }
  /** The other end is the patch port of that name on any bridge; frames pass while both exist. */
  | { readonly type: 'patch'; readonly peer: string }
  /** An interface of a router. */
  | { readonly type: 'router'; readonly router: string; readonly interface: string }

export interface PortSpec {
  /** Unique in the datapath. */
  readonly name: string
  readonly bridge: string
  /** Requested OpenFlow port number, or undefined for the next free one. */
  readonly ofport?: number
  readonly vlan: VlanSettings
  readonly kind: PortKind
  /** Of devices only, as is `ingressPolicing`. A change loses no waiting frame. */
  readonly qos?: QosSpec
  readonly ingressPolicing?: IngressPolicingSpec
}

export interface RouterInterfaceSpec {
  readonly name: string
  readonly mac: number
  readonly mtu: number
  readonly addresses: readonly { readonly address: number; readonly prefixLength: number }[]
  /** UDP ports whose datagrams (to us or broadcast) go up as `service` events, e.g. 67. */
  readonly services: readonly number[]
}

export interface RouteSpec {
  readonly prefix: number
  readonly prefixLength: number
  /** Next hop; must be on the subnet of one of the interfaces. */
  readonly via: number
  readonly metric: number
}

export interface AddressRange {
  readonly first: number
  readonly last: number
}

export interface PrefixSpec {
  readonly prefix: number
  readonly prefixLength: number
}

/** RFC 4787 §5: who may send to a mapping. */
export type NatFiltering = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent'

export type NatRuleSpec =
  | {
      readonly type: 'snat' | 'masquerade'
      readonly source?: PrefixSpec
      readonly notSource?: PrefixSpec
      readonly destination?: PrefixSpec
      readonly notDestination?: PrefixSpec
      /** Only for what leaves by this interface. */
      readonly outInterface?: string
      readonly protocol?: 'tcp' | 'udp' | 'icmp'
      /** snat: the external addresses; masquerade: empty, the address of the interface it leaves by. */
      readonly to: readonly AddressRange[]
      /** External ports that may be used. */
      readonly ports: { readonly first: number; readonly last: number }
      readonly filtering: NatFiltering
    }
  | {
      readonly type: 'dnat'
      readonly protocol?: 'tcp' | 'udp' | 'icmp'
      /** Address (and for TCP and UDP ports) the packet was sent to. */
      readonly address: number
      readonly ports?: { readonly first: number; readonly last: number }
      readonly inInterface?: string
      readonly to: number
      /** First port on the inside; consecutive ports follow. Undefined keeps the port. */
      readonly toPort?: number
    }

/** Spans of the connection tracker, milliseconds. RFC 4787 REQ-5, RFC 5382 REQ-5, RFC 5508 REQ-2. */
export interface ConntrackTimeouts {
  readonly tcpEstablished: Duration
  readonly tcpTransitory: Duration
  readonly udp: Duration
  readonly icmp: Duration
}

export interface RouterSpec {
  readonly name: string
  readonly interfaces: readonly RouterInterfaceSpec[]
  readonly routes: readonly RouteSpec[]
  readonly nat: readonly NatRuleSpec[]
  /** Send ICMP redirects; off by default. */
  readonly redirects: boolean
  /** ICMP errors sent at the most, per second. */
  readonly icmpErrorRate: number
  /** Connections tracked at the most. */
  readonly maxConnections: number
  /** Protocols whose payload NAT reads, so that the connections it announces pass. */
  readonly helpers: readonly ('ftp' | 'tftp')[]
  readonly timeouts: ConntrackTimeouts
}

/** One page of a long table; ask again with `next` until it is undefined. */
export interface Page<Row> {
  readonly rows: Row[]
  readonly next: number | undefined
}

export interface PortStatus {
  readonly name: string
  readonly bridge: string
  readonly ofport: number
  /** Datapath port number: in_port of flow keys. */
  readonly portNo: number
  readonly type: PortKind['type']
  /** Of a patch port. */
  readonly peer?: string
  readonly link: 'up' | 'down' | 'gone'
  /** Counters by STAT_NAMES. */
  readonly stats: Record<string, number>
}

/** By STAT_NAMES, port after port. */
export interface PortCountersPage extends Omit<Page<never>, 'rows'> {
  readonly names: readonly string[]
  readonly counters: Float64Array
}

export interface FdbRow {
  readonly bridge: string
  readonly port: string
  readonly ofport: number
  readonly vlan: number
  readonly mac: number
  /** Seconds since it was last heard of; -1 for a static entry. */
  readonly age: number
}

export interface NeighborRow {
  readonly router: string
  readonly interface: string
  readonly address: number
  readonly mac: number | undefined
  readonly state: 'incomplete' | 'reachable' | 'stale' | 'probe' | 'failed'
  /** Seconds since it was last confirmed. */
  readonly age: number
}

export interface RouteRow {
  readonly router: string
  readonly prefix: number
  readonly prefixLength: number
  readonly via: number | undefined
  readonly interface: string
  readonly metric: number
}

export interface ConnectionRow {
  readonly router: string
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  /** TCP: the state's name; others: UNREPLIED or ASSURED. */
  readonly state: string
  /** Seconds until it is forgotten. */
  readonly expires: number
  /** As the first packet had it: source, destination (ICMP: both ports hold the identifier). */
  readonly original: readonly [
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
  ]
  /** As answers have it. */
  readonly reply: readonly [source: number, sourcePort: number, destination: number, destinationPort: number]
}

/** What the dataplane does when asked. `Dpif` is the same seen from the other side of the door. */
export interface DpifCommands
  extends ConntrackCommands,
    InspectionCommands,
    OpenflowCommands,
    PipelineCommands,
    QosCommands,
    SamplingCommands {
  bridgePut(spec: BridgeSpec): void
  bridgeDelete(name: string): void
  /** Answers the ofport and datapath port number given. */
  portPut(spec: PortSpec): { ofport: number; portNo: number }
  portDelete(name: string): void
  /** Sets what OpenFlow's port-mod may set: PC_* bits (protocols/openflow/port-desc.ts). */
  portConfig(name: string, config: number): void
  /** Interfaces are reached once a port of kind `router` names them. */
  routerPut(spec: RouterSpec): void
  routerDelete(name: string): void

  /** Sends a frame out of a port of a bridge. */
  portOutput(port: string, frame: Uint8Array): void
  /**
   * Sends a whole Ethernet frame out of a router's interface into its bridge. Services do so by the thousand: across
   * threads this is answered when the frame is on its way, and what cannot be sent after that is counted as dropped.
   */
  routerOutput(router: string, iface: string, frame: Uint8Array): void
  /** Routes an IPv4 datagram of the router's own (next hop resolved, fragmented if need be). Answered likewise. */
  routerSend(router: string, datagram: Uint8Array): void
  /** Probes by ARP whether an address is in use on an interface (RFC 5227 §2.1); ends in a `probe` event. */
  routerProbe(router: string, iface: string, address: number): void

  /** @param names of those that are asked for, of which some may not be there; all if not given */
  ports(names?: readonly string[]): PortStatus[]
  /** From a datapath number on. */
  portCounters(from: number): PortCountersPage
  stats(): DatapathStats
  fdb(bridge: string, from: number): Page<FdbRow>
  fdbFlush(bridge: string): void
  neighbors(router: string): NeighborRow[]
  routes(router: string): RouteRow[]
  connections(router: string, from: number): Page<ConnectionRow>
  connectionsFlush(router: string): void

  /** Begins to report the frames of a port as `capture` events; at most `snaplen` bytes of each. */
  captureStart(port: string, snaplen: number): void
  captureStop(port: string): void
}

/** Every command, for transports that carry them by name. */
export const DPIF_COMMANDS = [
  ...CONNTRACK_COMMANDS,
  ...INSPECTION_COMMANDS,
  ...OPENFLOW_COMMANDS,
  ...PIPELINE_COMMANDS,
  ...QOS_COMMANDS,
  ...SAMPLING_COMMANDS,
  'bridgePut',
  'bridgeDelete',
  'portPut',
  'portCounters',
  'portDelete',
  'portConfig',
  'routerPut',
  'routerDelete',
  'portOutput',
  'routerOutput',
  'routerSend',
  'routerProbe',
  'ports',
  'stats',
  'fdb',
  'fdbFlush',
  'neighbors',
  'routes',
  'connections',
  'connectionsFlush',
  'captureStart',
  'captureStop',
] as const satisfies readonly (keyof DpifCommands)[]

/** A frame seen by a capture. */
export interface CapturedFrame {
  readonly time: Instant
  /** Seen from the switch: received from the device, or sent to it. */
  readonly direction: 'in' | 'out'
  readonly frame: Uint8Array
  readonly originalLength: number
  /** Why the switch dropped it, for a frame that it did not pass on. */
  readonly dropped?: string
}

export type DpifEvent =
  | PacketInEvent
  | FlowChangesEvent
  | SamplesEvent
  /**
   * A datagram for a service behind a router's interface: the whole Ethernet frame, untagged. Its bytes are the
   * listeners' only until they return.
   */
  | {
      readonly type: 'service'
      readonly router: string
      readonly interface: string
      readonly frame: Uint8Array
    }
  | {
      readonly type: 'probe'
      readonly router: string
      readonly interface: string
      readonly address: number
      readonly inUse: boolean
    }
  | { readonly type: 'link'; readonly port: string; readonly state: 'up' | 'down' | 'gone' }
  | {
      readonly type: 'capture'
      readonly port: string
      readonly frames: CapturedFrame[]
      readonly lost: number
    }
  /** A rule with FF_SEND_FLOW_REM is gone. */
  | { readonly type: 'flow-removed'; readonly bridge: string; readonly removed: FlowRemoved }
  | { readonly type: 'table-status'; readonly bridge: string; readonly status: TableStatus }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
    }

/** The control side of the door. */
export type Dpif = {
  [Name in keyof DpifCommands]: (
    ...args: Parameters<DpifCommands[Name]>
  ) => Promise<Awaited<ReturnType<DpifCommands[Name]>>>
} & FlowModDoor & {
    /** Called with every event, in order, until the door is closed. */
    onEvent(listener: (event: DpifEvent) => void): void
    /** Closes every port and ends the dataplane. Idempotent. */
    close(): Promise<void>
  }

/** Codes of refused commands. */
export type DpifErrorCode = 'EEXIST' | 'ENOENT' | 'EINVAL' | 'ENODEV' | 'EPERM' | 'EBUSY' | 'ENOSPC' | 'EIO'

/** A command that could not be done, and why, in one sentence. */
export class DpifError extends Error {
  readonly code: DpifErrorCode
  constructor(code: DpifErrorCode, message: string) {
    super(message)
    this.name = 'DpifError'
    this.code = code
  }
}
