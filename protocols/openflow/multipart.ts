/** Multiparts: lists spread over messages of at most 64 KiB, and put together again. */

import { ByteWriter } from './byte-writer.ts'
import { encodeEntry } from './message.ts'
import { formsOf, type MessageForm } from './message-forms.ts'
import { MAX_MESSAGE, MORE_AT, putHeader } from './message-header.ts'
import type { ListEntry, ListType, Message } from './message-types.ts'
import type { OfVersion } from './version.ts'

/** Spreads entries over as many messages as they need. All but the last have the flag "more". */
export class MultipartWriter<T extends ListType> {
  private readonly type: T
  private readonly form: MessageForm
  private readonly version: OfVersion
  private readonly xid: number
  private readonly limit: number
  private readonly done: Uint8Array[] = []
  private w = new ByteWriter()
  private readonly headerLength: number
  /** Entries that were too large for any message and were left out, as Open vSwitch does. */
  dropped = 0

  /** `form` is a multipart's: of replyForm(request, type, version). `limit` is for tests. */
  constructor(type: T, form: MessageForm, version: OfVersion, xid: number, limit = MAX_MESSAGE) {
    this.type = type
    this.form = form
    this.version = version
    this.xid = xid
    this.limit = limit
    this.begin()
    this.headerLength = this.w.length
  }

  private begin(): void {
    this.w = new ByteWriter()
    putHeader(this.w, this.version, this.form, this.xid)
  }

  private close(more: boolean): void {
    this.w.patch16(2, this.w.length).patch16(MORE_AT, more ? 1 : 0)
    this.done.push(this.w.finish())
  }

  append(entry: ListEntry<T>): void {
    const start = this.w.length
    encodeEntry(this.w, this.type, entry, this.version, this.form)
    if (this.w.length <= this.limit) return
    const bytes = this.w.finish().subarray(start)
    this.w.length = start
    if (bytes.length + this.headerLength > this.limit) {
      this.dropped++
      return
    }
    this.close(true)
    this.begin()
    this.w.raw(bytes)
  }

  /** The messages that are full; those of `finish` come on top. For sending while the list is still being made. */
  takeFull(): Uint8Array[] {
    return this.done.splice(0)
  }

  /** Ends the list: all messages not taken yet, at least one. */
  finish(): Uint8Array[] {
    this.close(false)
    return this.takeFull()
  }
}

/** A whole list; empty if the version has no such message. */
export function encodeList<T extends ListType>(
  type: T,
  entries: Iterable<ListEntry<T>>,
  {
    version,
    xid = 0,
    form = formsOf(type, version)[0],
  }: { version: OfVersion; xid?: number; form?: MessageForm | undefined },
): Uint8Array[] {
  if (form === undefined) return []
  const w = new MultipartWriter(type, form, version, xid)
  for (const e of entries) w.append(e)
  return w.finish()
}

/** Entries of unfinished multiparts that one connection may have waiting unless told otherwise, and how many lists. */
const MAX_WAITING_ENTRIES = 4096
const MAX_WAITING = 64

/**
 * Puts lists together again, by type and xid. What is not a list, or comes in one piece, passes through. A peer that
 * never ends its lists is refused: `add` returns 'overflow'.
 */
export class MultipartAssembler {
  private readonly waiting = new Map<string, { entries: unknown[] }>()
  private entries = 0
  private readonly maxEntries: number

  constructor(maxEntries = MAX_WAITING_ENTRIES) {
    this.maxEntries = maxEntries
  }

  /** The whole message, or undefined while more is to come. */
  add(message: Message): Message | undefined | 'overflow' {
    const key = `${message.type}:${message.xid}`
    const before = this.waiting.get(key)
    if (before === undefined && !message.more) return message
    if (!Array.isArray(message.body)) return message
    const all = before ?? { entries: [] }
    this.entries += message.body.length
    if (this.entries > this.maxEntries || (before === undefined && this.waiting.size >= MAX_WAITING)) {
      this.clear()
      return 'overflow'
    }
    for (const e of message.body) all.entries.push(e)
    if (message.more) {
      this.waiting.set(key, all)
      return undefined
    }
    this.waiting.delete(key)
    this.entries -= all.entries.length
    return { ...message, body: all.entries } as Message
  }

  clear(): void {
    this.waiting.clear()
    this.entries = 0
  }
}
