/** Statistics of IPFIX exporters (NXST_IPFIX_BRIDGE and NXST_IPFIX_FLOW). */

import { u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { counter, putCounter } from './counters.ts'
import { type Body, type BodyCodec, fixedListCodec, type ListCodec } from './message-codec.ts'

export interface IpfixStats {
  totalFlows: number
  currentFlows: number
  packets: number
  ipv4Packets: number
  ipv6Packets: number
  errorPackets: number
  ipv4ErrorPackets: number
  ipv6ErrorPackets: number
  transmittedPackets: number
  transmitErrors: number
  /** 0 for the bridge's exporter. */
  collectorSetId: number
}

const COUNTERS = [
  'totalFlows',
  'currentFlows',
  'packets',
  'ipv4Packets',
  'ipv6Packets',
  'errorPackets',
  'ipv4ErrorPackets',
  'ipv6ErrorPackets',
  'transmittedPackets',
  'transmitErrors',
] as const

function decode({ b }: Body, o: number): IpfixStats {
  const s = { collectorSetId: u32(b, o + 80) } as IpfixStats
  for (const [i, name] of COUNTERS.entries()) s[name] = counter(b, o + 8 * i) ?? 0
  return s
}

function encode(w: ByteWriter, s: IpfixStats): void {
  for (const name of COUNTERS) putCounter(w, s[name])
  w.u32(s.collectorSetId).u32(0)
}

export const IPFIX_BRIDGE_CODEC: BodyCodec<IpfixStats> = { decode: (body) => decode(body, body.o), encode }
export const IPFIX_FLOW_LIST: ListCodec<IpfixStats> = fixedListCodec(decode, encode)
