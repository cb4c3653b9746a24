/** TFTP requests: RFC 1350 §5. */
import { u16 } from './big-endian.ts'

export const READ_REQUEST = 1
export const WRITE_REQUEST = 2

/** Whether the UDP payload asks for a transfer: an opcode and two texts, each with a zero behind it. */
export function isRequest(b: Uint8Array, o: number, end: number): boolean {
  if (end - o < 6) return false
  const opcode = u16(b, o)
  if (opcode !== READ_REQUEST && opcode !== WRITE_REQUEST) return false
  const name = b.indexOf(0, o + 2)
  const mode = name < 0 ? -1 : b.indexOf(0, name + 1)
  return mode >= 0 && mode < end
}
