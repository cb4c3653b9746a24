/**
 * What a helper has changed in one direction of a TCP stream, so that sequence numbers fit on both sides of us
 * and a retransmission is changed as the first time. Numbers are signed words, compared modulo 2^32.
 *
 * The sender counts in numbers of its own; what is behind an edit has other numbers for the receiver. Edits
 * are few (one a transfer); of those that both ends are long past only the sum of their growth is kept.
 */

export interface Edit {
  /** The sender's number of the first byte replaced. */
  readonly at: number
  /** Bytes replaced. */
  readonly length: number
  readonly text: Uint8Array
}

/** Edits of a direction that are remembered one by one. */
const MAX_EDITS = 16

export class SequenceEdits {
  readonly edits: Edit[] = []
  /** Growth by edits no longer remembered. */
  #before = 0

  get none(): boolean {
    return this.edits.length === 0 && this.#before === 0
  }

  /** Edits come in the order of the stream. */
  add(edit: Edit): void {
    this.edits.push(edit)
    if (this.edits.length <= MAX_EDITS) return
    const { text, length } = this.edits.shift()!
    this.#before += text.length - length
  }

  /** The receiver's number for one of the sender's; inside an edit, that of its beginning. */
  toReceiver(seq: number): number {
    let shift = this.#before
    for (const { at, length, text } of this.edits) {
      if (((seq - at) | 0) <= 0) break
      if (((seq - at - length) | 0) < 0) return (at + shift) | 0
      shift += text.length - length
    }
    return (seq + shift) | 0
  }

  /** The sender's number for what the receiver acknowledges; inside an edit, that of its beginning. */
  toSender(ack: number): number {
    let shift = this.#before
    for (const { at, length, text } of this.edits) {
      const begins = (at + shift) | 0
      if (((ack - begins) | 0) <= 0) break
      if (((ack - begins - text.length) | 0) < 0) return at
      shift += text.length - length
    }
    return (ack - shift) | 0
  }
}
