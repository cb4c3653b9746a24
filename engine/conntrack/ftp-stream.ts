/**
 * One direction of an FTP control connection: its lines, whichever way segments divide them, and what has been
 * changed in it.
 *
 * A line is read when it is whole. Its beginning may have passed us by then, unless an address in it will have
 * to be replaced: then a segment that ends within the address is withheld until the rest is there, and goes on
 * as one with it. A sender that waits for its acknowledgment sends it again; then it passes unchanged, for a
 * control connection that stands still is worse than a transfer that fails.
 */
import {
  type DataEndpoint,
  endpointBegins,
  MAX_LINE,
  parseDataEndpoint,
} from '../../protocols/ftp/data-endpoint.ts'
import { SYN } from '../../protocols/wire/tcp.ts'
import { type Edit, SequenceEdits } from './sequence-edits.ts'
import type { TcpPacket } from './tcp-packet.ts'

/** What becomes of a segment. */
export const HELP_PASS = 0
/** It is withheld, or could not be changed: it goes no further. */
export const HELP_SWALLOW = 1
/** It announces what it may not. */
export const HELP_INVALID = 2

const NEWLINE = 10

/** What an announced endpoint leads to. */
export interface EndpointSink {
  /** Whether addresses that this direction announces must be replaced. */
  readonly translates: boolean
  /** An endpoint was announced. @returns what is to stand in its place, or undefined when it may not be announced */
  announced(endpoint: DataEndpoint): string | undefined
}

export class FtpStream {
  readonly edits = new SequenceEdits()
  /** The sender's number of the next byte not yet seen. */
  #next: number | undefined
  /** The line so far, and the number of its first byte. */
  #line = ''
  #lineAt = 0
  #withheld: { at: number; bytes: Uint8Array } | undefined

  /** Reads a segment that is sound, and makes it what the receiver shall see, acknowledgments aside. */
  segment(p: TcpPacket, sink: EndpointSink): number {
    if ((p.flags & SYN) !== 0) this.#begin(p.seq + 1)
    let verdict = HELP_PASS
    if (p.end > p.payload) {
      const giveUp = this.#restore(p)
      if (sink.translates && !giveUp && this.#endsInAddress(p)) {
        this.#withheld = { at: p.seq, bytes: p.pool.u8.slice(p.payload, p.end) }
        return HELP_SWALLOW
      }
      verdict = this.#read(p, sink, giveUp)
      if (verdict !== HELP_PASS) return verdict
    }
    return this.#apply(p) ? HELP_PASS : HELP_SWALLOW
  }

  #begin(next: number): void {
    this.#next = next | 0
    this.#line = ''
    this.#lineAt = this.#next
  }

  /** Puts what was withheld before its continuation. @returns whether it was sent again instead */
  #restore(p: TcpPacket): boolean {
    const w = this.#withheld
    if (w === undefined) return false
    if (p.seq === ((w.at + w.bytes.length) | 0)) {
      if (p.replace(p.payload, 0, w.bytes)) p.setSeq(w.at)
      this.#withheld = undefined
      return false
    }
    if (p.seq !== w.at) return false
    this.#withheld = undefined
    return p.end - p.payload <= w.bytes.length
  }

  /** The bytes of a segment not seen before; what comes behind a gap begins a line. */
  #fresh(p: TcpPacket): Uint8Array {
    const { seq, payload, end } = p
    if (this.#next === undefined || ((seq - this.#next) | 0) > 0) this.#begin(seq)
    const known = (this.#next! - seq) | 0
    return known >= end - payload ? new Uint8Array(0) : p.pool.u8.subarray(payload + known, end)
  }

  #endsInAddress(p: TcpPacket): boolean {
    const fresh = this.#fresh(p)
    const from = fresh.lastIndexOf(NEWLINE) + 1
    const line = (from === 0 ? this.#line : '') + text(fresh.subarray(from))
    return line.length <= MAX_LINE && endpointBegins(line) !== undefined
  }

  #read(p: TcpPacket, sink: EndpointSink, unchanged: boolean): number {
    const fresh = this.#fresh(p)
    let verdict = HELP_PASS
    for (let from = 0; from < fresh.length; ) {
      const newline = fresh.indexOf(NEWLINE, from)
      const to = newline < 0 ? fresh.length : newline + 1
      // One character more than counts is enough to tell that the line is too long.
      if (this.#line.length <= MAX_LINE)
        this.#line += text(fresh.subarray(from, Math.min(to, from + MAX_LINE + 1)))
      if (newline >= 0) {
        if (!unchanged && !this.#take(p, sink)) verdict = HELP_INVALID
        this.#line = ''
        this.#lineAt = (this.#next! + to) | 0
      }
      from = to
    }
    this.#next = (this.#next! + fresh.length) | 0
    return verdict
  }

  /** A line is whole. @returns false when it announces what it may not */
  #take(p: TcpPacket, sink: EndpointSink): boolean {
    const endpoint = this.#line.length <= MAX_LINE ? parseDataEndpoint(this.#line) : undefined
    if (endpoint === undefined) return true
    const instead = sink.announced(endpoint)
    if (instead === undefined) return false
    const at = (this.#lineAt + endpoint.at) | 0
    const changed = instead !== this.#line.slice(endpoint.at, endpoint.end)
    if (sink.translates && changed && ((at - p.seq) | 0) >= 0) {
      this.edits.add({ at, length: endpoint.end - endpoint.at, text: bytes(instead) })
    }
    return true
  }

  /** Changes a segment as its edits say. @returns false when it holds but a part of one */
  #apply(p: TcpPacket): boolean {
    if (this.edits.none) return true
    const { seq } = p
    const inside: Edit[] = []
    for (const edit of this.edits.edits) {
      const from = (edit.at - seq) | 0
      const to = from + edit.length
      if (to <= 0 || from >= p.end - p.payload) continue
      if (from < 0 || to > p.end - p.payload) return false
      inside.push(edit)
    }
    for (const { at, length, text: instead } of inside.reverse()) {
      if (!p.replace(p.payload + ((at - seq) | 0), length, instead)) return false
    }
    p.setSeq(this.edits.toReceiver(seq))
    return true
  }
}

/** A character a byte. */
function text(some: Uint8Array): string {
  return String.fromCharCode(...some)
}

function bytes(some: string): Uint8Array {
  return Uint8Array.from(some, (c) => c.charCodeAt(0))
}
