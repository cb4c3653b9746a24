/** What the codec of a message body is: it has no header, is given the form on the wire, and never throws on bytes. */

import type { ActionListCache } from './action-list-cache.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { OfFault } from './error.ts'
import { isFault } from './error.ts'
import type { Match } from './match.ts'
import type { MessageForm } from './message-forms.ts'
import type { OfVersion } from './version.ts'

/** The form that a body has or is to have. */
export interface BodyForm {
  version: OfVersion
  form: MessageForm
}

/** A body's bytes: those of `b` from `o` to `end`, at least the form's minBody of them. */
export interface Body extends BodyForm {
  b: Uint8Array
  o: number
  end: number
  /** The flow_mod_table_id extension is on: a table stands in the command of 1.0's flow-mods. */
  tableIdExtension: boolean
  /** Of flow-mods: an empty match to fill in place of a new one. */
  match?: Match | undefined
  /** Of flow-mods: lists of actions read before, to be shared. */
  actions?: ActionListCache | undefined
}

export interface BodyCodec<T> {
  decode(body: Body): T | OfFault
  encode(w: ByteWriter, value: T, to: BodyForm): void
}

/** Multipart bodies that are lists, of which a message may hold any part. */
export interface ListCodec<T> extends BodyCodec<readonly T[]> {
  encodeEntry(w: ByteWriter, entry: T, to: BodyForm): void
}

export interface Entry<T> {
  entry: T
  /** Where the next one begins, behind `o`. */
  next: number
}

/** Of a codec of entries, one of lists of them. */
export function listCodec<T>(
  decodeEntry: (body: Body, o: number) => Entry<T> | OfFault,
  encodeEntry: (w: ByteWriter, entry: T, to: BodyForm) => void,
): ListCodec<T> {
  return {
    decode(body) {
      const entries: T[] = []
      let { o } = body
      while (o < body.end) {
        const e = decodeEntry(body, o)
        if (isFault(e)) return e
        entries.push(e.entry)
        o = e.next
      }
      return entries
    },
    encode(w, entries, to) {
      for (const e of entries) encodeEntry(w, e, to)
    },
    encodeEntry,
  }
}

/** Entries of fixed size, of which the form's length check has made sure that they are whole. */
export function fixedListCodec<T>(
  decodeEntry: (body: Body, o: number) => T | OfFault,
  encodeEntry: (w: ByteWriter, entry: T, to: BodyForm) => void,
): ListCodec<T> {
  return listCodec((body, o) => {
    const entry = decodeEntry(body, o)
    return isFault(entry) ? entry : { entry, next: o + body.form.multiple }
  }, encodeEntry)
}

/** Bodies that say nothing. */
export const VOID: BodyCodec<undefined> = {
  decode: () => undefined,
  encode: () => {},
}

/** Bodies that are bytes. */
export const BYTES: BodyCodec<Uint8Array> = {
  decode: ({ b, o, end }) => b.slice(o, end),
  encode: (w, bytes) => {
    w.raw(bytes)
  },
}
