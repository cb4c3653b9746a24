/**
 * Packet-ins of one flow differ by the packet alone: everything else is encoded once, and a message is made by
 * putting a packet between what stands before and after it.
 */
import { NO_BUFFER } from './flow-mod.ts'
import { encodeMessage } from './message.ts'
import { formByName } from './message-forms.ts'
import { MAX_MESSAGE } from './message-header.ts'
import type { PacketIn, PacketInFormat } from './packet-in.ts'
import { OF11, type OfVersion } from './version.ts'

const HEADER_LEN = 8
const NICIRA_HEADER_LEN = 16
/** Where the length of the whole packet stands, 16 bits, in the body: OpenFlow 1.1's, and all others'. */
const TOTAL_LEN_OF11 = 12
const TOTAL_LEN = 4
/** NXT_PACKET_IN2: the packet is the first property, whose header is its type and length. */
const PROPERTY_HEADER_LEN = 4
const EMPTY_PROPERTY = 8

const FORMS: Record<Exclude<PacketInFormat, 'standard'>, string> = {
  nxt_packet_in: 'NXT_PACKET_IN',
  nxt_packet_in2: 'NXT_PACKET_IN2',
}

export class PacketInStencil {
  readonly #before: Uint8Array
  readonly #after: Uint8Array
  /** Where a length stands in `before`, and what it counts besides the packet. */
  readonly #lengthAt: number
  readonly #lengthOf: number
  readonly #padded: boolean

  private constructor(
    before: Uint8Array,
    after: Uint8Array,
    lengthAt: number,
    lengthOf: number,
    padded: boolean,
  ) {
    this.#before = before
    this.#after = after
    this.#lengthAt = lengthAt
    this.#lengthOf = lengthOf
    this.#padded = padded
  }

  /** For packets that are sent whole and not kept; undefined if no message can hold what comes with them. */
  static make(
    facts: Omit<PacketIn, 'packet' | 'totalLength' | 'bufferId'>,
    version: OfVersion,
    format: PacketInFormat,
  ): PacketInStencil | undefined {
    const packetIn = { ...facts, packet: new Uint8Array(0), totalLength: 0, bufferId: NO_BUFFER }
    const form = format === 'standard' ? undefined : formByName(FORMS[format])
    const bytes = encodeMessage('PACKET_IN', packetIn, { version, form })
    if (bytes === undefined) return undefined
    if (format === 'nxt_packet_in2') {
      const before = bytes.subarray(0, NICIRA_HEADER_LEN + PROPERTY_HEADER_LEN)
      const after = bytes.subarray(NICIRA_HEADER_LEN + EMPTY_PROPERTY)
      return new PacketInStencil(before, after, NICIRA_HEADER_LEN + 2, PROPERTY_HEADER_LEN, true)
    }
    const header = format === 'nxt_packet_in' ? NICIRA_HEADER_LEN : HEADER_LEN
    const total = format === 'standard' && version === OF11 ? TOTAL_LEN_OF11 : TOTAL_LEN
    return new PacketInStencil(bytes, bytes.subarray(bytes.length), header + total, 0, false)
  }

  /** Length of the message for a packet of `length` bytes; 0 if it finds no room in one. */
  length(length: number): number {
    const message = this.#before.length + length + this.#padding(length) + this.#after.length
    return message > MAX_MESSAGE ? 0 : message
  }

  /** Writes the message for a packet, of which there must be `length` bytes of room. */
  write(packet: Uint8Array, out: Uint8Array, at: number): void {
    const length = this.length(packet.length)
    const counted = packet.length + this.#lengthOf
    const before = this.#before
    for (let i = 0; i < before.length; i++) out[at + i] = before[i]
    out[at + 2] = length >>> 8
    out[at + 3] = length
    out[at + this.#lengthAt] = counted >>> 8
    out[at + this.#lengthAt + 1] = counted
    let o = at + before.length
    out.set(packet, o)
    o += packet.length
    for (let n = this.#padding(packet.length); n > 0; n--) out[o++] = 0
    out.set(this.#after, o)
  }

  #padding(length: number): number {
    return this.#padded ? (8 - ((PROPERTY_HEADER_LEN + length) & 7)) & 7 : 0
  }
}
