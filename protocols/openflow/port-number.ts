/** Port numbers as fields of messages: 16 bits in OpenFlow 1.0 and Nicira's forms of it, 32 bits later. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, type OfFault } from './error.ts'
import { OFPP_NONE, portFromOf10, portFromOf11, portToOf10 } from './port.ts'

export function port16(b: Uint8Array, o: number): number {
  return portFromOf10(u16(b, o))
}

/** A number without meaning becomes OFPP_NONE. */
export function putPort16(w: ByteWriter, port: number): void {
  w.u16(portToOf10(port) ?? portToOf10(OFPP_NONE)!)
}

export function port32(b: Uint8Array, o: number): number | OfFault {
  return portFromOf11(u32(b, o)) ?? fault('OFPBAC_BAD_OUT_PORT')
}
