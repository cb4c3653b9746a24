/**
 * What is counted of a flow between two exports. Delta counts are the flow's own; total counts are those of
 * all that the exporter has seen when the flow's last packet came, as in Open vSwitch. Counts beyond 2^53 are
 * no longer exact.
 */
import type { ByteWriter } from '../openflow/byte-writer.ts'
import { putCounter } from '../openflow/counters.ts'
import { type Instant, SECOND } from '../time.ts'
import { castOf, ethernetHeaderLen, type Sample, tcpFlags } from './sample.ts'
import type { Shape } from './template.ts'

/** IANA "IPFIX Information Elements", flowEndReason. */
export const END_ACTIVE_TIMEOUT = 2
export const END_FORCED = 4
export const END_LACK_OF_RESOURCES = 5

const COUNTED = [
  'droppedPackets',
  'packets',
  'ingressUnicast',
  'ingressMulticast',
  'ingressBroadcast',
  'egressUnicast',
  'egressBroadcast',
  'postMulticastPackets',
  'frameOctets',
  'droppedOctets',
  'octets',
  'squares',
  'postMulticastOctets',
  'ack',
  'fin',
  'psh',
  'rst',
  'syn',
  'urg',
] as const

type Counts = Record<(typeof COUNTED)[number], number>

/** FIN to URG by their bits. */
const FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg'] as const

const ZERO = Object.fromEntries(COUNTED.map((name) => [name, 0])) as Counts

export function noCounts(): Counts {
  return { ...ZERO }
}

/** What one sample counts for. */
function countsOf(sample: Sample, shape: Shape): Counts {
  const { packets, length, dropped } = sample
  const c = noCounts()
  c.packets = packets
  c.frameOctets = packets * length
  if (dropped) c.droppedPackets = packets
  const cast = castOf(sample)
  if (cast === 'unicast') c[shape.egress ? 'egressUnicast' : 'ingressUnicast'] = packets
  else if (cast === 'broadcast') c[shape.egress ? 'egressBroadcast' : 'ingressBroadcast'] = packets
  else c[shape.egress ? 'postMulticastPackets' : 'ingressMulticast'] = packets
  if (shape.network === 'other') return c
  const datagram = datagramLength(sample, shape)
  c.octets = packets * datagram
  c.squares = c.octets * datagram
  if (dropped) c.droppedOctets = c.octets
  if (shape.egress && cast === 'multicast') c.postMulticastOctets = c.octets
  if (shape.transport !== 'tcp') return c
  const flags = tcpFlags(sample)
  for (const [bit, name] of FLAGS.entries()) if ((flags & (1 << bit)) !== 0) c[name] = packets
  return c
}

function datagramLength({ length }: Sample, shape: Shape): number {
  return Math.max(0, length - ethernetHeaderLen(shape))
}

function add(to: Counts, from: Counts): void {
  for (const name of COUNTED) to[name] += from[name]
}

export class FlowRecord {
  readonly shape: Shape
  readonly obsDomainId: number
  /** The key's part of the record. */
  readonly key: Uint8Array
  readonly start: Instant
  #end: Instant
  readonly #delta = noCounts()
  #total = ZERO
  #shortest = Number.POSITIVE_INFINITY
  #longest = 0

  constructor(now: Instant, shape: Shape, obsDomainId: number, key: Uint8Array) {
    this.start = now
    this.#end = now
    this.shape = shape
    this.obsDomainId = obsDomainId
    this.key = key
  }

  /** @param totals of the exporter; they are counted on */
  count(now: Instant, sample: Sample, totals: Counts): void {
    this.#end = now
    const counts = countsOf(sample, this.shape)
    add(this.#delta, counts)
    add(totals, counts)
    this.#total = { ...totals }
    const length = datagramLength(sample, this.shape)
    this.#shortest = Math.min(this.#shortest, length)
    this.#longest = Math.max(this.#longest, length)
  }

  /** The counts, in the order of the template's fields. @param exportTime seconds, not before the flow's end */
  put(w: ByteWriter, exportTime: number, reason: number): void {
    const [delta, total] = [this.#delta, this.#total]
    const put = (...values: number[]): void => {
      for (const value of values) putCounter(w, value)
    }
    w.u32(microseconds(exportTime, this.start)).u32(microseconds(exportTime, this.#end))
    put(delta.droppedPackets, total.droppedPackets, delta.packets, total.packets)
    put(total.ingressUnicast, total.ingressMulticast, total.ingressBroadcast)
    put(total.egressUnicast, total.egressBroadcast)
    put(delta.postMulticastPackets, total.postMulticastPackets, delta.frameOctets, total.frameOctets)
    w.u8(reason)
    if (this.shape.network !== 'other') {
      put(delta.droppedOctets, total.droppedOctets, delta.octets, total.octets, delta.squares, total.squares)
      put(this.#shortest, this.#longest, delta.postMulticastOctets, total.postMulticastOctets)
    }
    if (this.shape.transport === 'tcp') put(total.ack, total.fin, total.psh, total.rst, total.syn, total.urg)
  }
}

/** How long before the time of the message. */
function microseconds(exportTime: number, at: Instant): number {
  return Math.round((exportTime * SECOND - at) * 1000)
}
