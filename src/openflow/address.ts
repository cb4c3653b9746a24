import { type Address, parseAddress } from '../net/address.ts'

/** Where OpenFlow is spoken when no port is named (IANA). */
export const OPENFLOW_PORT = 6653

/** Undefined for what is no address of a switch or a controller. */
export function parseOfAddress(text: string): Address | undefined {
  return parseAddress(text, OPENFLOW_PORT)
}
