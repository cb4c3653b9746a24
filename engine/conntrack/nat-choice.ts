/**
 * Which address and port ct(nat(src=…)) or (dst=…) gives a new connection: one whose answers are nobody
 * else's. The port stays as it is where it can.
 */
import type { NatSpec } from '../../protocols/openflow/action.ts'
import type { Random } from '../../protocols/random.ts'
import { finish, mix } from '../flow/hash.ts'
import type { PacketTuple } from './packet-tuple.ts'
import { PROTO_ICMP, reverseTp } from './tuple.ts'
import type { ReplyTuple } from './zone-tracker.ts'

const MIN_PORT = 1024
const MAX_PORT = 65_535
/** Combinations tried before a connection is refused. */
const MAX_TRIES = 1024

/** What answers to the packet will look like, one possibility after the other. */
export function* translations(
  spec: NatSpec | undefined,
  { ipv6, proto, tp }: PacketTuple,
  addresses: Uint32Array,
  random: Random,
): Generator<ReplyTuple> {
  const plain = { addresses: swapped(addresses), tp: reverseTp(proto, tp) }
  if (spec?.kind === undefined) {
    yield plain
    return
  }
  const source = spec.kind === 'src'
  // The translated end of the connection, in the words of the answers.
  const at = source ? 4 : 0
  const low = spec.minAddress === undefined ? undefined : words(spec.minAddress)
  const count = low === undefined ? 1n : rangeSize(spec)
  let seed = spec.random ? random() : hashOf(addresses, spec.persistent ? 0 : tp)
  const ownPort = source || proto === PROTO_ICMP ? tp >>> 16 : tp & 0xffff
  const [first, last] = portRange(spec, proto, ownPort, source)
  const span = last - first + 1
  let tries = MAX_TRIES
  for (let a = 0n; a < count && tries > 0; a++) {
    const reply = new Uint32Array(plain.addresses)
    if (low !== undefined) addTo(low, (BigInt(seed) + a) % count, reply, at, ipv6)
    const start = ownPort >= first && ownPort <= last && !spec.random ? ownPort - first : seed % span
    for (let p = 0; p < span && tries-- > 0; p++) {
      const port = first + ((start + p) % span)
      yield { addresses: reply, tp: withPort(plain.tp, proto, port, source) }
      if (first === last) break
    }
    seed = finish(mix(seed, 1))
  }
}

function portRange(spec: NatSpec, proto: number, own: number, source: boolean): [number, number] {
  if (proto !== 6 && proto !== 17 && proto !== 132 && proto !== PROTO_ICMP) return [own, own]
  if (spec.minPort !== 0 && proto !== PROTO_ICMP) return [spec.minPort, spec.maxPort || spec.minPort]
  if (!source) return [own, own]
  return own < MIN_PORT && own !== 0 && proto !== PROTO_ICMP ? [1, MAX_PORT] : [MIN_PORT, MAX_PORT]
}

/** The transport word of answers with another port of the translated end. */
function withPort(tp: number, proto: number, port: number, source: boolean): number {
  if (proto === PROTO_ICMP) return ((port << 16) | (tp & 0xffff)) >>> 0
  return source ? ((tp & 0xffff0000) | port) >>> 0 : ((port << 16) | (tp & 0xffff)) >>> 0
}

function swapped(addresses: Uint32Array): Uint32Array {
  const out = new Uint32Array(8)
  out.set(addresses.subarray(4, 8), 0)
  out.set(addresses.subarray(0, 4), 4)
  return out
}

function words(bytes: Uint8Array): Uint32Array {
  const out = new Uint32Array(4)
  for (let i = 0; i < bytes.length; i++) out[i >>> 2] = ((out[i >>> 2] << 8) | bytes[i]) >>> 0
  return out
}

function numberOf(bytes: Uint8Array): bigint {
  let v = 0n
  for (const byte of bytes) v = (v << 8n) | BigInt(byte)
  return v
}

function rangeSize({ minAddress, maxAddress }: NatSpec): bigint {
  if (minAddress === undefined || maxAddress === undefined) return 1n
  const size = numberOf(maxAddress) - numberOf(minAddress) + 1n
  return size > 0n ? size : 1n
}

/** Address `low` + `offset` into four words from `at` on. */
function addTo(low: Uint32Array, offset: bigint, to: Uint32Array, at: number, ipv6: boolean): void {
  if (!ipv6) {
    to[at] = (low[0] + Number(offset)) >>> 0
    return
  }
  let v = offset
  for (let i = 3; i >= 0; i--) {
    v += BigInt(low[i])
    to[at + i] = Number(v & 0xffff_ffffn)
    v >>= 32n
  }
}

function hashOf(addresses: Uint32Array, tp: number): number {
  let hash = tp
  for (const word of addresses) hash = mix(hash, word)
  return finish(hash)
}
