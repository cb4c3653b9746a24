/**
 * Segmentation and checksums the obvious way, on arrays of fresh bytes: the twin the engine's are compared with.
 * Shares no code with it.
 */

/** A frame as it is assembled from its parts. */
export interface Parts {
  /** TPID and TCI of each VLAN tag, outermost first. */
  readonly tags: readonly (readonly [number, number])[]
  readonly version: 4 | 6
  readonly protocol: 'tcp' | 'udp'
  /** IPv4 options or IPv6 destination options, bytes; a multiple of 4 or 8. */
  readonly ipOptions: number
  /** TCP options, bytes; a multiple of 4. */
  readonly tcpOptions: number
  readonly id: number
  readonly seq: number
  readonly flags: number
  readonly addresses: Uint8Array
  readonly ports: readonly [number, number]
  readonly payload: Uint8Array
}

const be16 = (v: number) => [(v >> 8) & 255, v & 255]
const be32 = (v: number) => [(v >>> 24) & 255, (v >>> 16) & 255, (v >>> 8) & 255, v & 255]

/** Ones-complement sum of 16-bit words, one at a time. */
export function onesSum(bytes: readonly number[]): number {
  let total = 0
  for (let i = 0; i < bytes.length; i += 2) {
    total += bytes[i]! * 256 + (bytes[i + 1] ?? 0)
    if (total > 0xffff) total -= 0xffff
  }
  return total
}

function linkHeader(p: Parts): number[] {
  const macs = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]
  const tags = p.tags.flatMap(([tpid, tci]) => [...be16(tpid), ...be16(tci)])
  return [...macs, ...tags, ...be16(p.version === 4 ? 0x0800 : 0x86dd)]
}

function networkHeader(p: Parts, length: number): number[] {
  const protocol = p.protocol === 'tcp' ? 6 : 17
  const options = Array<number>(p.ipOptions).fill(1)
  if (p.version === 4) {
    const words = 5 + p.ipOptions / 4
    const total = words * 4 + length
    const header = [
      ...[0x40 | words, 0, ...be16(total), ...be16(p.id), 0x40, 0, 64, protocol, 0, 0],
      ...p.addresses.subarray(0, 8),
      ...options,
    ]
    header.splice(10, 2, ...be16(~onesSum(header) & 0xffff))
    return header
  }
  const extension =
    options.length === 0 ? [] : [protocol, options.length / 8 - 1, ...options.slice(2).fill(0)]
  return [
    ...[0x60, 0, 0, 0, ...be16(extension.length + length), extension.length === 0 ? protocol : 60, 64],
    ...p.addresses.subarray(0, 32),
    ...extension,
  ]
}

function transportHeader(p: Parts, length: number): number[] {
  const ports = [...be16(p.ports[0]), ...be16(p.ports[1])]
  if (p.protocol === 'udp') return [...ports, ...be16(8 + length), 0, 0]
  const words = 5 + p.tcpOptions / 4
  const fixed = [...ports, ...be32(p.seq), ...be32(99), words << 4, p.flags, 16, 0, 0, 0, 0, 0]
  return [...fixed, ...Array<number>(p.tcpOptions).fill(1)]
}

function pseudoSum(p: Parts, length: number): number {
  const addresses = [...p.addresses.subarray(0, p.version === 4 ? 8 : 32)]
  return onesSum([...addresses, 0, p.protocol === 'tcp' ? 6 : 17, ...be16(length)])
}

export interface Built {
  readonly frame: Uint8Array
  /** Offset of the transport header. */
  readonly l4: number
  /** Offset of the payload. */
  readonly data: number
}

/** The frame; its transport checksum complete, or left to the network card. */
export function build(p: Parts, checksum: 'complete' | 'partial'): Built {
  const payload = [...p.payload]
  const transport = transportHeader(p, payload.length)
  const length = transport.length + payload.length
  const head = [...linkHeader(p), ...networkHeader(p, length)]
  const pseudo = pseudoSum(p, length)
  let field = pseudo
  if (checksum === 'complete') {
    field = ~onesSum([...be16(pseudo), ...transport, ...payload]) & 0xffff
    if (p.protocol === 'udp' && field === 0) field = 0xffff
  }
  transport.splice(p.protocol === 'tcp' ? 16 : 6, 2, ...be16(field))
  return {
    frame: Uint8Array.from([...head, ...transport, ...payload]),
    l4: head.length,
    data: head.length + transport.length,
  }
}

/** The segments of `size` bytes that a large frame stands for. */
export function segments(p: Parts, size: number): Uint8Array[] {
  const out: Uint8Array[] = []
  for (let at = 0; at < p.payload.length; at += size) {
    const last = at + size >= p.payload.length
    let flags = p.flags
    if (at > 0) flags &= 0x7f
    if (!last) flags &= 0xf6
    const part: Parts = {
      ...p,
      id: (p.id + out.length) % 0x10000,
      seq: (p.seq + at) % 0x1_0000_0000,
      flags,
      payload: p.payload.slice(at, at + size),
    }
    out.push(build(part, 'complete').frame)
  }
  return out
}

/** CRC-32c bit by bit, RFC 9260 appendix A. */
export function crc32c(bytes: Uint8Array): number {
  let c = 0xffffffff
  for (const byte of bytes) {
    c ^= byte
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
  }
  return ~c >>> 0
}
