/** Port statistics. */

import { u16, u32 } from '../wire/big-endian.ts'
import { encodeUtf8 } from '../wire/utf8.ts'
import type { ByteWriter } from './byte-writer.ts'
import { counter, duration, putCounter, putDuration } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { fixedText } from './fixed-text.ts'
import {
  type Body,
  type BodyCodec,
  type BodyForm,
  type Entry,
  type ListCodec,
  listCodec,
} from './message-codec.ts'
import { OFPP_ANY } from './port.ts'
import { port16, port32, putPort16 } from './port-number.ts'
import { endProperty, readProperty, startExperimenterProperty, startProperty } from './properties.ts'
import { OF10, OF13, OF14, type OfVersion } from './version.ts'

/** A counter: undefined when it is not kept (all ones on the wire). */
export type Counter = number | undefined

export interface PortStatsRequest {
  /** OFPP_ANY for all. */
  port: number
}

export interface PortStats {
  port: number
  rxPackets: Counter
  txPackets: Counter
  rxBytes: Counter
  txBytes: Counter
  rxDropped: Counter
  txDropped: Counter
  rxErrors: Counter
  txErrors: Counter
  rxFrameErrors: Counter
  rxOverErrors: Counter
  rxCrcErrors: Counter
  collisions: Counter
  /** Since the port exists; undefined where the version does not tell (before 1.3). */
  durationSec: Counter
  durationNsec: Counter
  /** RFC 2819 counters, from OpenFlow 1.4 on as an Intel experimenter property; left out when undefined. */
  rmon?: PortRmonStats | undefined
  /** The device's own counters, from OpenFlow 1.4 on as another Intel property; left out when undefined. */
  custom?: readonly CustomCounter[] | undefined
}

export interface CustomCounter {
  /** At most 255 bytes. */
  name: string
  value: Counter
}

/** Names as in struct intel_port_stats_rfc2819. */
export const RMON_COUNTERS = [
  'rx1To64Packets',
  'rx65To127Packets',
  'rx128To255Packets',
  'rx256To511Packets',
  'rx512To1023Packets',
  'rx1024To1522Packets',
  'rx1523ToMaxPackets',
  'tx1To64Packets',
  'tx65To127Packets',
  'tx128To255Packets',
  'tx256To511Packets',
  'tx512To1023Packets',
  'tx1024To1522Packets',
  'tx1523ToMaxPackets',
  'txMulticastPackets',
  'rxBroadcastPackets',
  'txBroadcastPackets',
  'rxUndersizedErrors',
  'rxOversizeErrors',
  'rxFragmentedErrors',
  'rxJabberErrors',
] as const
export type PortRmonStats = Record<(typeof RMON_COUNTERS)[number], Counter>

/** A port and padding in 8 bytes: the body of requests for ports. */
export const PORT_REQUEST: BodyCodec<PortStatsRequest> = {
  decode({ b, o, version }) {
    const port = version === OF10 ? port16(b, o) : port32(b, o)
    return isFault(port) ? port : { port }
  },
  encode(w, { port }, { version }) {
    if (version === OF10) {
      putPort16(w, port)
      w.zeros(6)
    } else w.u32(port).u32(0)
  },
}

/** Of port descriptions: before 1.5 one can only ask for all. */
export const PORT_DESC_REQUEST: BodyCodec<PortStatsRequest> = {
  decode: (body) => (body.form.minBody === 0 ? { port: OFPP_ANY } : PORT_REQUEST.decode(body)),
  encode: (w, request, to) => {
    if (to.form.minBody !== 0) PORT_REQUEST.encode(w, request, to)
  },
}

/** In the order in which they stand in all versions; the last four are a property from 1.4 on. */
const COMMON = [
  'rxPackets',
  'txPackets',
  'rxBytes',
  'txBytes',
  'rxDropped',
  'txDropped',
  'rxErrors',
  'txErrors',
] as const
const ETHERNET = ['rxFrameErrors', 'rxOverErrors', 'rxCrcErrors', 'collisions'] as const

const LEN14 = 80
const PROP_ETHERNET = 0
const INTEL_VENDOR = 0xaa01
const INTEL_RFC2819 = 1
const INTEL_CUSTOM = 2

const unknown = (port: number): PortStats => ({
  port,
  rxPackets: undefined,
  txPackets: undefined,
  rxBytes: undefined,
  txBytes: undefined,
  rxDropped: undefined,
  txDropped: undefined,
  rxErrors: undefined,
  txErrors: undefined,
  rxFrameErrors: undefined,
  rxOverErrors: undefined,
  rxCrcErrors: undefined,
  collisions: undefined,
  durationSec: undefined,
  durationNsec: undefined,
})

function readCounters<K extends string>(
  b: Uint8Array,
  o: number,
  names: readonly K[],
  into: Record<K, Counter>,
): void {
  for (const [i, name] of names.entries()) into[name] = counter(b, o + 8 * i)
}

/** The number of counters stands at 14; each is the length of its name, the name, the value. */
function decodeCustom(b: Uint8Array, start: number, end: number): CustomCounter[] | OfFault {
  if (end - start < 16) return fault('OFPBPC_BAD_LEN')
  const list: CustomCounter[] = []
  let o = start + 16
  for (let n = u16(b, start + 14); n > 0; n--) {
    const length = o < end ? b[o] : 0
    if (end - o < 9 + length) return fault('OFPBPC_BAD_LEN')
    list.push({ name: fixedText(b, o + 1, length), value: counter(b, o + 1 + length) })
    o += 9 + length
  }
  return list
}

function putCustom(w: ByteWriter, list: readonly CustomCounter[]): void {
  const start = startExperimenterProperty(w, INTEL_VENDOR, INTEL_CUSTOM)
  w.u16(0).u16(list.length)
  for (const { name, value } of list) {
    const bytes = encodeUtf8(name).subarray(0, 255)
    w.u8(bytes.length).raw(bytes)
    putCounter(w, value)
  }
  endProperty(w, start)
}

function decodeProperties(b: Uint8Array, o: number, end: number, stats: PortStats): OfFault | undefined {
  while (o < end) {
    const p = readProperty(b, o, end)
    if (isFault(p)) return p
    if (p.experimenter === 0 && p.type === PROP_ETHERNET) {
      if (p.end - p.start !== 40) return fault('OFPBPC_BAD_LEN')
      readCounters(b, p.start + 8, ETHERNET, stats)
    } else if (p.experimenter === INTEL_VENDOR && p.expType === INTEL_RFC2819) {
      if (p.end - p.start !== 16 + 8 * RMON_COUNTERS.length) return fault('OFPBPC_BAD_LEN')
      const rmon = {} as PortRmonStats
      readCounters(b, p.start + 16, RMON_COUNTERS, rmon)
      stats.rmon = rmon
    } else if (p.experimenter === INTEL_VENDOR && p.expType === INTEL_CUSTOM) {
      const custom = decodeCustom(b, p.start, p.end)
      if (isFault(custom)) return custom
      stats.custom = custom
    }
    o = p.next
  }
  return undefined
}

function entryLength(b: Uint8Array, o: number, version: OfVersion): number {
  if (version < OF13) return 104
  return version < OF14 ? 112 : u16(b, o)
}

function decode({ b, end, version }: Body, o: number): Entry<PortStats> | OfFault {
  if (end - o < (version < OF14 ? 104 : LEN14)) return fault('OFPBRC_BAD_LEN')
  const length = entryLength(b, o, version)
  if (o + length > end || (version >= OF14 && length < LEN14)) return fault('OFPBRC_BAD_LEN')
  const port = version === OF10 ? port16(b, o) : port32(b, version < OF14 ? o : o + 4)
  if (isFault(port)) return port
  const stats = unknown(port)
  const next = o + length
  readCounters(b, version < OF14 ? o + 8 : o + 16, COMMON, stats)
  if (version < OF14) readCounters(b, o + 72, ETHERNET, stats)
  if (version >= OF13) {
    const at = version < OF14 ? o + 104 : o + 8
    stats.durationSec = duration(b, at)
    stats.durationNsec = stats.durationSec === undefined ? undefined : u32(b, at + 4)
  }
  const bad = version < OF14 ? undefined : decodeProperties(b, o + LEN14, next, stats)
  return bad ?? { entry: stats, next }
}

function putCounters<K extends string>(w: ByteWriter, names: readonly K[], from: Record<K, Counter>): void {
  for (const name of names) putCounter(w, from[name])
}

function encode(w: ByteWriter, s: PortStats, { version }: BodyForm): void {
  if (version < OF14) {
    if (version === OF10) {
      putPort16(w, s.port)
      w.zeros(6)
    } else w.u32(s.port).u32(0)
    putCounters(w, COMMON, s)
    putCounters(w, ETHERNET, s)
    if (version === OF13) {
      putDuration(w, s.durationSec)
      putDuration(w, s.durationNsec)
    }
    return
  }
  const start = w.length
  w.u16(0).u16(0).u32(s.port)
  putDuration(w, s.durationSec)
  putDuration(w, s.durationNsec)
  putCounters(w, COMMON, s)
  const ethernet = startProperty(w, PROP_ETHERNET)
  w.u32(0)
  putCounters(w, ETHERNET, s)
  endProperty(w, ethernet)
  if (s.rmon !== undefined) {
    const rmon = startExperimenterProperty(w, INTEL_VENDOR, INTEL_RFC2819)
    w.u32(0)
    putCounters(w, RMON_COUNTERS, s.rmon)
    endProperty(w, rmon)
  }
  if (s.custom !== undefined && s.custom.length > 0) putCustom(w, s.custom)
  w.patch16(start, w.length - start)
}

export const PORT_STATS_LIST: ListCodec<PortStats> = listCodec(decode, encode)
