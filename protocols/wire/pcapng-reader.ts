/**
 * Reading capture files for tests and tools: pcapng, draft-ietf-opsawg-pcapng. Both byte orders and several
 * sections are understood; blocks and options that are not of interest are skipped. Never throws: a file that
 * breaks off or contradicts itself yields what stood before that place.
 */

import type { Instant } from '../time.ts'
import {
  BLOCK_ENHANCED_PACKET,
  BLOCK_INTERFACE,
  BLOCK_SECTION_HEADER,
  BLOCK_SIMPLE_PACKET,
  BYTE_ORDER_MAGIC,
  EPB_FLAGS,
  IF_NAME,
  IF_TSRESOL,
  OPTION_COMMENT,
  OPTION_END,
} from './pcapng.ts'
import { decodeUtf8 } from './utf8.ts'

export interface CaptureInterface {
  name: string
  linkType: number
  /** 0 for no limit. */
  snaplen: number
  /** Timestamp units in a second. */
  unitsPerSecond: number
}

export interface CapturePacket {
  /** Index into `Capture.interfaces`. */
  interfaceId: number
  /** 0 in a Simple Packet Block, which has none. */
  time: Instant
  /** A view of the bytes kept. */
  frame: Uint8Array
  originalLength: number
  /** Direction bits of epb_flags: UNKNOWN, INBOUND or OUTBOUND (3 is reserved). */
  direction: number
  comment?: string
}

export interface Capture {
  /** Of all sections in one row. */
  interfaces: CaptureInterface[]
  packets: CapturePacket[]
  /** Whether everything up to the last byte was well formed. */
  complete: boolean
}

/** One block being read: its body lies from `o` to `end`. */
interface Block {
  view: DataView
  bytes: Uint8Array
  le: boolean
  o: number
  end: number
}

/** Reads a whole file. */
export function readPcapng(file: Uint8Array): Capture {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const capture: Capture = { interfaces: [], packets: [], complete: false }
  let le = true
  let inSection = false
  let sectionBase = 0
  let at = 0
  while (file.length - at >= 12) {
    const isHeader = view.getUint32(at, true) === BLOCK_SECTION_HEADER
    if (isHeader) {
      le = view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC
      if (!le && view.getUint32(at + 8, false) !== BYTE_ORDER_MAGIC) return capture
      inSection = true
      sectionBase = capture.interfaces.length
    }
    if (!inSection) return capture
    const total = view.getUint32(at + 4, le)
    if (total < 12 || total % 4 !== 0 || total > file.length - at) return capture
    if (view.getUint32(at + total - 4, le) !== total) return capture
    const block: Block = { view, bytes: file, le, o: at + 8, end: at + total - 4 }
    const type = view.getUint32(at, le)
    if (isHeader) {
      // Major version 1 is the only one; a minor version changes nothing that would have to be understood.
      if (total < 28 || view.getUint16(at + 12, le) !== 1) return capture
    } else if (type === BLOCK_INTERFACE) {
      const description = readInterface(block)
      if (description === undefined) return capture
      capture.interfaces.push(description)
    } else if (type === BLOCK_ENHANCED_PACKET || type === BLOCK_SIMPLE_PACKET) {
      const read = type === BLOCK_ENHANCED_PACKET ? readEnhancedPacket : readSimplePacket
      const packet = read(block, capture.interfaces, sectionBase)
      if (packet === undefined) return capture
      capture.packets.push(packet)
    }
    at += total
  }
  capture.complete = inSection && at === file.length
  return capture
}

/** Calls `visit` with each option's code and the bounds of its value; false when the list is malformed. */
function eachOption(
  block: Block,
  o: number,
  visit: (code: number, from: number, to: number) => void,
): boolean {
  while (block.end - o >= 4) {
    const code = block.view.getUint16(o, block.le)
    const len = block.view.getUint16(o + 2, block.le)
    if (code === OPTION_END) return true
    if (len > block.end - o - 4) return false
    visit(code, o + 4, o + 4 + len)
    o += 4 + ((len + 3) & ~3)
  }
  return o === block.end
}

function readInterface(block: Block): CaptureInterface | undefined {
  if (block.end - block.o < 8) return undefined
  const r: CaptureInterface = {
    name: '',
    linkType: block.view.getUint16(block.o, block.le),
    snaplen: block.view.getUint32(block.o + 4, block.le),
    unitsPerSecond: 1e6,
  }
  const ok = eachOption(block, block.o + 8, (code, from, to) => {
    if (code === IF_NAME) r.name = decodeUtf8(block.bytes, from, to)
    if (code === IF_TSRESOL && to > from) {
      const v = block.bytes[from]
      r.unitsPerSecond = v & 0x80 ? 2 ** (v & 0x7f) : 10 ** v
    }
  })
  return ok ? r : undefined
}

function readEnhancedPacket(
  block: Block,
  interfaces: readonly CaptureInterface[],
  sectionBase: number,
): CapturePacket | undefined {
  if (block.end - block.o < 20) return undefined
  const { view, le, o } = block
  const interfaceId = sectionBase + view.getUint32(o, le)
  const captured = view.getUint32(o + 12, le)
  if (interfaceId >= interfaces.length || captured > block.end - o - 20) return undefined
  const r: CapturePacket = {
    interfaceId,
    time: toInstant(view.getUint32(o + 4, le), view.getUint32(o + 8, le), interfaces[interfaceId]),
    frame: block.bytes.subarray(o + 20, o + 20 + captured),
    originalLength: view.getUint32(o + 16, le),
    direction: 0,
  }
  const ok = eachOption(block, o + 20 + pad4(captured), (code, from, to) => {
    if (code === OPTION_COMMENT) r.comment = decodeUtf8(block.bytes, from, to)
    if (code === EPB_FLAGS && to - from === 4) r.direction = view.getUint32(from, le) & 3
  })
  return ok ? r : undefined
}

/** Belongs to the section's first interface; how much was captured follows from its snaplen: §4.4. */
function readSimplePacket(
  block: Block,
  interfaces: readonly CaptureInterface[],
  sectionBase: number,
): CapturePacket | undefined {
  if (block.end - block.o < 4 || sectionBase >= interfaces.length) return undefined
  const originalLength = block.view.getUint32(block.o, block.le)
  const captured = Math.min(originalLength, interfaces[sectionBase].snaplen || originalLength)
  if (captured > block.end - block.o - 4) return undefined
  const frame = block.bytes.subarray(block.o + 4, block.o + 4 + captured)
  return { interfaceId: sectionBase, time: 0, frame, originalLength, direction: 0 }
}

function pad4(n: number): number {
  return Math.ceil(n / 4) * 4
}

/** Exact to what an `Instant` can hold for microseconds; nanoseconds of today lose their last eight bits. */
function toInstant(high: number, low: number, { unitsPerSecond }: CaptureInterface): Instant {
  return (high * 0x1_0000_0000 + low) / (unitsPerSecond / 1000)
}
