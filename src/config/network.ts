import type { RouterInterfaceSpec, RouterSpec, VlanSettings } from '../../engine/dpif.ts'
import type { DhcpServerConfig } from '../../protocols/dhcp/config.ts'
import type { Prefix } from '../../protocols/wire/ipv4.ts'
import type { TlsFiles } from '../net/stream.ts'
import type { QosSettings } from './qos.ts'

/**
 * The network that is wanted, as plain readonly values: what a configuration file says, with addresses as
 * numbers and every default filled in. Two of them can be compared element by element; the key of an element
 * is its name (of an interface, its name within its host or router).
 *
 * IPv4 addresses are unsigned 32-bit numbers, MAC addresses 48-bit ones, times are seconds where they are a
 * bridge's or a lease's, milliseconds where the dataplane's own types (engine/dpif.ts) are used.
 */
export interface Network {
  readonly bridges: readonly Bridge[]
  readonly hosts: readonly Host[]
  readonly routers: readonly Router[]
  /** Keys for OpenFlow over TLS; absolute paths. */
  readonly ssl?: TlsFiles
}

export interface Bridge {
  readonly name: string
  /** OpenFlow datapath id, 16 hexadecimal digits. */
  readonly datapathId: string
  /**
   * The device of the same name in the machine's own namespace; undefined when the machine takes no part in
   * the network. `address` is undefined when the address is moved here from a system port.
   */
  readonly internal: Internal | undefined
  readonly mac: number
  /** Addresses remembered at the most. */
  readonly macTableSize: number
  /** Seconds. */
  readonly agingTime: number
  readonly forwardBpdu: boolean
  readonly openflow: Openflow
  /** Undefined: nothing is reported on. */
  readonly ipfix: BridgeIpfix | undefined
  /** Ports given by name; those of hosts, routers and the internal one are not among them. */
  readonly ports: readonly Port[]
}

/** The machine's own port on a bridge. */
export interface Internal extends QosSettings {
  readonly address: Prefix | undefined
  readonly mtu: number
  readonly vlan: VlanSettings
}

/** A process that exports flow records to IPFIX collectors, as in the IPFIX table of ovs-vswitchd.conf.db(5). */
export interface IpfixProcess {
  /** As in src/services/collector-address.ts; at least one. */
  readonly targets: readonly string[]
  /** Seconds. */
  readonly cacheActiveTimeout: number
  readonly cacheMaxFlows: number
  readonly virtualObsId?: string
}

export interface BridgeIpfix {
  /** Of all packets that come in and go out. */
  readonly all?: IpfixProcess & {
    /** One packet in so many. */
    readonly sampling: number
    readonly obsDomainId: number
    readonly obsPointId: number
    readonly input: boolean
    readonly output: boolean
  }
  /** Of packets that flows sample, by the number that they give. */
  readonly sets: readonly (IpfixProcess & { readonly id: number })[]
}

/** Who may program a bridge, and what it does when nobody does. */
export interface Openflow {
  readonly controllers: readonly ControllerTarget[]
  /** Be a learning switch when no controller can be reached, or drop what no flow matches. */
  readonly failMode: 'standalone' | 'secure'
  /** 1 << version (protocols/openflow/version.ts) of each that is spoken. */
  readonly versions: number
  /** In the order of their numbers. */
  readonly flowTables: readonly FlowTableSettings[]
}

/** What is set of a flow table, as in the Flow_Table table of ovs-vswitchd.conf.db(5). */
export interface FlowTableSettings {
  /** 0 to 253. */
  readonly table: number
  /** Empty: OpenFlow may name it. */
  readonly name: string
  /** Rules it may have; undefined for no limit. */
  readonly flowLimit: number | undefined
  /** A rule too many takes the place of another; or it is refused. */
  readonly evicts: boolean
  /** Fields, as ovs-actions(7) names them, by which rules are in groups of which the largest makes room. */
  readonly groups: readonly string[]
}

/** A controller, as in the Controller table of ovs-vswitchd.conf.db(5). */
export interface ControllerTarget {
  /** As in src/openflow/address.ts. */
  readonly target: string
  /** Milliseconds between attempts to connect, at the most. */
  readonly maxBackoff: number
  /** Milliseconds of silence after which it is asked whether it is there; 0 for never. */
  readonly inactivityProbe: number
  /** Packet-ins a second, and how many may come at once; 0 for no limit. */
  readonly rateLimit: number
  readonly burstLimit: number
  /** Of what is sent to it, 0 to 63. */
  readonly dscp: number
}

interface PortCommon extends QosSettings {
  /** Unique in the network. */
  readonly name: string
  readonly vlan: VlanSettings
  /** Requested OpenFlow port number. */
  readonly ofport?: number
}

export type Port = PortCommon &
  (
    | { readonly type: 'tap'; readonly device: string; readonly mac: number; readonly mtu: number }
    | {
        readonly type: 'internal'
        readonly device: string
        readonly mac: number
        readonly mtu: number
        readonly address: Prefix | undefined
      }
    | {
        readonly type: 'system'
        readonly device: string
        /** Addresses and routes of the device stand on the bridge's internal port while the switch runs. */
        readonly moveAddress: boolean
        /** Undefined: the device keeps what it has. */
        readonly mtu?: number
      }
    | { readonly type: 'patch'; readonly peer: string }
    /** A device in memory only, for tests. */
    | { readonly type: 'dummy'; readonly mac: number }
  )

export interface Host {
  /** Also the name of its network namespace. */
  readonly name: string
  readonly loopback: boolean
  /** On the loopback interface. */
  readonly addresses: readonly Prefix[]
  readonly interfaces: readonly HostInterface[]
  readonly routes: readonly HostRoute[]
  readonly dns: readonly number[]
}

export interface HostInterface extends QosSettings {
  readonly name: string
  readonly bridge: string
  /** Name of its port on the bridge; unique in the network. */
  readonly port: string
  readonly vlan: VlanSettings
  readonly mac: number
  readonly mtu: number
  readonly addressing: 'static' | 'dhcp' | 'none'
  /** Of `static` only. */
  readonly addresses: readonly Prefix[]
  readonly gateway: number | undefined
}

export interface HostRoute {
  /** Without host bits. */
  readonly to: Prefix
  readonly via: number
}

export interface Router extends RouterSpec {
  readonly interfaces: readonly RouterInterface[]
}

export interface RouterInterface extends RouterInterfaceSpec {
  readonly bridge: string
  /** Name of its port on the bridge; unique in the network. */
  readonly port: string
  readonly vlan: VlanSettings
  readonly dhcp: DhcpServerConfig | undefined
}

/** Name of the port by which the interface of a host or router is plugged into its bridge. */
export function attachmentPort(owner: string, iface: string): string {
  return `${owner}.${iface}`
}
