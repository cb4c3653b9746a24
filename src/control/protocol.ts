/**
 * What is said on the control socket `<rundir>/vswitchd-ts.ctl`, a Unix stream socket. A request is one line
 * of JSON, `{"method": …, "params": {…}, "id": …}`; the answer is one line with the same id, and `result` or
 * `error` (the other is null), as in JSON-RPC 1.0. Requests of one connection are answered in their order.
 *
 * `capture` is different: after its answer the connection carries the bytes of a pcapng file until either
 * side closes it.
 *
 * Addresses are texts, as people write them; counters are numbers since the port was made; rates are per
 * second, over the last second.
 */
import type { VlanSettings } from '../../engine/dpif.ts'
import type { ConfigInput } from '../config/schema.ts'

export const SOCKET_NAME = 'vswitchd-ts.ctl'
/** A longer request is refused and its connection closed. */
export const MAX_REQUEST_BYTES = 1024 * 1024

export interface Request {
  readonly method: string
  readonly params: unknown
  readonly id: number | string | null
}

export interface ResponseError {
  /** Exit code of the command that asked (cli/exit-codes.ts). */
  readonly code: number
  readonly message: string
  readonly hint?: string
}

export type Response =
  | { readonly result: unknown; readonly error: null; readonly id: Request['id'] }
  | { readonly result: null; readonly error: ResponseError; readonly id: Request['id'] }

/** The number, in OVSDB as here, of the port that has its bridge's name. */
export const OFPORT_LOCAL = 65534

export interface PortRow {
  readonly name: string
  readonly bridge: string
  readonly ofport: number
  readonly kind: 'tap' | 'system' | 'internal' | 'patch' | 'host' | 'router' | 'memory'
  /** Name of the Linux interface, where there is one in the machine's own namespace. */
  readonly device?: string
  /** Host or router it belongs to, and which interface of it. */
  readonly owner?: string
  readonly interface?: string
  readonly link: 'up' | 'down' | 'gone'
  readonly vlan: VlanSettings
  readonly rxPackets: number
  readonly rxBytes: number
  readonly rxErrors: number
  readonly rxDropped: number
  readonly txPackets: number
  readonly txBytes: number
  readonly txErrors: number
  readonly txDropped: number
  readonly rxPacketRate: number
  /** Bits. */
  readonly rxBitRate: number
  readonly txPacketRate: number
  /** Bits. */
  readonly txBitRate: number
}

export interface BridgeRow {
  readonly name: string
  readonly datapathId: string
  /** Address of the machine itself on the bridge. */
  readonly address?: string
  readonly ports: number
}

export interface Status {
  readonly pid: number
  readonly version: string
  /** The file it was started with; null for none. */
  readonly config: string | null
  /** Seconds. */
  readonly uptime: number
  readonly bridges: readonly BridgeRow[]
  readonly ports: readonly PortRow[]
  /** Packets dropped, by reason (engine/drops.ts). */
  readonly drops: Readonly<Record<string, number>>
  readonly datapath: {
    readonly emcHits: number
    readonly megaflowHits: number
    readonly upcalls: number
    readonly flows: number
    readonly masks: number
    readonly connections: number
    readonly cells: number
    readonly cellsFree: number
  }
}

export interface FdbEntry {
  readonly bridge: string
  readonly port: string
  readonly ofport: number
  readonly vlan: number
  readonly mac: string
  /** Seconds; -1 for a static entry. */
  readonly age: number
}

export interface ArpEntry {
  readonly router: string
  readonly interface: string
  readonly address: string
  readonly mac: string | null
  readonly state: 'incomplete' | 'reachable' | 'stale' | 'probe' | 'failed'
  /** Seconds. */
  readonly age: number
}

export interface RouteEntry {
  readonly router: string
  readonly destination: string
  /** null for the subnet of an interface. */
  readonly via: string | null
  readonly interface: string
  readonly metric: number
}

export interface NatEntry {
  readonly router: string
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  readonly state: string
  /** Seconds. */
  readonly expires: number
  /** "address:port" (ICMP: "address:identifier") as the first packet had it. */
  readonly source: string
  readonly destination: string
  /** The same as answers have it. */
  readonly replySource: string
  readonly replyDestination: string
}

export interface LeaseEntry {
  readonly router: string
  readonly interface: string
  readonly address: string
  readonly mac: string | null
  readonly clientId: string | null
  readonly hostname: string | null
  readonly state: 'offered' | 'bound' | 'released' | 'expired' | 'declined'
  /** ISO 8601 in UTC; null for never. */
  readonly expires: string | null
}

export interface FlowEntry {
  /** In the words of ovs-dpctl(8) dump-flows. */
  readonly match: string
  readonly actions: string
  readonly packets: number
  readonly bytes: number
  /** Seconds since the last packet; null for never. */
  readonly used: number | null
}

/** A queue of a port that shapes (engine/dpif-qos.ts). Rates are bits a second, the burst is bits. */
export interface QueueEntry {
  readonly bridge: string
  readonly port: string
  readonly queue: number
  readonly minRate: number
  readonly maxRate: number
  readonly burst: number
  readonly priority: number
  readonly txPackets: number
  readonly txBytes: number
  /** Dropped. */
  readonly txErrors: number
  /** Frames that wait now. */
  readonly waiting: number
  readonly waitingBytes: number
}

export interface ReloadResult {
  /** What was done, one line each; empty when nothing had changed. */
  readonly steps: readonly string[]
}

export interface CaptureParams {
  /** Name of a port, "HOST" or "HOST:INTERFACE" (of a router as well). */
  readonly target: string
  /** Ends after so many frames. */
  readonly count?: number
  /** Bytes kept of each frame. */
  readonly snaplen?: number
}

export interface TraceParams {
  readonly bridge: string
  /** What arrives, in the words of ovs-ofctl(8): `in_port=1,tcp,nw_dst=10.0.0.1`. */
  readonly flow: string
  /** A frame in hexadecimal that arrives instead; the flow then says by which port. */
  readonly packet?: string
}

/** Every method with its parameters and its result. */
export interface Methods {
  status: { params: Record<string, never>; result: Status }
  stop: { params: Record<string, never>; result: { readonly pid: number } }
  /** Without a path the file it was started with is read again. */
  reload: { params: { readonly config?: string }; result: ReloadResult }
  /** A configuration that starts the present network again. */
  export: { params: Record<string, never>; result: ConfigInput }
  fdb: { params: Record<string, never>; result: readonly FdbEntry[] }
  arp: { params: Record<string, never>; result: readonly ArpEntry[] }
  routes: { params: Record<string, never>; result: readonly RouteEntry[] }
  nat: { params: Record<string, never>; result: readonly NatEntry[] }
  leases: { params: Record<string, never>; result: readonly LeaseEntry[] }
  flows: { params: Record<string, never>; result: readonly FlowEntry[] }
  queues: { params: Record<string, never>; result: readonly QueueEntry[] }
  /** What a bridge would do with a packet, step by step; one text a line. */
  trace: { params: TraceParams; result: readonly string[] }
}

/** Methods whose answer is followed by bytes. */
export interface Streams {
  capture: { params: CaptureParams; result: { readonly ports: readonly string[] } }
}

export type MethodName = keyof Methods
export type StreamName = keyof Streams
