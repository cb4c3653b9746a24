/** Packets for controllers: who gets which, in what form, and how many a second. */
import type { PacketInEvent } from '../../engine/dpif-pipeline.ts'
import { NO_BUFFER } from '../../protocols/openflow/flow-mod.ts'
import { matchInPort } from '../../protocols/openflow/match.ts'
import { formByName } from '../../protocols/openflow/message-forms.ts'
import { PACKET_IN_REASONS, type PacketIn, type PacketInFormat } from '../../protocols/openflow/packet-in.ts'
import { type Clock, MachineTimer } from '../services/scheduler.ts'
import type { Connection } from './connection.ts'
import { PacketSchedule } from './packet-schedule.ts'

const FORMS: Partial<Record<PacketInFormat, string>> = {
  nxt_packet_in: 'NXT_PACKET_IN',
  nxt_packet_in2: 'NXT_PACKET_IN2',
}

/** Packets of one connection. */
class Outbox {
  readonly #clock: Clock
  readonly #schedule: PacketSchedule<PacketIn>
  readonly #timer: MachineTimer

  constructor(clock: Clock, connection: Connection, rate: number, burst: number) {
    this.#clock = clock
    this.#schedule = new PacketSchedule(clock.now(), rate, burst, (packetIn) => {
      const name = FORMS[connection.state.packetInFormat]
      const form = name === undefined ? undefined : formByName(name)
      connection.send('PACKET_IN', packetIn, { form, droppable: true })
    })
    this.#timer = new MachineTimer(clock, this.#schedule)
  }

  add(packetIn: PacketIn): void {
    this.#schedule.add(this.#clock.now(), matchInPort(packetIn.metadata) ?? 0, packetIn)
    this.#timer.update()
  }

  close(): void {
    this.#timer.stop()
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
    const reason = PACKET_IN_REASONS.indexOf(event.reason)
    const { packet, totalLength, table, cookie, metadata, userdata } = event
    let packetIn: PacketIn | undefined
    for (const [c, outbox] of this.#outboxes) {
      if (c.state.controllerId !== event.controllerId || !c.wants('packet_in', reason)) continue
      packetIn ??= {
        packet,
        totalLength,
        bufferId: NO_BUFFER,
        reason: event.reason,
        table,
        cookie,
        metadata,
        userdata,
      }
      outbox.add(packetIn)
    }
  }
}
