/** The controllers that a bridge is told to have: connected to and kept, or waited for. */
import type { Duplex } from 'node:stream'
import { Reconnect } from '../../protocols/reconnect.ts'
import type { ControllerTarget, Openflow } from '../config/network.ts'
import type { Address } from '../net/address.ts'
import { type Listener, listenStreams, openStream, type Stream, type TlsFiles } from '../net/stream.ts'
import { type Clock, MachineTimer } from '../services/scheduler.ts'
import { parseOfAddress } from './address.ts'
import type { Connection } from './connection.ts'
import type { ConnectionState } from './connection-state.ts'
import type { OpenflowSwitch } from './openflow-switch.ts'
import type { SwitchOnDemand } from './switch-on-demand.ts'

/** Whether somebody is to program the bridge: who may merely connect does not count, as in Open vSwitch. */
export function hasControllers({ controllers }: Pick<Openflow, 'controllers'>): boolean {
  return controllers.some(({ target }) => parseOfAddress(target)?.passive === false)
}

export interface ControllerOptions {
  readonly target: ControllerTarget
  readonly tls: TlsFiles | undefined
  readonly sw: SwitchOnDemand
  readonly clock: Clock
  /** It is connected now, or no longer. */
  readonly onChange: () => void
  readonly log: (level: 'info' | 'warn', message: string) => void
}

/** How it stands with a controller. */
export interface ControllerStatus {
  readonly connected: boolean
  /** While it is connected. */
  readonly role: ConnectionState['role'] | undefined
  /** Why it was last not connected; empty for never. */
  readonly lastFailure: string
}

/** One that is connected to, again and again. */
export class ActiveController {
  readonly #options: ControllerOptions
  readonly #address: Address
  readonly #reconnect: Reconnect
  readonly #timer: MachineTimer
  #attempt: AbortController | undefined
  #connection: Connection | undefined
  #ready = false
  #closed = false
  #lastFailure = ''

  constructor(options: ControllerOptions, address: Address) {
    this.#options = options
    this.#address = address
    const { clock, target } = options
    this.#reconnect = new Reconnect(clock.now(), target.maxBackoff)
    this.#timer = new MachineTimer(clock, {
      poll: (now) => {
        const action = this.#reconnect.poll(now)
        if (action === 'connect') void this.#connect()
        else if (action === 'timeout') this.#giveUp()
      },
      pollAt: () => this.#reconnect.pollAt(),
    })
    this.#timer.update()
  }

  /** Versions have been agreed on, and it has not been lost since. */
  get connected(): boolean {
    return this.#ready
  }

  get target(): string {
    return this.#options.target.target
  }

  get status(): ControllerStatus {
    const role = this.#ready ? this.#connection?.state.role : undefined
    return { connected: this.#ready, role, lastFailure: this.#lastFailure }
  }

  close(): void {
    this.#closed = true
    this.#timer.stop()
    this.#attempt?.abort()
    this.#connection?.close('no controller any more')
  }

  /** The attempt took too long; the machine knows. */
  #giveUp(): void {
    const connection = this.#connection
    this.#connection = undefined
    this.#attempt?.abort()
    this.#attempt = undefined
    connection?.destroy('connection attempt timed out')
    this.#tell('connection attempt timed out')
  }

  async #connect(): Promise<void> {
    const { tls, target } = this.#options
    const attempt = new AbortController()
    this.#attempt = attempt
    let sw: OpenflowSwitch
    let duplex: Duplex
    try {
      sw = await this.#options.sw.get()
      attempt.signal.throwIfAborted()
      duplex = await openStream(this.#address, tls, attempt.signal, target.dscp)
    } catch (error) {
      if (this.#attempt === attempt) this.#lost((error as Error).message)
      return
    }
    if (this.#attempt !== attempt || this.#closed) {
      duplex.destroy()
      return
    }
    this.#attempt = undefined
    const connection: Connection = sw.admit({
      duplex,
      kind: 'controller',
      peer: target.target,
      limits: target,
      onReady: () => this.#connected(),
      onClose: (reason) => {
        if (this.#connection === connection) this.#lost(reason)
      },
    })
    this.#connection = connection
  }

  #connected(): void {
    const { sw, target, clock, log, onChange } = this.#options
    this.#reconnect.connected(clock.now())
    this.#timer.update()
    this.#lastFailure = ''
    this.#ready = true
    log('info', `${sw.bridge}: controller ${target.target}: connected`)
    onChange()
  }

  #lost(reason: string): void {
    this.#attempt = undefined
    this.#connection = undefined
    const was = this.#ready
    this.#ready = false
    if (this.#closed) return
    this.#reconnect.disconnected(this.#options.clock.now())
    this.#timer.update()
    this.#tell(reason)
    if (was) this.#options.onChange()
  }

  /** The same failure again and again is told once. */
  #tell(reason: string): void {
    const { sw, target, log } = this.#options
    // That it has gone of its own will is nothing that is wrong.
    const level = reason === 'connection closed by peer' ? 'info' : 'warn'
    if (reason !== this.#lastFailure) log(level, `${sw.bridge}: controller ${target.target}: ${reason}`)
    this.#lastFailure = reason
  }
}

interface Place {
  open: boolean
  readonly connections: Set<Connection>
}

/** A place where who wants to may connect: as a service, which asks for what it wants to be told, as in Open vSwitch. */
export class PassiveController {
  readonly target: string | undefined
  readonly connected = false
  readonly status: ControllerStatus = { connected: false, role: undefined, lastFailure: '' }
  readonly #place: Place
  readonly #listener: Listener

  private constructor(target: string | undefined, listener: Listener, place: Place) {
    this.target = target
    this.#listener = listener
    this.#place = place
  }

  /** @param target for people, and the limits of each connection */
  static async open(
    address: Address,
    tls: TlsFiles | undefined,
    onDemand: SwitchOnDemand,
    target: ControllerTarget | undefined,
  ): Promise<PassiveController> {
    const place: Place = { open: true, connections: new Set() }
    const { connections } = place
    const admit = ({ duplex, peer }: Stream) => {
      onDemand.give(duplex, (sw) => {
        if (!place.open) {
          duplex.destroy()
          return
        }
        const connection: Connection = sw.admit({
          duplex,
          kind: 'service',
          peer,
          limits: target,
          onClose: () => connections.delete(connection),
        })
        if (!connection.closed) connections.add(connection)
      })
    }
    const listener = await listenStreams(address, tls, admit, target?.dscp)
    return new PassiveController(target?.target, listener, place)
  }

  async close(): Promise<void> {
    this.#place.open = false
    for (const c of [...this.#place.connections]) c.destroy('no place to connect to any more')
    await this.#listener.close()
  }
}
