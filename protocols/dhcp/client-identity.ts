/** Who a client is: RFC 2131 §4.2. */

import { u48 } from '../wire/big-endian.ts'
import { HTYPE_ETHERNET, OPT_CLIENT_ID, type Repr } from '../wire/dhcpv4.ts'

/** A client identifier longer than this is not looked at: one option without RFC 3396 splitting. */
export const MAX_CLIENT_ID = 255

export interface ClientIdentity {
  /** Equal for two messages exactly when they are from the same client; one character a byte. */
  readonly key: string
  readonly htype: number
  readonly chaddr: Uint8Array
  /** Data of option 61, opaque (RFC 4361 §6.3); `undefined` when the client sent none. */
  readonly clientId: Uint8Array | undefined
  /** The hardware address if it is Ethernet's. */
  readonly mac: number | undefined
}

/** Bytes as a string, which takes less memory than an array of them. */
export function charPerByte(bytes: Uint8Array): string {
  let s = ''
  for (let i = 0; i < bytes.length; i++) s += String.fromCharCode(bytes[i])
  return s
}

/** The bytes of such a string. */
export function bytePerChar(s: string): Uint8Array {
  const bytes = new Uint8Array(s.length)
  for (let i = 0; i < s.length; i++) bytes[i] = s.charCodeAt(i)
  return bytes
}

/**
 * The client identifier is the key where there is one, the hardware type and address otherwise. The latter
 * reads like the identifier 1 + MAC address (RFC 2132 §9.14) on purpose: the same host keeps its address
 * when a boot loader sends no identifier and its system sends that one.
 */
export function identify(
  clientId: Uint8Array | undefined,
  htype: number,
  chaddr: Uint8Array,
): ClientIdentity | undefined {
  if (clientId !== undefined && clientId.length > MAX_CLIENT_ID) return undefined
  const id = clientId === undefined || clientId.length === 0 ? undefined : clientId
  if (id === undefined && chaddr.length === 0) return undefined
  return {
    key: id === undefined ? String.fromCharCode(htype) + charPerByte(chaddr) : charPerByte(id),
    htype,
    chaddr,
    clientId: id,
    mac: htype === HTYPE_ETHERNET && chaddr.length === 6 ? u48(chaddr, 0) : undefined,
  }
}

/** The client a message is from, which keeps nothing of the message alive; `undefined` when nothing in it says so. */
export function identityOf(message: Repr): ClientIdentity | undefined {
  return identify(message.options.get(OPT_CLIENT_ID)?.slice(), message.htype, message.chaddr.slice())
}

/** The key of a client identifier, for reservations. */
export function keyOfClientId(clientId: Uint8Array): string {
  return charPerByte(clientId)
}

/** RFC 4361 §6.1: type 255, an interface's identifier (IAID), a DUID of the link-layer kind (RFC 8415 §11.4). */
export function clientIdFromMac(mac: number): Uint8Array {
  const hi = Math.floor(mac / 0x1_0000_0000)
  const address = [hi >> 8, hi & 255, (mac >>> 24) & 255, (mac >>> 16) & 255, (mac >>> 8) & 255, mac & 255]
  return Uint8Array.of(255, ...address.slice(2), 0, 3, 0, HTYPE_ETHERNET, ...address)
}
