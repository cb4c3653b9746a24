/** Which asynchronous messages a controller wants, in each of its roles. */

import { u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import type { Body, BodyCodec, BodyForm } from './message-codec.ts'
import { putU32Property, readProperty } from './properties.ts'
import { OF12, OF13, OF14, type OfVersion } from './version.ts'

/** A type of message that can be switched. */
export const ASYNC_TYPES = [
  'packet_in',
  'port_status',
  'flow_removed',
  'role_status',
  'table_status',
  'requestforward',
] as const
export type AsyncType = (typeof ASYNC_TYPES)[number]

/** 1 << reason of each message. */
export interface AsyncMask {
  /** As primary or equal. */
  primary: number
  secondary: number
}

/** A type that is missing stays as it is. */
export type AsyncConfig = Partial<Record<AsyncType, AsyncMask>>

/** Reasons that a mask may have, before OpenFlow 1.4 and from then on, in the order of ASYNC_TYPES. */
const ALLOWED: readonly (readonly [before14: number, since14: number])[] = [
  [0x07, 0x3f],
  [0x07, 0x07],
  [0x3f, 0x3f],
  [0x07, 0x07],
  [0x18, 0x18],
  [0x03, 0x03],
]

function allowed(type: number, version: OfVersion): number {
  return ALLOWED[type][version < OF14 ? 0 : 1]
}

const NO_MATCH = 1 << 0
const ACTION = 1 << 1
const ACTION_SET = 1 << 3
const GROUP = 1 << 4
const PACKET_OUT = 1 << 5
/** Reasons of packet-ins that never stand on the wire: the table-miss rule, and the lack of one. */
const EXPLICIT_MISS = 1 << 6
const IMPLICIT_MISS = 1 << 7

/**
 * "No match" covers both kinds of miss, of which the implicit one reports itself before OpenFlow 1.3 only. "Action"
 * covers, before 1.4, the three reasons that it was split into.
 */
function withUnspoken(mask: number, type: number, version: OfVersion): number {
  if (type !== 0) return mask
  const misses = (mask & NO_MATCH) === 0 ? 0 : EXPLICIT_MISS | (version < OF13 ? IMPLICIT_MISS : 0)
  const actions = (mask & ACTION) === 0 || version >= OF14 ? 0 : ACTION_SET | GROUP | PACKET_OUT
  return mask | misses | actions
}

/** What a connection of `version` gets before it has asked for anything else. */
export function defaultAsyncConfig(version: OfVersion): Record<AsyncType, AsyncMask> {
  const none: AsyncMask = { primary: 0, secondary: 0 }
  const removed = version >= OF14 ? 0x3f : version === OF13 ? 0x0f : 0x07
  return {
    packet_in: { primary: 0x3b | EXPLICIT_MISS | (version <= OF12 ? IMPLICIT_MISS : 0), secondary: 0 },
    port_status: { primary: 0x07, secondary: 0x07 },
    flow_removed: { primary: removed, secondary: 0 },
    role_status: none,
    table_status: none,
    requestforward: none,
  }
}

/** The older forms have three types, and take the others away. */
function decodeMasks(b: Uint8Array, o: number, version: OfVersion): AsyncConfig {
  const config: AsyncConfig = {}
  for (const [i, type] of ASYNC_TYPES.entries()) {
    const mask = (at: number): number => withUnspoken(u32(b, at) & allowed(i, version), i, version)
    config[type] =
      i < 3 ? { primary: mask(o + 8 * i), secondary: mask(o + 8 * i + 4) } : { primary: 0, secondary: 0 }
  }
  return config
}

/** Types 0, 2, 4 … are masks of secondaries, 1, 3, 5 … those of primaries. Partly given types keep the other. */
export type PartialAsyncConfig = Partial<Record<AsyncType, Partial<AsyncMask>>>

function decodeProperties({ b, o, end, version }: Body, strict: boolean): PartialAsyncConfig | OfFault {
  const config: PartialAsyncConfig = {}
  while (o < end) {
    const p = readProperty(b, o, end, 0xfffe)
    if (isFault(p)) return p
    o = p.next
    const i = p.type >>> 1
    if (p.experimenter !== 0 || i >= ASYNC_TYPES.length) {
      if (!strict) continue
      return fault(p.experimenter === 0 ? 'OFPACFC_UNSUPPORTED' : 'OFPBPC_BAD_EXP_TYPE')
    }
    if (p.end - p.at !== 4) return fault('OFPBPC_BAD_LEN')
    const bits = u32(b, p.at)
    if (strict && (bits & ~allowed(i, version)) !== 0) return fault('OFPACFC_INVALID')
    const mask = withUnspoken(bits & allowed(i, version), i, version)
    config[ASYNC_TYPES[i]] = {
      ...config[ASYNC_TYPES[i]],
      ...((p.type & 1) === 0 ? { secondary: mask } : { primary: mask }),
    }
  }
  return config
}

function encode(w: ByteWriter, config: PartialAsyncConfig, { version, form }: BodyForm): void {
  const properties = form.multiple !== 0
  for (const [i, type] of ASYNC_TYPES.entries()) {
    const mask = config[type]
    const bits = (m: number | undefined): number => (m ?? 0) & allowed(i, version)
    if (!properties) {
      if (i < 3) w.u32(bits(mask?.primary)).u32(bits(mask?.secondary))
      continue
    }
    if (mask?.secondary !== undefined) putU32Property(w, 2 * i, bits(mask.secondary))
    if (mask?.primary !== undefined) putU32Property(w, 2 * i + 1, bits(mask.primary))
  }
}

function codec(strict: boolean): BodyCodec<PartialAsyncConfig> {
  return {
    decode: (body) =>
      body.form.multiple === 0 ? decodeMasks(body.b, body.o, body.version) : decodeProperties(body, strict),
    encode,
  }
}
export const SET_ASYNC_CODEC = codec(true)
export const GET_ASYNC_REPLY_CODEC = codec(false)
