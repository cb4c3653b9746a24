/** Packets for controllers: who gets which, in what form, and how many a second. */
import type { PacketInEvent, PacketInTemplate } from '../../engine/dpif-pipeline.ts'
import { matchInPort } from '../../protocols/openflow/match.ts'
import { PACKET_IN_REASONS, type PacketInFormat } from '../../protocols/openflow/packet-in.ts'
import { PacketInStencil } from '../../protocols/openflow/packet-in-stencil.ts'
import type { OfVersion } from '../../protocols/openflow/version.ts'
import { type Clock, MachineTimer } from '../services/scheduler.ts'
import type { Connection } from './connection.ts'
import { PacketSchedule } from './packet-schedule.ts'

/** Flows of which is kept how their packet-ins are encoded, a connection. */
const MAX_STENCILS = 1024

interface Waiting {
  readonly template: PacketInTemplate
  readonly packet: Uint8Array
}

/** Packets of one connection. */
class Outbox {
  readonly #connection: Connection
  readonly #clock: Clock
  /** None for who takes all that come. */
  readonly #schedule: PacketSchedule<Waiting> | undefined
  readonly #timer: MachineTimer | undefined
  readonly #stencils = new Map<PacketInTemplate, PacketInStencil | undefined>()
  #version: OfVersion | undefined
  #format: PacketInFormat | undefined

  constructor(clock: Clock, connection: Connection, rate: number, burst: number) {
    this.#clock = clock
    this.#connection = connection
    if (rate === 0) return
    this.#schedule = new PacketSchedule(clock.now(), rate, burst, (waiting) => this.#send(waiting))
    this.#timer = new MachineTimer(clock, this.#schedule)
  }

  add(event: PacketInEvent): void {
    if (this.#schedule === undefined) {
      this.#send(event)
      return
    }
    const { template } = event
    const waiting = { template, packet: event.packet.slice() }
    this.#schedule.add(this.#clock.now(), matchInPort(template.metadata) ?? 0, waiting)
    this.#timer?.update()
  }

  close(): void {
    this.#timer?.stop()
  }

  #send({ template, packet }: Waiting): void {
    const stencil = this.#stencilOf(template)
    if (stencil !== undefined) this.#connection.sendPacketIn(stencil, packet)
  }

  #stencilOf(template: PacketInTemplate): PacketInStencil | undefined {
    const { version, state } = this.#connection
    if (version !== this.#version || state.packetInFormat !== this.#format) {
      this.#stencils.clear()
      this.#version = version
      this.#format = state.packetInFormat
    }
    const known = this.#stencils.get(template)
    if (known !== undefined || version === undefined) return known
    if (this.#stencils.size === MAX_STENCILS) this.#stencils.clear()
    const stencil = PacketInStencil.make(template, version, state.packetInFormat)
    this.#stencils.set(template, stencil)
    return stencil
  }
}

export class PacketIns {
  readonly #clock: Clock
  readonly #outboxes = new Map<Connection, Outbox>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param rate packets a second, 0 for no limit */
  open(connection: Connection, rate: number, burst: number): void {
    this.#outboxes.set(connection, new Outbox(this.#clock, connection, rate, burst))
  }

  close(connection: Connection): void {
    this.#outboxes.get(connection)?.close()
    this.#outboxes.delete(connection)
  }

  /** Whether somebody is to see packets that no flow matches (before OpenFlow 1.3 the default). */
  get missesWanted(): boolean {
    const reason = PACKET_IN_REASONS.indexOf('implicit_miss')
    for (const c of this.#outboxes.keys()) {
      if (c.state.controllerId === 0 && c.wants('packet_in', reason)) return true
    }
    return false
  }

  send(event: PacketInEvent): void {
    const { controllerId, reason: name } = event.template
    const reason = PACKET_IN_REASONS.indexOf(name)
    for (const [c, outbox] of this.#outboxes) {
      if (c.state.controllerId === controllerId && c.wants('packet_in', reason)) outbox.add(event)
    }
  }
}
