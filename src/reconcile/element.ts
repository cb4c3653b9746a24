import type { BridgeSpec, PortSpec, RouterSpec } from '../../engine/dpif.ts'
import type { DhcpServerConfig } from '../../protocols/dhcp/config.ts'
import type { Prefix } from '../../protocols/wire/ipv4.ts'
import type { BridgeIpfix, Openflow } from '../config/network.ts'
import type { TlsFiles } from '../net/stream.ts'

/**
 * The pieces a network is made of, each one thing that can be made, changed and taken away by itself. Plain
 * data: two of one key can be compared, kept, and put back.
 *
 * `namespace` is undefined for the machine's own.
 */
export type Element = Common &
  (
    | { readonly kind: 'bridge'; readonly spec: BridgeSpec; readonly openflow: OpenflowSpec }
    | { readonly kind: 'router'; readonly spec: RouterSpec }
    | { readonly kind: 'namespace'; readonly name: string; readonly loopback: boolean }
    /** A port without a network interface that we would configure: patch, router, system. */
    | {
        readonly kind: 'port'
        readonly spec: PortSpec
        /** That the device of a system port is given. */
        readonly mtu?: number
      }
    /** A TAP port, and the interface that the kernel sees at its other end, up, at its place. */
    | {
        readonly kind: 'interface'
        readonly spec: PortSpec
        readonly namespace: string | undefined
        readonly device: string
        readonly mac: number
        readonly mtu: number
      }
    /** Addresses and routes of a system port's device that stand on an internal port of its bridge. */
    | {
        readonly kind: 'uplink'
        readonly device: string
        readonly internal: string
        /** All of the device's addresses, or only those that are claimed. */
        readonly all: boolean
        readonly claims: readonly Prefix[]
      }
    | {
        readonly kind: 'address'
        readonly namespace: string | undefined
        readonly device: string
        readonly address: Prefix
      }
    | {
        readonly kind: 'route'
        readonly namespace: string
        readonly to: Prefix
        readonly via: number
      }
    | { readonly kind: 'resolver'; readonly namespace: string; readonly servers: readonly number[] }
    | { readonly kind: 'dhcp-server'; readonly server: DhcpServerSpec }
    | { readonly kind: 'dhcp-client'; readonly client: DhcpClientSpec }
    | { readonly kind: 'ipfix'; readonly spec: IpfixSpec }
  )

interface Common {
  /** Elements of one key are the same thing in two states. */
  readonly key: string
  /** In a few words, for the person who watches. */
  readonly title: string
  /** Keys of elements that take this one with them when they go. */
  readonly needs: readonly string[]
}

export type ElementOf<Kind extends Element['kind']> = Extract<Element, { kind: Kind }>

/** How a bridge is programmed. */
export interface OpenflowSpec extends Openflow {
  readonly bridge: string
  /** 16 hexadecimal digits. */
  readonly datapathId: string
  readonly ssl?: TlsFiles
}

/** What is exported of a bridge. */
export interface IpfixSpec extends BridgeIpfix {
  readonly bridge: string
}

export interface DhcpServerSpec {
  readonly router: string
  readonly interface: string
  readonly mac: number
  readonly config: DhcpServerConfig
}

export interface DhcpClientSpec {
  readonly host: string
  readonly interface: string
  readonly mac: number
  /** Routes of the host that cannot be set before the lease says where the interface is. */
  readonly routes: readonly { readonly to: Prefix; readonly via: number }[]
  /** Whether the lease's name servers become the host's; not when the configuration names some. */
  readonly resolver: boolean
}
