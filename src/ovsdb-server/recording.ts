/**
 * What comes to the server from outside, written down so that it can be had again: clients with each message at the
 * moment it is heard, and commands. One event a line, each a JSON array that begins with the time and what it is; the
 * first line has the key of the chance with which everything was done.
 */

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Access } from '../../protocols/ovsdb/access.ts'
import { type RpcMessage, rpcJson, rpcMessage } from '../../protocols/ovsdb/json-rpc.ts'
import { formatJson, type Json, parseJson } from '../../protocols/ovsdb/json-text.ts'
import type { Random } from '../../protocols/random.ts'
import type { Instant } from '../../protocols/time.ts'
import type { Channel, ChannelHandlers } from '../ovsdb/channel.ts'
import type { SessionOptions } from '../ovsdb/session.ts'
import type { Clock } from '../services/scheduler.ts'
import type { UnixctlCommand } from '../unixctl/command-registry.ts'
import { EventChance } from './event-chance.ts'

const FILE = 'ovsdb-server.recording'

export type RecordedEvent = { readonly at: Instant } & (
  | { readonly type: 'client'; readonly id: number; readonly peer: string; readonly options: SessionOptions }
  | { readonly type: 'message'; readonly id: number; readonly message: RpcMessage }
  | { readonly type: 'closed'; readonly id: number }
  | { readonly type: 'command'; readonly name: string; readonly args: readonly string[] }
)

export class Recorder {
  readonly #fd: number
  readonly #clock: Clock
  readonly #chance: EventChance
  #events = 0
  #clients = 0

  /** @throws the reason why the file cannot be made */
  constructor(directory: string, clock: Clock, random: Random) {
    const key = EventChance.newKey(random)
    this.#clock = clock
    this.#chance = new EventChance(key)
    this.#fd = openSync(join(directory, FILE), 'w', 0o640)
    this.#write(['key', Buffer.from(key).toString('hex')])
  }

  get random(): Random {
    return this.#chance.random
  }

  /** The channel of a client, all of which is written down. */
  readonly heard = (channel: Channel, { readOnly, access, probeInterval }: SessionOptions): Channel => {
    const id = this.#clients++
    const role: Json = access === undefined ? null : [access.role, access.client ?? null]
    this.#write(['client', id, channel.peer, readOnly, role, probeInterval])
    return new RecordedChannel(channel, {
      message: (message) => this.#write(['message', id, rpcJson(message)]),
      closed: () => this.#write(['closed', id]),
    })
  }

  command(command: UnixctlCommand): UnixctlCommand {
    const run = (args: readonly string[]) => {
      this.#write(['command', command.name, [...args]])
      return command.run(args)
    }
    return { ...command, run }
  }

  close(): void {
    closeSync(this.#fd)
  }

  #write(event: readonly Json[]): void {
    writeSync(this.#fd, `${formatJson([this.#clock.now(), ...event])}\n`)
    this.#chance.begin(++this.#events)
  }
}

class RecordedChannel implements Channel {
  readonly #channel: Channel
  readonly #told: Pick<ChannelHandlers, 'message' | 'closed'>

  constructor(channel: Channel, told: Pick<ChannelHandlers, 'message' | 'closed'>) {
    this.#channel = channel
    this.#told = told
  }

  get peer(): string {
    return this.#channel.peer
  }

  get backlog(): number {
    return this.#channel.backlog
  }

  start(handlers: ChannelHandlers): void {
    this.#channel.start({
      message: (message) => {
        this.#told.message(message)
        handlers.message(message)
      },
      alive: () => handlers.alive?.(),
      drained: () => handlers.drained?.(),
      closed: (reason) => {
        this.#told.closed(reason)
        handlers.closed(reason)
      },
    })
  }

  send(message: RpcMessage): void {
    this.#channel.send(message)
  }

  pause(): void {
    this.#channel.pause()
  }

  resume(): void {
    this.#channel.resume()
  }

  close(): void {
    this.#channel.close()
  }

  abort(): void {
    this.#channel.abort()
  }
}

export interface Recording {
  readonly key: Uint8Array
  readonly start: Instant
  readonly events: readonly RecordedEvent[]
}

/** @throws the reason why there is none */
export function readRecording(directory: string): Recording {
  const path = join(directory, FILE)
  // A line that a crash has cut off is none.
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  const [first, ...events] = lines.map((line) => parseJson(line) as Json[])
  if (first?.[1] !== 'key') throw new Error(`${path}: not a recording`)
  return {
    key: Buffer.from(String(first[2]), 'hex'),
    start: Number(first[0]),
    events: events.map((event) => eventOf(event, path)),
  }
}

function eventOf([at, type, ...rest]: readonly Json[], path: string): RecordedEvent {
  const common = { at: Number(at), id: Number(rest[0]) }
  switch (type) {
    case 'client': {
      const [, peer, readOnly, role, probeInterval] = rest
      const options = {
        readOnly: readOnly === true,
        access: accessOf(role),
        probeInterval: Number(probeInterval),
      }
      return { ...common, type, peer: String(peer), options }
    }
    case 'message': {
      const message = rpcMessage(rest[1])
      if (typeof message === 'string') throw new Error(`${path}: ${message}`)
      return { ...common, type, message }
    }
    case 'closed':
      return { ...common, type }
    case 'command':
      return { at: common.at, type, name: String(rest[0]), args: rest[1] as string[] }
    default:
      throw new Error(`${path}: unknown event ${String(type)}`)
  }
}

function accessOf(role: Json): Access | undefined {
  if (role === null) return undefined
  const [name, client] = role as [string, string | null]
  return { role: name, client: client ?? undefined }
}
