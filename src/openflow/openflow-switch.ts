/**
 * A bridge as its OpenFlow clients see it: who is connected, what they ask, and what they are told without asking.
 */
import type { Duplex } from 'node:stream'
import type { Dpif, DpifEvent } from '../../engine/dpif.ts'
import type { AsyncType } from '../../protocols/openflow/async-config.ts'
import { FLOW_REMOVED_REASONS } from '../../protocols/openflow/flow-removed.ts'
import type { Message, MessageBodies, MessageType } from '../../protocols/openflow/message.ts'
import { PORT_STATUS_REASONS } from '../../protocols/openflow/port-status.ts'
import type { Role } from '../../protocols/openflow/role.ts'
import type { FragmentHandling } from '../../protocols/openflow/switch-config.ts'
import type { ControllerTarget } from '../config/network.ts'
import type { Clock } from '../services/scheduler.ts'
import { Connection } from './connection.ts'
import type { ConnectionKind } from './connection-state.ts'
import { flowMods } from './handlers/flows.ts'
import type { Handler, Outcome } from './handlers/handler.ts'
import { HANDLERS } from './handlers/handlers.ts'
import { SwitchPorts } from './ports.ts'
import { Roles } from './roles.ts'

export interface SwitchOptions {
  readonly dpif: Dpif
  readonly bridge: string
  readonly datapathId: bigint
  /** 1 << version of those that are spoken. */
  readonly versions: number
  readonly clock: Clock
  readonly macOf: (port: string) => Uint8Array
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

/** Reasons of table-status messages by their names (OFPTR_*). */
const TABLE_STATUS_REASONS = { vacancy_down: 3, vacancy_up: 4 } as const

export class OpenflowSwitch {
  readonly bridge: string
  readonly dpif: Dpif
  readonly ports: SwitchPorts
  readonly roles = new Roles()
  readonly version: string
  #datapathId: bigint
  #versions: number
  frag: FragmentHandling = 'normal'
  readonly #options: SwitchOptions
  readonly #connections = new Set<Connection>()
  readonly #snoopers = new Set<Duplex>()
  #refreshing: Promise<void> | undefined
  #refreshAgain = false

  constructor(options: SwitchOptions) {
    this.#options = options
    this.bridge = options.bridge
    this.dpif = options.dpif
    this.version = options.version
    this.#datapathId = options.datapathId
    this.#versions = options.versions
    const { dpif, bridge, clock, macOf } = options
    this.ports = new SwitchPorts({ dpif, bridge, now: () => clock.now(), macOf })
  }

  get datapathId(): bigint {
    return this.#datapathId
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
      handleFlowMods: (c, mods) => flowMods(this, c, mods),
      onReady: () => onReady?.(),
      onClose: (c, reason) => {
        this.#connections.delete(c)
        onClose?.(reason)
      },
      onMessage: (bytes) => {
        if (kind === 'controller') for (const snooper of this.#snoopers) snooper.write(bytes)
      },
      onMistake: (error) =>
        this.#options.log('error', `OpenFlow on ${this.bridge}: ${(error as Error).stack}`),
    })
    if (!connection.closed) this.#connections.add(connection)
    return connection
  }

  /** Everything that passes between the bridge and its controllers goes to `duplex` as well. */
  snoop(duplex: Duplex): void {
    this.#snoopers.add(duplex)
    duplex.on('error', () => duplex.destroy())
    duplex.on('close', () => this.#snoopers.delete(duplex))
    duplex.resume()
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
        if (other.wants('role_status', 0)) other.send('ROLE_STATUS', body)
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

  receive(event: DpifEvent): void {
    switch (event.type) {
      case 'flow-removed':
        this.announce(
          'flow_removed',
          FLOW_REMOVED_REASONS.indexOf(event.removed.reason),
          'FLOW_REMOVED',
          event.removed,
        )
        break
      case 'table-status':
        this.announce('table_status', TABLE_STATUS_REASONS[event.status.reason], 'TABLE_STATUS', event.status)
        break
      case 'link':
        void this.portsChanged()
    }
  }

  /** Looks what has become of the ports and tells who wants to know. */
  portsChanged(): Promise<void> {
    if (this.#refreshing !== undefined) {
      this.#refreshAgain = true
      return this.#refreshing
    }
    this.#refreshing = this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  close(reason: string): void {
    for (const c of [...this.#connections]) c.close(reason)
    for (const snooper of this.#snoopers) snooper.destroy()
  }

  async #refresh(): Promise<void> {
    do {
      this.#refreshAgain = false
      for (const status of await this.ports.changes()) {
        this.announce('port_status', PORT_STATUS_REASONS.indexOf(status.reason), 'PORT_STATUS', status)
      }
    } while (this.#refreshAgain)
  }

  async #handle(c: Connection, message: Message, bytes: Uint8Array): Promise<Outcome> {
    const handler = HANDLERS[message.type] as Handler<MessageType> | undefined
    if (handler === undefined) return message.form.kind.endsWith('ST') ? 'OFPBRC_BAD_STAT' : 'OFPBRC_BAD_TYPE'
    return handler(this, c, message.body as never, message, bytes)
  }
}
