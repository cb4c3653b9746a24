/** Codecs of queue configuration: messages of their own up to OpenFlow 1.3, the QUEUE_DESC multipart from 1.4 on. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import type { Body, BodyCodec, BodyForm, ListCodec } from './message-codec.ts'
import { OFPP_ANY } from './port.ts'
import { port16, port32, putPort16 } from './port-number.ts'
import { readProperty } from './properties.ts'
import { QUEUE_ALL, type QueueConfig, type QueueConfigRequest } from './queue.ts'
import { OF10, OF12, OF14 } from './version.ts'

export const QUEUE_CONFIG_REQUEST_CODEC: BodyCodec<QueueConfigRequest> = {
  decode({ b, o, version }) {
    const port = version === OF10 ? port16(b, o) : port32(b, o)
    if (isFault(port)) return port
    return { port, queue: version < OF14 ? QUEUE_ALL : u32(b, o + 4) }
  },
  encode(w, { port, queue }, { version }) {
    if (version === OF10) {
      putPort16(w, port)
      w.u16(0)
    } else w.u32(port).u32(version < OF14 ? 0 : queue)
  },
}

const MIN_RATE = 1
const MAX_RATE = 2

/** Rates are no property of a queue that has none: 0xffff. */
function rate(v: number): number | undefined {
  return v === 0xffff ? undefined : v
}

/** Properties before 1.4 have 8 bytes of header. */
function decodeProperties10(b: Uint8Array, o: number, end: number, q: QueueConfig): OfFault | undefined {
  while (o < end) {
    if (end - o < 8) return fault('OFPBRC_BAD_LEN')
    const length = u16(b, o + 2)
    if (length < 8 || length % 8 !== 0 || o + length > end) return fault('OFPBRC_BAD_LEN')
    const type = u16(b, o)
    if (type === MIN_RATE || type === MAX_RATE) {
      if (length !== 16) return fault('OFPBRC_BAD_LEN')
      if (type === MIN_RATE) q.minRate = rate(u16(b, o + 8))
      else q.maxRate = rate(u16(b, o + 8))
    }
    o += length
  }
  return undefined
}

function decodeProperties14(b: Uint8Array, o: number, end: number, q: QueueConfig): OfFault | undefined {
  while (o < end) {
    const p = readProperty(b, o, end)
    if (isFault(p)) return p
    o = p.next
    if (p.experimenter !== 0 || (p.type !== MIN_RATE && p.type !== MAX_RATE)) continue
    if (p.end - p.at < 2) return fault('OFPBPC_BAD_LEN')
    if (p.type === MIN_RATE) q.minRate = rate(u16(b, p.at))
    else q.maxRate = rate(u16(b, p.at))
  }
  return undefined
}

function decode(body: Body): QueueConfig[] | OfFault {
  const { b, end, version } = body
  let { o } = body
  let port = OFPP_ANY
  if (version < OF14) {
    const p = version === OF10 ? port16(b, o) : port32(b, o)
    if (isFault(p)) return p
    port = p
    o += 8
  }
  const fixed = version < OF12 ? 8 : 16
  const lengthAt = version < OF12 ? 4 : 8
  const queues: QueueConfig[] = []
  while (o < end) {
    if (end - o < fixed) return fault('OFPBRC_BAD_LEN')
    const length = u16(b, o + lengthAt)
    if (length < fixed || length % 8 !== 0 || o + length > end) return fault('OFPBRC_BAD_LEN')
    const q: QueueConfig = { port, queue: u32(b, o), minRate: undefined, maxRate: undefined }
    if (version >= OF14) {
      const p = port32(b, o)
      if (isFault(p)) return p
      q.port = p
      q.queue = u32(b, o + 4)
    }
    const properties = version < OF14 ? decodeProperties10 : decodeProperties14
    const bad = properties(b, o + fixed, o + length, q)
    if (bad !== undefined) return bad
    queues.push(q)
    o += length
  }
  return queues
}

function encodeEntry(w: ByteWriter, q: QueueConfig, { version }: BodyForm): void {
  const start = w.length
  if (version < OF12) w.u32(q.queue).u16(0).u16(0)
  else if (version < OF14) w.u32(q.queue).u32(q.port).u16(0).zeros(6)
  else w.u32(q.port).u32(q.queue).u16(0).zeros(6)
  for (const [type, value] of [
    [MIN_RATE, q.minRate],
    [MAX_RATE, q.maxRate],
  ] as const) {
    if (value === undefined) continue
    if (version < OF14) w.u16(type).u16(16).u32(0).u16(value).zeros(6)
    else w.u16(type).u16(8).u16(value).u16(0)
  }
  w.patch16(start + (version < OF12 ? 4 : 8), w.length - start)
}

/** Up to 1.3 a reply speaks of one port: that of all its queues, or any. */
export const QUEUE_CONFIG_LIST: ListCodec<QueueConfig> = {
  decode,
  encode(w, queues, to) {
    if (to.version < OF14) {
      const [first] = queues
      const port = first !== undefined && queues.every((q) => q.port === first.port) ? first.port : OFPP_ANY
      if (to.version === OF10) {
        putPort16(w, port)
        w.zeros(6)
      } else w.u32(port).u32(0)
    }
    for (const q of queues) encodeEntry(w, q, to)
  },
  encodeEntry,
}
