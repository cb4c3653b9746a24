/**
 * Writing capture files: pcapng, draft-ietf-opsawg-pcapng. One section, Ethernet interfaces, every frame an
 * Enhanced Packet Block with its direction and, if there is something to say, a comment. Blocks are written in
 * little-endian order; the section header says so. pcapng-reader.ts reads them.
 */

import type { Instant } from '../time.ts'
import { encodeUtf8 } from './utf8.ts'

export const BLOCK_SECTION_HEADER = 0x0a0d_0d0a
export const BLOCK_INTERFACE = 1
export const BLOCK_SIMPLE_PACKET = 3
export const BLOCK_ENHANCED_PACKET = 6
export const BYTE_ORDER_MAGIC = 0x1a2b_3c4d

export const OPTION_END = 0
export const OPTION_COMMENT = 1
export const SHB_USERAPPL = 4
export const IF_NAME = 2
export const IF_DESCRIPTION = 3
export const IF_TSRESOL = 9
export const EPB_FLAGS = 2

/** LINKTYPE_ETHERNET. */
export const LINKTYPE_ETHERNET = 1

/** Values of the direction bits of epb_flags, §4.3.1. */
export const UNKNOWN = 0
export const INBOUND = 1
export const OUTBOUND = 2
export type Direction = typeof UNKNOWN | typeof INBOUND | typeof OUTBOUND

/** Longest frame that common readers accept. */
export const SNAPLEN_MAX = 262_144

/** Decimal digits of a second: microseconds or nanoseconds. */
export type Resolution = 6 | 9

export interface InterfaceRepr {
  name: string
  description?: string
  /** Bytes kept of each frame; default SNAPLEN_MAX. */
  snaplen?: number
  /** Default microseconds. An `Instant` of today resolves about 0.25 µs. */
  resolution?: Resolution
}

interface Option {
  code: number
  value: Uint8Array
}

const OPTION_MAX = 65_535
const pad4 = (n: number): number => (n + 3) & ~3

function put16le(b: Uint8Array, o: number, v: number): void {
  b[o] = v
  b[o + 1] = v >>> 8
}

function put32le(b: Uint8Array, o: number, v: number): void {
  b[o] = v
  b[o + 1] = v >>> 8
  b[o + 2] = v >>> 16
  b[o + 3] = v >>> 24
}

function text(code: number, value: string): Option {
  return { code, value: encodeUtf8(value).subarray(0, OPTION_MAX) }
}

function optionsLength(options: readonly Option[]): number {
  if (options.length === 0) return 0
  return options.reduce((n, option) => n + 4 + pad4(option.value.length), 4)
}

/** A block with room for `bodyLength` bytes from offset 8 and its options behind them. */
function makeBlock(type: number, bodyLength: number, options: readonly Option[]): Uint8Array {
  const total = 12 + pad4(bodyLength) + optionsLength(options)
  const b = new Uint8Array(total)
  put32le(b, 0, type)
  put32le(b, 4, total)
  put32le(b, total - 4, total)
  let at = 8 + pad4(bodyLength)
  for (const option of options) {
    put16le(b, at, option.code)
    put16le(b, at + 2, option.value.length)
    b.set(option.value, at + 4)
    at += 4 + pad4(option.value.length)
  }
  return b
}

/** Section Header Block, §4.1: the first bytes of every file. */
export function sectionHeader(application?: string): Uint8Array {
  const b = makeBlock(
    BLOCK_SECTION_HEADER,
    16,
    application === undefined ? [] : [text(SHB_USERAPPL, application)],
  )
  put32le(b, 8, BYTE_ORDER_MAGIC)
  put16le(b, 12, 1)
  // Section length unknown: -1 in 64 bits.
  b.fill(0xff, 16, 24)
  return b
}

/** Interface Description Block, §4.2. Interfaces are numbered from 0 in the order of their blocks. */
export function interfaceDescription(r: InterfaceRepr): Uint8Array {
  const options = [text(IF_NAME, r.name)]
  if (r.description !== undefined) options.push(text(IF_DESCRIPTION, r.description))
  options.push({ code: IF_TSRESOL, value: Uint8Array.of(r.resolution ?? 6) })
  const b = makeBlock(BLOCK_INTERFACE, 8, options)
  put16le(b, 8, LINKTYPE_ETHERNET)
  put32le(b, 12, r.snaplen ?? SNAPLEN_MAX)
  return b
}

export interface PacketRepr {
  interfaceId: number
  time: Instant
  resolution: Resolution
  /** The bytes kept. */
  frame: Uint8Array
  /** Length of the frame before it was cut. */
  originalLength: number
  direction: Direction
  comment?: string
}

/** Enhanced Packet Block, §4.3. */
export function enhancedPacket(r: PacketRepr): Uint8Array {
  const options: Option[] = []
  if (r.comment !== undefined) options.push(text(OPTION_COMMENT, r.comment))
  if (r.direction !== UNKNOWN) options.push({ code: EPB_FLAGS, value: Uint8Array.of(r.direction, 0, 0, 0) })
  const b = makeBlock(BLOCK_ENHANCED_PACKET, 20 + r.frame.length, options)
  put32le(b, 8, r.interfaceId)
  putTime(b, 12, r.time, r.resolution)
  put32le(b, 20, r.frame.length)
  put32le(b, 24, r.originalLength)
  b.set(r.frame, 28)
  return b
}

/** Units since the epoch as two 32-bit words, high first. Nanoseconds exceed 2^53, so in two parts. */
function putTime(b: Uint8Array, o: number, time: Instant, resolution: Resolution): void {
  const perSecond = 10 ** resolution
  const seconds = Math.floor(time / 1000)
  const within = Math.round((time - seconds * 1000) * (perSecond / 1000))
  const upper = Math.floor(seconds / 65_536) * perSecond
  const lower = (upper % 65_536) * 65_536 + (seconds % 65_536) * perSecond + within
  put32le(b, o, Math.floor(upper / 65_536) + Math.floor(lower / 0x1_0000_0000))
  put32le(b, o + 4, lower % 0x1_0000_0000)
}

export interface CaptureOptions {
  /** Name of the program that writes. */
  application?: string
  /** Bytes kept of each frame; default SNAPLEN_MAX. */
  snaplen?: number
}

/**
 * Writes a whole capture to `sink`, block by block; each array is new and belongs to the sink. All interfaces
 * share one snaplen: libpcap, and so tcpdump, stops at an interface whose snaplen differs from the first's.
 */
export class PcapngWriter {
  readonly #sink: (block: Uint8Array) => void
  readonly #snaplen: number
  readonly #resolutions: Resolution[] = []

  /** Writes the section header at once. */
  constructor(sink: (block: Uint8Array) => void, options: CaptureOptions = {}) {
    this.#sink = sink
    this.#snaplen = options.snaplen ?? SNAPLEN_MAX
    sink(sectionHeader(options.application))
  }

  /** Declares an interface, at any time before its first packet, and returns its id. */
  addInterface(r: Omit<InterfaceRepr, 'snaplen'>): number {
    this.#sink(interfaceDescription({ ...r, snaplen: this.#snaplen }))
    return this.#resolutions.push(r.resolution ?? 6) - 1
  }

  /**
   * Writes the frame of `len` bytes at `o`, cut to the snaplen.
   * @param interfaceId what `addInterface` returned
   */
  packet(
    interfaceId: number,
    time: Instant,
    b: Uint8Array,
    o: number,
    len: number,
    direction: Direction,
    comment?: string,
  ): void {
    const resolution = this.#resolutions[interfaceId]
    const frame = b.subarray(o, o + Math.min(len, this.#snaplen))
    const r: PacketRepr = { interfaceId, time, resolution, frame, originalLength: len, direction }
    if (comment !== undefined) r.comment = comment
    this.#sink(enhancedPacket(r))
  }
}
