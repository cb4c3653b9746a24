/**
 * Messages to and from one peer that speaks JSON-RPC: over a stream of bytes, or within the process, where values
 * pass as they are. Neither end can tell which.
 */

import type { Duplex } from 'node:stream'
import { type RpcMessage, rpcJson, rpcMessage } from '../../protocols/ovsdb/json-rpc.ts'
import { JsonStream } from '../../protocols/ovsdb/json-stream.ts'
import { formatJson } from '../../protocols/ovsdb/json-text.ts'
import type { ReceiveBudget } from './receive-budget.ts'

export interface ChannelHandlers {
  message(message: RpcMessage): void
  /** Bytes have come, be they a message or not: the peer lives. */
  alive?(): void
  /** The peer has taken all that there was: the backlog is 0 again. */
  drained?(): void
  /** Called once, and nothing after it. @param reason for people; undefined when we have closed it */
  closed(reason: string | undefined): void
}

export interface Channel {
  /** The peer, for people: `tcp:127.0.0.1:40312`, `unix`, … */
  readonly peer: string
  /** Bytes that the peer has not yet taken. */
  readonly backlog: number
  /** To be called once; before it nothing is read. */
  start(handlers: ChannelHandlers): void
  /** Nothing is sent any more when the channel is closed. */
  send(message: RpcMessage): void
  /** While paused no message comes, and a remote peer is held up by its own socket. */
  pause(): void
  resume(): void
  /** What was sent still goes out, if the peer takes it. Idempotent. */
  close(): void
  /** What the peer has not taken is lost. Idempotent, and possible after `close`. */
  abort(): void
}

const decode = (bytes: Uint8Array, ascii: boolean): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(ascii ? 'latin1' : 'utf8')

/** Bytes of one message from a peer. */
const MAX_MESSAGE = 256 * 2 ** 20

export interface StreamChannelOptions {
  readonly maxMessage?: number
  /** Shared with other channels. */
  readonly budget?: ReceiveBudget | undefined
}

export class StreamChannel implements Channel {
  readonly peer: string
  readonly #duplex: Duplex
  readonly #stream: JsonStream
  readonly #waiting: RpcMessage[] = []
  #handlers: ChannelHandlers | undefined
  /** Texts of this turn of the event loop, which go out as one. */
  #outgoing: string[] = []
  #outgoingLength = 0
  readonly #budget: ReceiveBudget | undefined
  /** Bytes of a message that is not whole yet, as the budget knows them. */
  #unfinished = 0
  #paused = false
  #closed = false

  constructor(duplex: Duplex, peer: string, options: StreamChannelOptions = {}) {
    this.#duplex = duplex
    this.peer = peer
    this.#budget = options.budget
    this.#stream = new JsonStream({ maxLength: options.maxMessage ?? MAX_MESSAGE, decode })
  }

  get backlog(): number {
    return this.#outgoingLength + this.#duplex.writableLength
  }

  start(handlers: ChannelHandlers): void {
    this.#handlers = handlers
    this.#duplex.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#duplex.on('error', (error: NodeJS.ErrnoException) => this.#end(error.message))
    this.#duplex.on('end', () => this.#end('connection closed by peer'))
    this.#duplex.on('close', () => this.#end('connection closed by peer'))
  }

  send(message: RpcMessage): void {
    if (this.#closed) return
    const text = formatJson(rpcJson(message))
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush())
    this.#outgoing.push(text)
    this.#outgoingLength += text.length
  }

  pause(): void {
    this.#paused = true
    this.#duplex.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#deliver()
    if (!this.#paused) this.#duplex.resume()
  }

  close(): void {
    if (this.#closed) return
    this.#flush()
    this.#duplex.end()
    this.#end(undefined)
  }

  abort(): void {
    this.#duplex.destroy()
    this.#end(undefined)
  }

  #flush(): void {
    if (this.#outgoing.length === 0) return
    this.#duplex.write(this.#outgoing.join(''), this.#written)
    this.#outgoing = []
    this.#outgoingLength = 0
  }

  readonly #written = (): void => {
    if (!this.#closed && this.backlog === 0) this.#handlers?.drained?.()
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return
    this.#handlers!.alive?.()
    let wrong: string | undefined
    this.#stream.push(chunk, (json) => {
      if (wrong !== undefined) return
      const message = rpcMessage(json)
      if (typeof message === 'string') wrong = `received bad JSON-RPC message: ${message}`
      else this.#waiting.push(message)
    })
    this.#deliver()
    wrong ??= this.#stream.failure && `error parsing stream: ${this.#stream.failure.message}`
    if (!this.#account(this.#stream.pending)) wrong ??= 'no memory for a message of this length now'
    if (wrong !== undefined) this.#end(wrong)
  }

  /** Hands out what has come until somebody asks for a pause. */
  #deliver(): void {
    while (this.#waiting.length > 0 && !this.#paused) this.#handlers!.message(this.#waiting.shift()!)
  }

  /** Whether there is room for so much of a message. */
  #account(unfinished: number): boolean {
    const before = this.#unfinished
    this.#unfinished = unfinished
    return this.#budget?.resize(before, unfinished) ?? true
  }

  #end(reason: string | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#account(0)
    this.#outgoing = []
    this.#waiting.length = 0
    if (reason !== undefined) this.#duplex.destroy()
    this.#duplex.on('error', () => {})
    // What the peer still sends is nobody's.
    this.#duplex.resume()
    this.#handlers?.closed(reason)
  }
}

/** Two ends of a channel within the process. Messages arrive after the current call, in their order. */
export function channelPair(): readonly [Channel, Channel] {
  const a = new MemoryChannel()
  const b = new MemoryChannel()
  a.connect(b)
  b.connect(a)
  return [a, b]
}

class MemoryChannel implements Channel {
  readonly peer = 'internal'
  readonly backlog = 0
  #other!: MemoryChannel
  #handlers: ChannelHandlers | undefined
  #incoming: RpcMessage[] = []
  #scheduled = false
  #paused = false
  #closed = false

  connect(other: MemoryChannel): void {
    this.#other = other
  }

  start(handlers: ChannelHandlers): void {
    this.#handlers = handlers
    this.#schedule()
  }

  send(message: RpcMessage): void {
    if (this.#closed) return
    this.#other.#incoming.push(message)
    this.#other.#schedule()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  close(): void {
    if (this.#closed) return
    this.#end(undefined)
    // Behind what was sent.
    queueMicrotask(() => this.#other.#end('connection closed by peer'))
  }

  abort(): void {
    this.close()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => this.#deliver())
  }

  #deliver(): void {
    this.#scheduled = false
    while (this.#incoming.length > 0 && this.#handlers !== undefined && !this.#paused) {
      this.#handlers.alive?.()
      this.#handlers.message(this.#incoming.shift()!)
    }
  }

  #end(reason: string | undefined): void {
    if (this.#closed) return
    if (reason !== undefined) this.#deliver()
    this.#closed = true
    this.#incoming.length = 0
    this.#handlers?.closed(reason)
  }
}
