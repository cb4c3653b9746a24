/**
 * The connections between the servers of a cluster: each calls all others, so that between two there are two, of which
 * either serves. What comes from nobody of the cluster is refused.
 */

import type { Duplex } from 'node:stream'
import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { type Uuid, ZERO_UUID } from '../../protocols/ovsdb/uuid.ts'
import { nickname } from '../../protocols/raft/address.ts'
import { type Envelope, parseRpc } from '../../protocols/raft/rpc.ts'
import { type Duration, SECOND } from '../../protocols/time.ts'
import { type Address, formatAddress, parseAddress, underDirectory } from '../net/address.ts'
import { type Listener, listenStreams, type TlsFiles } from '../net/stream.ts'
import type { Cancel, Clock } from '../services/scheduler.ts'
import { Caller } from './caller.ts'
import { type Channel, StreamChannel } from './channel.ts'
import { type BacklogLimits, RaftConnection } from './raft-connection.ts'
import { OVSDB_PORT } from './remote.ts'

/** When an address is tried again that could not be listened at. */
const LISTEN_RETRY: Duration = SECOND

export interface RaftNetworkOptions {
  readonly clock: Clock
  readonly tls: () => TlsFiles | undefined
  /** Where sockets of Unix are that have no path. */
  readonly directory: string
  readonly log: { info(text: string): void; warn(text: string): void }
  readonly localAddress: string
  /** Why a message is none for this server. */
  readonly misrouted: (envelope: Envelope) => string | undefined
  readonly received: (envelope: Envelope) => void
  /** There is one more connection, to be greeted on. */
  readonly connected: (connection: RaftConnection) => void
  /** There is none any more to a server. */
  readonly disconnected: (sid: Uuid) => void
}

interface Called {
  readonly caller: Caller
  readonly sid: Uuid
  connection: RaftConnection | undefined
}

export class RaftNetwork {
  readonly #options: RaftNetworkOptions
  readonly #called = new Map<string, Called>()
  readonly #connections = new Set<RaftConnection>()
  #listener: Listener | undefined
  #cancelListen: Cancel | undefined
  #probeInterval: Duration = 0
  #closed = false
  readonly limits: BacklogLimits = { messages: 500, bytes: 2 ** 32 - 1 }
  /** Nothing is sent or received, as if there were no network. */
  silent = false
  disconnections = 0

  constructor(options: RaftNetworkOptions) {
    this.#options = options
    this.#listen()
  }

  /** Calls these, with their ids where they are known, and no others. */
  call(servers: ReadonlyMap<string, Uuid>): void {
    if (this.silent || this.#closed) return
    for (const [address, called] of this.#called) {
      if (servers.has(address)) continue
      this.#called.delete(address)
      called.caller.close()
      called.connection?.close()
    }
    for (const [address, sid] of servers) if (!this.#called.has(address)) this.#call(address, sid)
  }

  /** Ms of silence after which a server is asked whether it lives. */
  set probeInterval(interval: Duration) {
    if (interval === this.#probeInterval) return
    this.#probeInterval = interval
    for (const connection of this.#connections) connection.probeInterval = interval
  }

  find(sid: Uuid): RaftConnection | undefined {
    for (const connection of this.#connections) if (connection.sid === sid) return connection
    return undefined
  }

  /** Those that stand. */
  get connections(): Iterable<RaftConnection> {
    return this.#connections
  }

  /** False when there is no connection. */
  send(envelope: Envelope): boolean {
    return this.silent || (this.find(envelope.to)?.send(envelope) ?? false)
  }

  /** For people: all connections, in parentheses those that are not there. */
  describe(): string[] {
    const absent = [...this.#called]
      .filter(([, { connection }]) => connection === undefined)
      .map(([address, { sid }]) => `(->${nickname(address, sid)})`)
    return [
      ...absent,
      ...[...this.#connections].map((each) => `${each.incoming ? '<-' : '->'}${each.nickname}`),
    ]
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelListen?.()
    for (const { caller } of this.#called.values()) caller.close()
    for (const connection of [...this.#connections]) connection.close()
    await this.#listener?.close()
  }

  #address(text: string): Address | undefined {
    const address = parseAddress(text, OVSDB_PORT)
    return address && underDirectory(address, this.#options.directory)
  }

  #listen(): void {
    const { localAddress, tls, clock, log } = this.#options
    const active = this.#address(localAddress)
    if (active === undefined) {
      log.warn(`${localAddress}: no address to listen at`)
      return
    }
    const address: Address = { ...active, passive: true }
    const later = (error: Error) => {
      log.warn(`${formatAddress(address)}: listen failed (${error.message})`)
      if (!this.#closed) this.#cancelListen = clock.schedule(clock.now() + LISTEN_RETRY, () => this.#listen())
    }
    try {
      listenStreams(address, address.method === 'ssl' ? tls() : undefined, ({ duplex, peer }) => {
        if (this.silent || this.#closed) duplex.destroy()
        else this.#add(new StreamChannel(duplex, peer), undefined)
      }).then((listener) => {
        if (this.#closed) void listener.close()
        else this.#listener = listener
      }, later)
    } catch (error) {
      later(error as Error)
    }
  }

  #call(name: string, sid: Uuid): void {
    const { clock, tls, log } = this.#options
    const address = this.#address(name)
    if (address === undefined) return
    const connected = (duplex: Duplex) => {
      called.connection = this.#add(new StreamChannel(duplex, name), called)
    }
    const caller = new Caller({ clock, tls, log, name, address, connected })
    const called: Called = { caller, sid, connection: undefined }
    this.#called.set(name, called)
  }

  #add(channel: Channel, called: Called | undefined): RaftConnection {
    const { clock } = this.#options
    const { limits } = this
    const options = { clock, probeInterval: this.#probeInterval, limits, incoming: called === undefined }
    const connection = new RaftConnection(
      channel,
      { ...options, sid: called?.sid },
      {
        received: (from, method, params) => this.#receive(from, method, params),
        closed: (gone, reason) => this.#gone(gone, called, reason),
      },
    )
    this.#connections.add(connection)
    this.#options.connected(connection)
    return connection
  }

  #gone(connection: RaftConnection, called: Called | undefined, reason: string | undefined): void {
    this.#connections.delete(connection)
    if (this.#closed) return
    this.disconnections++
    if (called !== undefined) {
      called.connection = undefined
      called.caller.lost(reason)
    }
    const { sid } = connection
    if (sid !== ZERO_UUID && this.find(sid) === undefined) this.#options.disconnected(sid)
  }

  #receive(connection: RaftConnection, method: string, params: readonly Json[]): void {
    if (this.silent) return
    const envelope = this.#parse(connection, method, params)
    if (typeof envelope === 'string') {
      this.#options.log.info(`${connection.address}: ${envelope}`)
      return
    }
    if (connection.sid === ZERO_UUID) connection.sid = envelope.from
    const { rpc } = envelope
    if (rpc.method === 'hello_request' || rpc.method === 'add_server_request')
      connection.address = rpc.address
    this.#options.received(envelope)
  }

  /** The message, or what is wrong with it. */
  #parse(connection: RaftConnection, method: string, params: readonly Json[]): Envelope | string {
    if (params.length !== 1) return `${method} RPC has ${params.length} parameters (expected 1)`
    try {
      const envelope = parseRpc(method, params[0])
      if (envelope === undefined) return `unknown method ${method}`
      const { from } = envelope
      if (connection.sid !== ZERO_UUID && from !== connection.sid) {
        return `ignoring message with unexpected server ID ${from} (expected ${connection.sid})`
      }
      return this.#options.misrouted(envelope) ?? envelope
    } catch (error) {
      if (error instanceof OvsdbError) return error.message
      throw error
    }
  }
}
