/** A dummy port's wire: streams to other switches or programs, asked for (`stream`) or awaited (`pstream`). */
import type { Duplex } from 'node:stream'
import { SECOND } from '../../protocols/time.ts'
import { parseAddress } from '../net/address.ts'
import { type Listener, listenStreams, openStream } from '../net/stream.ts'
import type { Cancel, Clock } from '../services/scheduler.ts'
import { FrameReader, framed } from './frame-stream.ts'

export interface DummyStreamOptions {
  readonly clock: Clock
  readonly onFrames: (frames: readonly Uint8Array[]) => void
  readonly warn: (message: string) => void
}

/** Bytes that wait for a peer before frames are dropped. */
const MAX_WAITING = 1 << 20
const RETRY = SECOND
/** None is usual. */
const NO_PORT = 0

export class DummyStream {
  readonly #options: DummyStreamOptions
  readonly #peers = new Set<Duplex>()
  readonly #ended = new AbortController()
  #listener: Listener | undefined
  #retry: Cancel | undefined

  /** @param target `unix:FILE`, `tcp:IP:PORT`, or the same with a p to be waited at */
  constructor(target: string, options: DummyStreamOptions) {
    this.#options = options
    const address = parseAddress(target, NO_PORT)
    if (address === undefined) {
      options.warn(`${target}: no address of a stream`)
      return
    }
    if (!address.passive) {
      const connect = () => {
        openStream(address, undefined, this.#ended.signal).then(
          (peer) => this.#serve(peer, again),
          () => again(),
        )
      }
      const again = () => {
        if (this.#ended.signal.aborted) return
        const { clock } = options
        this.#retry = clock.schedule(clock.now() + RETRY, connect)
      }
      connect()
      return
    }
    listenStreams(address, undefined, ({ duplex }) => this.#serve(duplex, () => {})).then(
      (listener) => {
        this.#listener = listener
        if (this.#ended.signal.aborted) void listener.close()
      },
      (error: Error) => options.warn(`${target}: ${error.message}`),
    )
  }

  get connected(): boolean {
    return this.#peers.size > 0
  }

  send(frame: Uint8Array): void {
    for (const peer of this.#peers) if (peer.writableLength < MAX_WAITING) peer.write(framed(frame))
  }

  close(): void {
    this.#ended.abort()
    this.#retry?.()
    void this.#listener?.close()
    for (const peer of this.#peers) peer.destroy()
  }

  #serve(peer: Duplex, gone: () => void): void {
    if (this.#ended.signal.aborted) {
      peer.destroy()
      return
    }
    const reader = new FrameReader()
    this.#peers.add(peer)
    peer.on('data', (chunk: Buffer) => {
      const frames = reader.push(chunk)
      if (frames === undefined) peer.destroy()
      else if (frames.length > 0) this.#options.onFrames(frames)
    })
    peer.on('error', () => peer.destroy())
    peer.on('close', () => {
      this.#peers.delete(peer)
      gone()
    })
  }
}
