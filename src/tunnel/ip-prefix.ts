/** Addresses of both versions of IP in one shape: 16 bytes, those of IPv4 mapped into IPv6 (RFC 4291 §2.5.5.2). */
import {
  formatIpv4,
  formatIpv6,
  parseIpv6,
  parseMaskedIp,
  prefixLength,
} from '../../protocols/openflow/text/address.ts'
import { parseIpv4 } from '../../protocols/wire/ipv4.ts'

const MAPPED = 96
const BITS = 128

export interface IpPrefix {
  /** 16 bytes. */
  readonly address: Uint8Array
  /** Of 128 bits. */
  readonly length: number
}

/** Of 4 or 16 bytes. */
export function ipOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 16) return bytes
  const address = new Uint8Array(16)
  address.set([0xff, 0xff], 10)
  address.set(bytes, 12)
  return address
}

/** @param bytes 4 or 16 @param length of that many bytes' bits */
export function prefixOf(bytes: Uint8Array, length: number): IpPrefix {
  return { address: ipOf(bytes), length: bytes.length === 4 ? length + MAPPED : length }
}

export function isMapped(address: Uint8Array): boolean {
  return address.every((byte, i) => i >= 12 || byte === (i < 10 ? 0 : 0xff))
}

/** Undefined for what is no address. */
export function parseIp(text: string): Uint8Array | undefined {
  const v4 = parseIpv4(text)
  if (v4 !== undefined) return ipOf(Uint8Array.of(v4 >>> 24, v4 >>> 16, v4 >>> 8, v4))
  return parseIpv6(text)
}

/** `ADDRESS`, `ADDRESS/LENGTH` or `ADDRESS/MASK`; the bits behind the prefix are kept. */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const v4 = parseMaskedIp(text, 4)
  const found = v4 ?? parseMaskedIp(text, 16)
  const bits = found && prefixLength(found.mask)
  if (found === undefined || bits === undefined) return undefined
  // The parser takes the bits behind the mask away.
  const address = parseIp(text.split('/')[0])
  return address && { address, length: v4 === undefined ? bits : bits + MAPPED }
}

export function formatIp(address: Uint8Array): string {
  return isMapped(address) ? formatIpv4(address.subarray(12)) : formatIpv6(address)
}

export function formatIpPrefix({ address, length }: IpPrefix): string {
  return `${formatIp(address)}/${isMapped(address) ? length - MAPPED : length}`
}

export function isWhole({ length }: IpPrefix): boolean {
  return length === BITS
}

/** Whether an address lies in a prefix. */
export function contains({ address, length }: IpPrefix, other: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) {
    const bits = Math.min(8, length - 8 * i)
    if (bits <= 0) return true
    if (((address[i] ^ other[i]) & (0xff00 >> bits) & 0xff) !== 0) return false
  }
  return true
}

/** The prefix without the bits behind it. */
export function network({ address, length }: IpPrefix): IpPrefix {
  const masked = address.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))))
  return { address: masked, length }
}
