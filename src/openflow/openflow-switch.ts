/**
 * A bridge as its OpenFlow clients see it: who is connected, what they ask, and what they are told without asking.
 */
import type { Duplex } from 'node:stream'
import type { Dpif, DpifEvent } from '../../engine/dpif.ts'
import type { AsyncType } from '../../protocols/openflow/async-config.ts'
import { FLOW_REMOVED_REASONS, type FlowRemoved } from '../../protocols/openflow/flow-removed.ts'
import type { IpfixStats } from '../../protocols/openflow/ipfix.ts'
import type { Message, MessageBodies, MessageType } from '../../protocols/openflow/message.ts'
import { formByName } from '../../protocols/openflow/message-forms.ts'
import type { PortMod } from '../../protocols/openflow/port-mod.ts'
import { PORT_STATUS_REASONS, type PortStatus } from '../../protocols/openflow/port-status.ts'
import type { RequestForward } from '../../protocols/openflow/requestforward.ts'
import type { Role } from '../../protocols/openflow/role.ts'
import type { FragmentHandling } from '../../protocols/openflow/switch-config.ts'
import { OF10, OF15 } from '../../protocols/openflow/version.ts'
import type { ControllerTarget } from '../config/network.ts'
import type { Clock } from '../services/scheduler.ts'
import { Connection } from './connection.ts'
import type { ConnectionKind } from './connection-state.ts'
import { FlowMonitors } from './flow-monitors.ts'
import { flowMods } from './handlers/flows.ts'
import type { Handler, Outcome } from './handlers/handler.ts'
import { HANDLERS } from './handlers/handlers.ts'
import { PacketIns } from './packet-ins.ts'
import type { SwitchPorts } from './ports.ts'
import { Roles } from './roles.ts'
import { Snoopers } from './snoopers.ts'

/** Who knows what is exported of bridges. */
export interface IpfixSource {
  /** Undefined when nothing is. */
  bridgeStats(bridge: string): IpfixStats | undefined
  flowStats(bridge: string): IpfixStats[]
}

export interface SwitchOptions {
  readonly dpif: Dpif
  readonly bridge: string
  readonly datapathId: bigint
  /** 1 << version of those that are spoken. */
  readonly versions: number
  readonly clock: Clock
  readonly ports: SwitchPorts
  readonly ipfix: IpfixSource
  /** Of the program, for the description. */
  readonly version: string
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void
}

export interface Admission {
  readonly duplex: Duplex
  readonly kind: ConnectionKind
  readonly peer: string
  /** Of controllers and who connects in their place. */
  readonly limits?: ControllerTarget | undefined
  readonly onReady?: () => void
  readonly onClose?: (reason: string) => void
}

/** Messages by which a connection changes what it is sent. */
const SETTINGS: ReadonlySet<MessageType> = new Set<MessageType>([
  'SET_CONFIG',
  'ROLE_REQUEST',
  'SET_ASYNC_CONFIG',
  'SET_CONTROLLER_ID',
])

/** Reasons of table-status messages by their names (OFPTR_*). */
const TABLE_STATUS_REASONS = { vacancy_down: 3, vacancy_up: 4 } as const

export class OpenflowSwitch {
  readonly bridge: string
  readonly dpif: Dpif
  readonly ports: SwitchPorts
  readonly roles = new Roles()
  readonly monitors: FlowMonitors
  readonly version: string
  readonly ipfix: IpfixSource
  #datapathId: bigint
  #versions: number
  #frag: FragmentHandling = 'normal'
  readonly #options: SwitchOptions
  readonly #connections = new Set<Connection>()
  readonly #snoopers = new Snoopers()
  readonly #packetIns: PacketIns
  #missesWanted = false
  #refreshing: Promise<void> | undefined
  /** Names of ports to be looked at, with what became of which being told. */
  #stale = new Set<string>()
  #allStale = false

  constructor(options: SwitchOptions) {
    this.#options = options
    this.bridge = options.bridge
    this.dpif = options.dpif
    this.version = options.version
    this.ipfix = options.ipfix
    this.#datapathId = options.datapathId
    this.#versions = options.versions
    const { dpif, bridge, clock } = options
    this.#packetIns = new PacketIns(clock)
    this.monitors = new FlowMonitors(dpif, bridge)
    this.ports = options.ports
  }

  get datapathId(): bigint {
    return this.#datapathId
  }

  /** What tables see of fragments. */
  get frag(): FragmentHandling {
    return this.#frag
  }

  /** As in Open vSwitch nobody puts them together for the tables: asking for that changes nothing. */
  async setFragments(handling: FragmentHandling): Promise<void> {
    if (handling === 'reassemble' || handling === this.#frag) return
    await this.dpif.fragments(this.bridge, handling)
    this.#frag = handling
  }

  /** Who is connected under another id or by a version that is no longer spoken must begin anew. */
  configure(datapathId: bigint, versions: number): void {
    const renamed = datapathId !== this.#datapathId
    this.#datapathId = datapathId
    this.#versions = versions
    for (const c of [...this.#connections]) {
      const spoken = c.version === undefined || (versions & (1 << c.version)) !== 0
      if (renamed || !spoken) c.close('the configuration has changed')
    }
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections
  }

  /** Speaks OpenFlow on a stream until either side ends it. */
  admit({ duplex, kind, peer, limits, onReady, onClose }: Admission): Connection {
    const connection = new Connection({
      duplex,
      clock: this.#options.clock,
      kind,
      peer,
      versions: this.#versions,
      inactivityProbe: limits?.inactivityProbe ?? 0,
      handle: (c, message, bytes) => this.#handle(c, message, bytes),
      handsOver: (c) => c.state.role !== 'secondary' && !this.monitors.watched,
      openFlowMods: (onRefused) => this.dpif.openFlowMods(this.bridge, onRefused),
      handleFlowMods: (c, mods) => flowMods(this, c, mods),
      onReady: () => {
        this.#settingsChanged()
        onReady?.()
      },
      onClose: (c, reason) => {
        this.#connections.delete(c)
        this.#packetIns.close(c)
        this.monitors.close(c)
        this.#settingsChanged()
        onClose?.(reason)
      },
      onMessage: (bytes) => {
        if (kind === 'controller') this.#snoopers.tell(bytes)
      },
      onMistake: (error) =>
        this.#options.log('error', `OpenFlow on ${this.bridge}: ${(error as Error).stack}`),
    })
    if (connection.closed) return connection
    this.#connections.add(connection)
    this.#packetIns.open(connection, limits?.rateLimit ?? 0, limits?.burstLimit ?? 0)
    return connection
  }

  /** Everything that passes between the bridge and its controllers goes to `duplex` as well. */
  snoop(duplex: Duplex): void {
    this.#snoopers.admit(duplex)
  }

  /** A connection takes a role; there is one primary at the most (OpenFlow 1.3.1 §6.3.4). */
  setRole(c: Connection, role: Exclude<Role, 'nochange'>): void {
    if (role === 'primary' && c.state.role !== 'primary') {
      for (const other of this.#connections) {
        if (other === c || other.state.role !== 'primary') continue
        other.state.role = 'secondary'
        const body = {
          role: 'secondary',
          reason: 'primary_request',
          generationId: this.roles.generationId,
        } as const
        // Whatever it has asked for: it must know (OpenFlow 1.4.1, 6.3.4). Before 1.4 there is no word for it.
        other.send('ROLE_STATUS', body)
      }
    }
    c.state.role = role
  }

  /** Sends a message to all connections that want it. */
  announce<T extends MessageType>(
    type: AsyncType,
    reason: number,
    message: T,
    body: MessageBodies[T],
    except?: Connection,
  ): void {
    for (const c of this.#connections) if (c !== except && c.wants(type, reason)) c.send(message, body)
  }

  /** Tells the other controllers what one of them has changed. */
  forward(from: Connection, request: RequestForward): void {
    this.announce('requestforward', request.reason === 'group_mod' ? 0 : 1, 'REQUESTFORWARD', request, from)
  }

  receive(event: DpifEvent): void {
    switch (event.type) {
      case 'packet-in':
        this.#packetIns.send(event)
        break
      case 'flow-changes':
        this.monitors.receive(event)
        break
      case 'flow-removed':
        this.#flowRemoved(event.removed)
        break
      case 'table-status':
        this.announce('table_status', TABLE_STATUS_REASONS[event.status.reason], 'TABLE_STATUS', event.status)
        break
      case 'link':
        void this.portsChanged(new Set([event.port]))
    }
  }

  /** Looks what has become of these ports, or of all, and tells who wants to know. */
  portsChanged(ports?: ReadonlySet<string>): Promise<void> {
    if (ports === undefined) this.#allStale = true
    else for (const name of ports) this.#stale.add(name)
    this.#refreshing ??= this.#refresh()
      .catch((error: Error) => this.#options.log('debug', `ports of ${this.bridge}: ${error.message}`))
      .finally(() => {
        this.#refreshing = undefined
      })
    return this.#refreshing
  }

  /**
   * Sets PC_* bits of ports and tells who wants to know: but for whoever asked for it, before OpenFlow 1.5, whose
   * text has that so.
   */
  async configurePort(from: Connection, mod: PortMod): Promise<void> {
    await this.portsChanged()
    await this.ports.configure(mod)
    const told = (from.version ?? OF10) >= OF15
    for (const status of await this.ports.changes()) this.#announcePort(status, told ? undefined : from)
  }

  close(reason: string): void {
    for (const c of [...this.#connections]) c.close(reason)
    this.#snoopers.close()
  }

  #flowRemoved(removed: FlowRemoved): void {
    const reason = FLOW_REMOVED_REASONS.indexOf(removed.reason)
    for (const c of this.#connections) {
      if (!c.wants('flow_removed', reason)) continue
      const nicira = c.version === OF10 && c.state.nxm
      c.send('FLOW_REMOVED', removed, { form: nicira ? formByName('NXT_FLOW_REMOVED') : undefined })
    }
  }

  async #refresh(): Promise<void> {
    while (this.#allStale || this.#stale.size > 0) {
      const ports = this.#allStale ? undefined : [...this.#stale]
      this.#stale.clear()
      this.#allStale = false
      for (const status of await this.ports.changes(ports)) this.#announcePort(status, undefined)
    }
  }

  #announcePort(status: PortStatus, except: Connection | undefined): void {
    this.announce('port_status', PORT_STATUS_REASONS.indexOf(status.reason), 'PORT_STATUS', status, except)
  }

  #handle(c: Connection, message: Message, bytes: Uint8Array): Outcome | Promise<Outcome> {
    const handler = HANDLERS[message.type] as Handler<MessageType> | undefined
    if (handler === undefined) return message.form.kind.endsWith('ST') ? 'OFPBRC_BAD_STAT' : 'OFPBRC_BAD_TYPE'
    const outcome = handler(this, c, message.body as never, message, bytes)
    if (SETTINGS.has(message.type)) this.#settingsChanged()
    return outcome
  }

  /** What connections want has changed: the dataplane sends misses up only when somebody is to see them. */
  #settingsChanged(): void {
    const wanted = this.#packetIns.missesWanted
    if (wanted === this.#missesWanted) return
    this.#missesWanted = wanted
    this.dpif.packetInOnMiss(this.bridge, wanted).catch(() => {
      // The bridge, or all of the dataplane, has gone.
    })
  }
}
