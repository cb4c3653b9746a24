/**
 * One OpenFlow connection of a switch: messages are carried out one after the other and answered in order. Nobody can
 * make it hold more than a bounded number of bytes: requests are not read while answers are not, and who does not
 * read what it has asked to be told is disconnected.
 */
import type { Duplex } from 'node:stream'
import type { FlowModStream, OnRefused } from '../../engine/flow-mods/stream.ts'
import type { AsyncType } from '../../protocols/openflow/async-config.ts'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import {
  encodeErrorReply,
  encodeMessage,
  type ListEntry,
  type ListType,
  type Message,
  type MessageBodies,
  type MessageType,
} from '../../protocols/openflow/message.ts'
import { type MessageForm, replyForm } from '../../protocols/openflow/message-forms.ts'
import { encodeList, MultipartWriter } from '../../protocols/openflow/multipart.ts'
import type { PacketInStencil } from '../../protocols/openflow/packet-in-stencil.ts'
import { Session } from '../../protocols/openflow/session.ts'
import { OF10, type OfVersion } from '../../protocols/openflow/version.ts'
import type { Duration } from '../../protocols/time.ts'
import { type Clock, MachineTimer } from '../services/scheduler.ts'
import { Bundles } from './bundles.ts'
import { type ConnectionKind, type ConnectionState, initialState, wants } from './connection-state.ts'
import type { FlowModMessage } from './flow-mod-message.ts'
import { WriteBatch } from './write-batch.ts'

/** Bytes of answers that wait for the peer before no more of its requests are carried out. */
const REPLY_BYTES = 1 << 20
/** Bytes that wait for the peer before what it need not know of (packet-ins) is left out. */
const DROPPABLE_BYTES = 1 << 20
/** Bytes that wait for the peer before it is given up. */
const MAX_BYTES = 16 << 20
/** Bytes of requests that wait before no more are read. */
const READ_AHEAD = 1 << 20
/** Flow-mods that go to the dataplane as one command. */
const FLOW_MODS = 256
/** Messages that are carried out at once when nothing is to be waited for. */
const AT_ONCE: ReadonlySet<MessageType> = new Set<MessageType>(['BARRIER_REQUEST', 'BUNDLE_ADD_MESSAGE'])

export interface ConnectionOptions {
  readonly duplex: Duplex
  readonly clock: Clock
  readonly kind: ConnectionKind
  /** Where it leads, for people. */
  readonly peer: string
  /** 1 << version of those that may be spoken. */
  readonly versions: number
  /** Silence after which the peer is asked whether it is there; 0 for never. */
  readonly inactivityProbe: Duration
  /** Carries out a message; the connection sends the error it answers. */
  readonly handle: (
    c: Connection,
    message: Message,
    bytes: Uint8Array,
  ) => OfErrorName | undefined | Promise<OfErrorName | undefined>
  /** Whether flow-mods go to the dataplane as they come, or by `handleFlowMods`. */
  readonly handsOver: (c: Connection) => boolean
  readonly openFlowMods: (onRefused: OnRefused) => FlowModStream
  readonly handleFlowMods: (c: Connection, mods: readonly FlowModMessage[]) => Promise<void>
  /** Versions have been agreed on. */
  readonly onReady: (c: Connection) => void
  /** With the reason; once. */
  readonly onClose: (c: Connection, reason: string) => void
  /** Every message in both directions, for snooping. */
  readonly onMessage: (bytes: Uint8Array) => void
  /** A mistake of ours while a message was carried out. */
  readonly onMistake: (error: unknown) => void
}

/** A message whose turn has not come. */
interface Waiting extends FlowModMessage {
  /** Undefined for a flow-mod, which is not read here. */
  readonly message: Message | undefined
}

export class Connection {
  readonly kind: ConnectionKind
  readonly peer: string
  readonly state: ConnectionState
  readonly bundles = new Bundles()
  readonly #options: ConnectionOptions
  readonly #duplex: Duplex
  readonly #batch: WriteBatch
  readonly #session: Session
  readonly #timer: MachineTimer
  #flowMods: FlowModStream | undefined
  #waiting: Waiting[] = []
  /** Of those that wait, how many have had their turn. */
  #taken = 0
  #waitingBytes = 0
  #closed = false
  #working = false

  constructor(options: ConnectionOptions) {
    const { duplex, clock, kind, versions, inactivityProbe } = options
    this.#options = options
    this.kind = kind
    this.peer = options.peer
    this.state = initialState(kind, OF10)
    this.#duplex = duplex
    this.#batch = new WriteBatch(duplex)
    this.#session = new Session(
      clock.now(),
      {
        send: (bytes) => this.#write(bytes),
        connected: (version) => {
          Object.assign(this.state, initialState(kind, version))
          options.onReady(this)
        },
        message: (message, bytes) => this.#message(message, bytes),
        flowMod: (bytes) => this.#flowMod(bytes),
        echo: (bytes) => options.onMessage(bytes),
        close: (reason) => this.close(reason),
      },
      { versions, inactivityProbe },
    )
    this.#timer = new MachineTimer(clock, this.#session)
    this.#timer.update()
    duplex.on('data', (chunk: Buffer) => {
      // Answers to what came together leave together.
      duplex.cork()
      this.#session.receive(clock.now(), chunk)
      duplex.uncork()
      this.#timer.update()
      if (this.#waitingBytes > READ_AHEAD) duplex.pause()
    })
    duplex.on('error', (error: Error) => this.destroy(error.message))
    duplex.on('end', () => this.close('connection closed by peer'))
    duplex.on('close', () => this.close('connection closed by peer'))
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Bytes that wait for the peer. */
  get backlog(): number {
    return this.#duplex.writableLength
  }

  /** Undefined until versions have been agreed on. */
  get version(): OfVersion | undefined {
    return this.#session.version
  }

  /** Ends it; what has been written before still leaves. Idempotent. */
  close(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#timer.stop()
    this.#batch.flush()
    this.#flowMods?.close()
    this.#waiting = []
    this.#taken = 0
    this.#duplex.end(() => this.#duplex.destroy())
    this.#options.onClose(this, reason)
  }

  /** Ends it at once. */
  destroy(reason: string): void {
    this.close(reason)
    this.#duplex.destroy()
  }

  reply<T extends MessageType>(request: Message, type: T, body: MessageBodies[T]): void {
    const { version, xid } = request
    const bytes = encodeMessage(type, body, { version, xid, form: replyForm(request.form, type, version) })
    if (bytes !== undefined) this.#write(bytes)
  }

  /** A list as reply, in as many messages as it takes; its entries may come in parts. */
  async replyList<T extends ListType>(
    request: Message,
    type: T,
    parts: AsyncIterable<readonly ListEntry<T>[]> | Iterable<readonly ListEntry<T>[]>,
  ): Promise<void> {
    const { version, xid } = request
    const form = replyForm(request.form, type, version)!
    const writer = new MultipartWriter(type, form, version, xid)
    for await (const part of parts) {
      for (const entry of part) writer.append(entry)
      for (const bytes of writer.takeFull()) this.#write(bytes)
      await this.writable()
      if (this.#closed) return
    }
    for (const bytes of writer.finish()) this.#write(bytes)
  }

  /**
   * A list that answers nothing, or goes on with an answer.
   * @param onSent is called for each of its messages when the peer has taken it
   * @returns its bytes
   */
  sendList<T extends ListType>(
    type: T,
    entries: Iterable<ListEntry<T>>,
    { form, xid = 0, onSent }: { form: MessageForm; xid?: number; onSent?: (bytes: number) => void },
  ): number {
    const { version } = this
    if (version === undefined || this.#closed) return 0
    let length = 0
    for (const bytes of encodeList(type, entries, { version, xid, form })) {
      length += bytes.length
      this.#write(bytes, onSent)
    }
    return length
  }

  /** Answers the message `bytes` by an error. */
  error(bytes: Uint8Array, name: OfErrorName): void {
    this.#write(encodeErrorReply(name, bytes, this.version))
  }

  /** A message that answers nothing; false where the version has no such message. */
  send<T extends MessageType>(
    type: T,
    body: MessageBodies[T],
    options: { form?: MessageForm | undefined; xid?: number } = {},
  ): boolean {
    const { version } = this
    const { form, xid = 0 } = options
    if (version === undefined || this.#closed) return false
    const bytes = encodeMessage(type, body, { version, xid, form })
    if (bytes === undefined) return false
    this.#write(bytes)
    return true
  }

  /** Whether an asynchronous message of a type and reason (its number) is for this connection. */
  wants(type: AsyncType, reason: number): boolean {
    return this.version !== undefined && wants(this.state, this.kind, type, reason)
  }

  /** Resolves when the peer has read enough for more answers, or has left. */
  writable(): Promise<void> {
    return this.#duplex.writableLength < REPLY_BYTES ? Promise.resolve() : this.#drained()
  }

  /** Resolves when the peer has read all that was sent to it, or has left. */
  #drained(): Promise<void> {
    if (this.#closed || !this.#duplex.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        this.#duplex.off('drain', done)
        this.#duplex.off('close', done)
        resolve()
      }
      this.#duplex.on('drain', done)
      this.#duplex.on('close', done)
    })
  }

  /** A packet for the peer, without which a slow one goes; it leaves together with others of the same moment. */
  sendPacketIn(stencil: PacketInStencil, packet: Uint8Array): void {
    if (this.#closed || this.#duplex.writableLength > DROPPABLE_BYTES) return
    const length = stencil.length(packet.length)
    if (length === 0) return
    this.#batch.add(length, (out, at) => {
      stencil.write(packet, out, at)
      this.#options.onMessage(out.subarray(at, at + length))
    })
  }

  #write(bytes: Uint8Array, onSent?: (bytes: number) => void): void {
    if (this.#closed) return
    this.#batch.flush()
    this.#options.onMessage(bytes)
    if (onSent === undefined) this.#duplex.write(bytes)
    else this.#duplex.write(bytes, () => onSent(bytes.length))
    if (this.#duplex.writableLength > MAX_BYTES) this.destroy('it does not read what it is sent')
  }

  #message(message: Message, bytes: Uint8Array): void {
    // What is read ahead is read as it is asked for here, not when its turn comes.
    if (message.type === 'FLOW_MOD_TABLE_ID') this.#session.tableIdExtension = message.body
    this.#options.onMessage(bytes)
    const atOnce = AT_ONCE.has(message.type) && this.#idle
    if (!atOnce || !(this.#flowMods?.settle() ?? true)) {
      this.#enqueue(message, bytes)
      return
    }
    const error = this.#options.handle(this, message, bytes)
    if (typeof error === 'string') this.error(bytes, error)
  }

  #flowMod(bytes: Uint8Array): void {
    this.#options.onMessage(bytes)
    if (!this.#idle || !this.#handOver(bytes, this.#session.tableIdExtension)) this.#enqueue(undefined, bytes)
  }

  /** Whether everything that came before has had its turn, and the peer reads its answers. */
  get #idle(): boolean {
    if (this.#working || this.#waiting.length > 0 || this.#closed) return false
    return this.#duplex.writableLength < REPLY_BYTES
  }

  /** Gives a flow-mod to the dataplane; false if it is not to be done this way, or not yet. */
  #handOver(bytes: Uint8Array, tableIdExtension: boolean): boolean {
    if (!this.#options.handsOver(this)) return false
    this.#flowMods ??= this.#options.openFlowMods((error, refused) => this.error(refused, error))
    return this.#flowMods.push(bytes, tableIdExtension)
  }

  #enqueue(message: Message | undefined, bytes: Uint8Array): void {
    if (this.#closed) return
    const { tableIdExtension } = this.#session
    this.#waiting.push({ message, bytes: Uint8Array.from(bytes), tableIdExtension })
    this.#waitingBytes += bytes.length
    void this.#work()
  }

  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    try {
      while (this.#taken < this.#waiting.length) {
        const { message, bytes, tableIdExtension } = this.#waiting[this.#taken]!
        if (message !== undefined || !this.#options.handsOver(this)) {
          if (!(this.#flowMods?.settle() ?? true)) await this.#flowMods!.settled()
          await this.#carryOut(this.#take())
        } else if (this.#handOver(bytes, tableIdExtension)) this.#leave(1)
        else await this.#flowMods!.room()
        if (this.#duplex.writableLength >= REPLY_BYTES) await this.writable()
        if (this.#waitingBytes < READ_AHEAD) this.#duplex.resume()
      }
    } catch (error) {
      if (!this.#closed) this.#options.onMistake(error)
      this.destroy('a mistake in the switch')
    } finally {
      this.#working = false
    }
  }

  /** The next message; of flow-mods, all that follow each other. */
  #take(): Waiting[] {
    const from = this.#taken
    let to = from
    while (to < from + FLOW_MODS && to < this.#waiting.length && this.#waiting[to]!.message === undefined)
      to++
    const taken = this.#waiting.slice(from, Math.max(from + 1, to))
    this.#leave(taken.length)
    return taken
  }

  /** Takes the first `n` from those that wait. */
  #leave(n: number): void {
    for (let i = 0; i < n; i++) this.#waitingBytes -= this.#waiting[this.#taken++]!.bytes.length
    if (this.#taken < this.#waiting.length) return
    this.#waiting = []
    this.#taken = 0
  }

  async #carryOut(taken: readonly Waiting[]): Promise<void> {
    const { message, bytes } = taken[0]!
    if (message === undefined) {
      await this.#options.handleFlowMods(this, taken)
      return
    }
    const error = await this.#options.handle(this, message, bytes)
    if (error !== undefined) this.error(bytes, error)
  }
}
