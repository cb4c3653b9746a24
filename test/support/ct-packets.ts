/** Packets of connections between two hosts, with right checksums, for IPv4 and IPv6 alike. */

import { parseIpv4, parseIpv6 } from '../../protocols/openflow/text/address.ts'
import { put16, put32 } from '../../protocols/wire/big-endian.ts'
import { checksum, pseudoHeader6, sum } from '../../protocols/wire/checksum.ts'

export const FIN = 1
export const SYN = 2
export const RST = 4
export const ACK = 0x10
export const PSH_ACK = 0x18

export interface Talk {
  /** Address and port ("10.0.0.1", 2000); of ICMP the port is the identifier. */
  readonly from: readonly [string, number]
  readonly to: readonly [string, number]
  readonly flags?: number
  readonly seq?: number
  readonly ack?: number
  readonly data?: string | Uint8Array
  /** Options behind the TCP header, a multiple of four bytes. */
  readonly options?: readonly number[]
}

const ETHERNET = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]

const bytesOf = (data: string | Uint8Array = ''): Uint8Array =>
  typeof data === 'string' ? Uint8Array.from(Buffer.from(data, 'latin1')) : data

export function addressBytes(text: string): Uint8Array {
  return (text.includes(':') ? parseIpv6(text) : parseIpv4(text))!
}

/** A datagram of any protocol in an Ethernet frame; the transport's checksum, at `at`, is made right. */
export function datagram(
  from: string,
  to: string,
  protocol: number,
  payload: Uint8Array,
  at?: number,
): Uint8Array {
  const [src, dst] = [addressBytes(from), addressBytes(to)]
  const version6 = src.length === 16
  const header = version6 ? 40 : 20
  const b = new Uint8Array(14 + header + payload.length)
  b.set(ETHERNET)
  put16(b, 12, version6 ? 0x86dd : 0x0800)
  if (version6) {
    b[14] = 0x60
    put16(b, 18, payload.length)
    b[20] = protocol
    b[21] = 64
    b.set(src, 22)
    b.set(dst, 38)
  } else {
    b[14] = 0x45
    put16(b, 16, 20 + payload.length)
    b[22] = 64
    b[23] = protocol
    b.set(src, 26)
    b.set(dst, 30)
    put16(b, 24, checksum(b, 14, 20))
  }
  b.set(payload, 14 + header)
  if (at === undefined) return b
  const l4 = 14 + header
  const pseudo = protocol === 1 ? 0 : pseudoSum(b, version6, protocol, payload.length)
  put16(b, l4 + at, 0)
  put16(b, l4 + at, checksum(b, l4, payload.length, pseudo) || 0xffff)
  return b
}

function pseudoSum(b: Uint8Array, version6: boolean, protocol: number, length: number): number {
  return version6 ? pseudoHeader6(b, 22, protocol, length) : sum(b, 26, 8, protocol + length)
}

export function tcp({ from, to, flags = ACK, seq = 1, ack = 0, data, options = [] }: Talk): Uint8Array {
  const payload = bytesOf(data)
  const header = 20 + options.length
  const b = new Uint8Array(header + payload.length)
  put16(b, 0, from[1])
  put16(b, 2, to[1])
  put32(b, 4, seq)
  put32(b, 8, ack)
  b[12] = header << 2
  b[13] = flags
  put16(b, 14, 0x2000)
  b.set(options, 20)
  b.set(payload, header)
  return datagram(from[0], to[0], 6, b, 16)
}

export function udp({ from, to, data }: Talk): Uint8Array {
  const payload = bytesOf(data)
  const b = new Uint8Array(8 + payload.length)
  put16(b, 0, from[1])
  put16(b, 2, to[1])
  put16(b, 4, b.length)
  b.set(payload, 8)
  return datagram(from[0], to[0], 17, b, 6)
}

/** An echo request (or its reply) with the identifier of its sender's "port". */
export function echo({ from, to, data = 'echo' }: Talk, reply = false): Uint8Array {
  const version6 = from[0].includes(':')
  const payload = bytesOf(data)
  const b = new Uint8Array(8 + payload.length)
  b[0] = version6 ? (reply ? 129 : 128) : reply ? 0 : 8
  put16(b, 4, from[1])
  b.set(payload, 8)
  return datagram(from[0], to[0], version6 ? 58 : 1, b, 2)
}

/** A port unreachable from `sender` about a frame, to whom that seems to come from. */
export function unreachable(sender: string, to: string, about: Uint8Array): Uint8Array {
  const version6 = sender.includes(':')
  // ICMPv6 quotes as much as fits.
  const quoted = about.subarray(14, version6 ? undefined : 14 + 20 + 8)
  const b = new Uint8Array(8 + quoted.length)
  b[0] = version6 ? 1 : 3
  b[1] = version6 ? 4 : 3
  b.set(quoted, 8)
  return datagram(sender, to, version6 ? 58 : 1, b, 2)
}

/** Cuts a datagram into fragments with `size` bytes of payload each (a multiple of eight). */
export function fragments(frame: Uint8Array, size: number): Uint8Array[] {
  const version6 = frame[12] === 0x86
  const header = 14 + (version6 ? 40 : 20)
  const payload = frame.subarray(header)
  const pieces: Uint8Array[] = []
  for (let at = 0; at < payload.length; at += size) {
    const part = payload.subarray(at, at + size)
    const more = at + size < payload.length
    const own = version6 ? [frame[20], 0, at >>> 8, (at & 0xf8) | (more ? 1 : 0), 0, 0, 0, 9] : []
    const b = Uint8Array.from([...frame.subarray(0, header), ...own, ...part])
    if (version6) {
      put16(b, 18, own.length + part.length)
      b[20] = 44
    } else {
      put16(b, 16, 20 + part.length)
      put16(b, 18, 9)
      put16(b, 20, (more ? 0x2000 : 0) | (at >>> 3))
      put16(b, 24, 0)
      put16(b, 24, checksum(b, 14, 20))
    }
    pieces.push(b)
  }
  return pieces
}

/** Whether every checksum of a TCP, UDP or ICMP frame is right. */
export function isSound(frame: Uint8Array): boolean {
  const version6 = frame[12] === 0x86
  const l4 = version6 ? 54 : 34
  const protocol = version6 ? frame[20] : frame[23]
  const end = version6 ? 54 + frame[18] * 256 + frame[19] : 14 + frame[16] * 256 + frame[17]
  const pseudo = protocol === 1 ? 0 : pseudoSum(frame, version6, protocol, end - l4)
  return (version6 || checksum(frame, 14, 20) === 0) && checksum(frame, l4, end - l4, pseudo) === 0
}
