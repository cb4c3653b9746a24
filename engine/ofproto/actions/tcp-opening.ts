import { W_L4 } from '../../../protocols/flow-key.ts'
import type { Xlate } from '../xlate.ts'

const FIN = 0x01
const SYN = 0x02
const RST = 0x04
const ACK = 0x10

/**
 * Whether a TCP segment of no known connection may be part of one: it opens one, or is from the middle of one
 * that began before we looked; but it is no half of a handshake, and its flags do not contradict each other.
 */
export function lookAtTcpFlags(x: Xlate, flags: number): boolean {
  x.look(W_L4, (FIN | SYN | RST | ACK) << 16)
  if ((flags & SYN) !== 0) return (flags & (FIN | RST | ACK)) === 0
  return (flags & (ACK | RST)) !== 0
}
