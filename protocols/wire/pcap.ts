/** The older form of capture files, libpcap 2.4: a header, then frames with their time; in this machine's byte order. */
import type { Instant } from '../time.ts'

const MAGIC = 0xa1b2c3d4
const LINKTYPE_ETHERNET = 1
const SNAPLEN = 65_535

export const HEADER_LEN = 24
export const RECORD_LEN = 16

export function header(): Uint8Array {
  const bytes = new Uint8Array(HEADER_LEN)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, SNAPLEN, true)
  view.setUint32(20, LINKTYPE_ETHERNET, true)
  return bytes
}

/** A frame with what stands before it. */
export function record(time: Instant, frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_LEN + frame.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(time / 1000), true)
  view.setUint32(4, Math.floor((time % 1000) * 1000), true)
  view.setUint32(8, frame.length, true)
  view.setUint32(12, frame.length, true)
  bytes.set(frame, RECORD_LEN)
  return bytes
}
