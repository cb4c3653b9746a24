import {
  broadcast,
  contains,
  network,
  type Prefix,
  parseIpv4,
  parsePrefix as parseWith,
} from '../../protocols/wire/ipv4.ts'

/**
 * Addresses between the text of a configuration and the numbers everything else works with: IPv4 is an
 * unsigned 32-bit number in host order (10.0.0.1 is 0x0a000001), a MAC an unsigned 48-bit one.
 */

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
export const IPV4_PATTERN = `${OCTET}(?:\\.${OCTET}){3}`
export const PREFIX_PATTERN = `${IPV4_PATTERN}/(?:3[0-2]|[12]?[0-9])`
export const MAC_PATTERN = '[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}'

/** "10.0.0.1"; `undefined` unless it is four decimal octets without leading zeros. */
export function parseAddress(text: unknown): number | undefined {
  return typeof text === 'string' ? parseIpv4(text) : undefined
}

/** "10.0.0.1/24"; a bare address is taken as /32. Host bits are kept. */
export function parsePrefix(text: unknown): Prefix | undefined {
  if (typeof text !== 'string') return undefined
  return parseWith(text.includes('/') ? text : `${text}/32`)
}

/** The subnet an interface address lies in: the same prefix without host bits. */
export function subnetOf(prefix: Prefix): Prefix {
  return { address: network(prefix), prefixLength: prefix.prefixLength }
}

export function overlap(a: Prefix, b: Prefix): boolean {
  return a.prefixLength <= b.prefixLength ? contains(a, b.address) : contains(b, a.address)
}

/** Whether a host can have this address: not 0/8, not 127/8, not multicast, not 240/4. */
export function isUnicast(address: number): boolean {
  const first = address >>> 24
  return first !== 0 && first !== 127 && first < 224
}

/** Whether `address` is its subnet's network or broadcast address; /31 (RFC 3021) and /32 have neither. */
export function isSubnetEdge(prefix: Prefix, address: number = prefix.address): boolean {
  return prefix.prefixLength < 31 && (address === network(prefix) || address === broadcast(prefix))
}

/** The group bit: the least significant bit of the first octet. */
export function isMulticastMac(mac: number): boolean {
  return (Math.floor(mac / 2 ** 40) & 1) === 1
}
