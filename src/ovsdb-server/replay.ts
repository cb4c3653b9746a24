/** A recording done again: the same clients say the same at the same times, of which none is waited for. */

import type { RpcMessage } from '../../protocols/ovsdb/json-rpc.ts'
import type { Random } from '../../protocols/random.ts'
import type { Instant } from '../../protocols/time.ts'
import type { Channel, ChannelHandlers } from '../ovsdb/channel.ts'
import type { OvsdbServer } from '../ovsdb/server.ts'
import type { Cancel, Clock } from '../services/scheduler.ts'
import type { UnixctlCommand } from '../unixctl/command-registry.ts'
import { EventChance } from './event-chance.ts'
import { type RecordedEvent, type Recording, readRecording } from './recording.ts'

export class Replay {
  readonly clock: RecordedTime
  readonly #recording: Recording
  readonly #chance: EventChance
  readonly #clients = new Map<number, RecordedClient>()

  /** @throws the reason why there is no recording */
  constructor(directory: string) {
    this.#recording = readRecording(directory)
    this.#chance = new EventChance(this.#recording.key)
    this.#chance.begin(1)
    this.clock = new RecordedTime(this.#recording.start)
  }

  get random(): Random {
    return this.#chance.random
  }

  /** Resolves when all is done. */
  async play(server: OvsdbServer, commands: readonly UnixctlCommand[]): Promise<void> {
    let n = 1
    for (const event of this.#recording.events) {
      this.clock.advance(event.at)
      this.#chance.begin(++n)
      await this.#happen(event, server, commands)
      // What follows from it comes first.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #happen(
    event: RecordedEvent,
    server: OvsdbServer,
    commands: readonly UnixctlCommand[],
  ): Promise<void> {
    switch (event.type) {
      case 'client': {
        const client = new RecordedClient(event.peer)
        this.#clients.set(event.id, client)
        server.accept(client, event.options)
        return
      }
      case 'message':
        this.#clients.get(event.id)?.say(event.message)
        return
      case 'closed':
        this.#clients.get(event.id)?.leave()
        return
      case 'command':
        // That it failed is as it was.
        await Promise.resolve(commands.find(({ name }) => name === event.name)?.run(event.args)).catch(
          () => {},
        )
    }
  }
}

/** One who listens to nothing. */
class RecordedClient implements Channel {
  readonly peer: string
  readonly backlog = 0
  #handlers: ChannelHandlers | undefined

  constructor(peer: string) {
    this.peer = peer
  }

  start(handlers: ChannelHandlers): void {
    this.#handlers = handlers
  }

  say(message: RpcMessage): void {
    this.#handlers?.alive?.()
    this.#handlers?.message(message)
  }

  leave(): void {
    this.#end('connection closed by peer')
  }

  send(): void {}

  pause(): void {}

  resume(): void {}

  close(): void {
    this.#end(undefined)
  }

  abort(): void {
    this.#end(undefined)
  }

  #end(reason: string | undefined): void {
    const handlers = this.#handlers
    this.#handlers = undefined
    handlers?.closed(reason)
  }
}

interface Call {
  readonly at: Instant
  readonly fn: () => void
}

/** The time of a recording, which goes on with its events. */
class RecordedTime implements Clock {
  #now: Instant
  /** In the order of their times. */
  readonly #calls: Call[] = []

  constructor(start: Instant) {
    this.#now = start
  }

  now(): Instant {
    return this.#now
  }

  schedule(at: Instant, fn: () => void): Cancel {
    const call = { at, fn }
    const later = this.#calls.findIndex((other) => other.at > at)
    this.#calls.splice(later < 0 ? this.#calls.length : later, 0, call)
    return () => {
      const place = this.#calls.indexOf(call)
      if (place >= 0) this.#calls.splice(place, 1)
    }
  }

  /** Makes the calls that fall due on the way. */
  advance(to: Instant): void {
    while (this.#calls.length > 0 && this.#calls[0].at <= to) {
      const call = this.#calls.shift()!
      this.#now = Math.max(this.#now, call.at)
      call.fn()
    }
    this.#now = Math.max(this.#now, to)
  }
}
