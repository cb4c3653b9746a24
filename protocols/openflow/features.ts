/** Features reply: what the switch is and can. */

import { u32 } from '../wire/big-endian.ts'
import { u64 } from './counters.ts'
import { isFault } from './error.ts'
import type { BodyCodec } from './message-codec.ts'
import type { PortDesc } from './port-desc.ts'
import { PORT_DESC_LIST, putPort } from './port-desc.ts'
import { OF10, OF11, OF13, type OfVersion } from './version.ts'

/** Capabilities, as in OpenFlow 1.1 and later; CAP_STP and CAP_ARP_MATCH_IP are OpenFlow 1.0's. */
export const CAP_FLOW_STATS = 1 << 0
export const CAP_TABLE_STATS = 1 << 1
export const CAP_PORT_STATS = 1 << 2
export const CAP_GROUP_STATS = 1 << 3
export const CAP_STP = 1 << 4
export const CAP_IP_REASM = 1 << 5
export const CAP_QUEUE_STATS = 1 << 6
export const CAP_ARP_MATCH_IP = 1 << 7
export const CAP_PORT_BLOCKED = 1 << 8
export const CAP_BUNDLES = 1 << 9
export const CAP_FLOW_MONITORING = 1 << 10

export interface SwitchFeatures {
  datapathId: bigint
  /** Packets that can wait for packet-outs. */
  buffers: number
  tables: number
  /** 0 for a main connection. */
  auxiliaryId: number
  /** CAP_* */
  capabilities: number
  /** OpenFlow 1.0: 1 << OFPAT10_* for each action; 0 later. */
  actions: number
  /** OpenFlow 1.0 to 1.2; empty from 1.3 on, where PORT_DESC_STATS has them. */
  ports: readonly PortDesc[]
}

const COMMON = CAP_FLOW_STATS | CAP_TABLE_STATS | CAP_PORT_STATS | CAP_IP_REASM | CAP_QUEUE_STATS
const STP10 = 1 << 3

/** Bit 3 says STP in OpenFlow 1.0 and group statistics later; here they are two. */
function capabilitiesFrom(bits: number, version: OfVersion): number {
  let known = bits & meanings(version)
  if ((bits & STP10) !== 0) known |= version === OF10 ? CAP_STP : CAP_GROUP_STATS
  return known
}

function meanings(version: OfVersion): number {
  if (version <= OF11) return COMMON | CAP_ARP_MATCH_IP
  if (version <= OF13) return COMMON | CAP_PORT_BLOCKED
  return COMMON | CAP_PORT_BLOCKED | CAP_BUNDLES | CAP_FLOW_MONITORING
}

function capabilitiesTo(bits: number, version: OfVersion): number {
  const bit3 = version === OF10 ? bits & CAP_STP : bits & CAP_GROUP_STATS
  return (bits & meanings(version)) | (bit3 === 0 ? 0 : STP10)
}

/** No message may be longer: ports that do not fit are left out, which is why 1.3 moved them to a multipart. */
const MAX_BODY = 0xffff - 8

export const FEATURES_CODEC: BodyCodec<SwitchFeatures> = {
  decode(body) {
    const { b, o, version } = body
    const ports = version < OF13 ? PORT_DESC_LIST.decode({ ...body, o: o + 24 }) : []
    if (isFault(ports)) return ports
    return {
      datapathId: u64(b, o),
      buffers: u32(b, o + 8),
      tables: b[o + 12],
      auxiliaryId: version < OF13 ? 0 : b[o + 13],
      capabilities: capabilitiesFrom(u32(b, o + 16), version),
      actions: version === OF10 ? u32(b, o + 20) : 0,
      ports,
    }
  },
  encode(w, f, { version }) {
    const start = w.length
    w.u64(f.datapathId).u32(f.buffers).u8(f.tables)
    w.u8(version < OF13 ? 0 : f.auxiliaryId).u16(0)
    w.u32(capabilitiesTo(f.capabilities, version)).u32(version === OF10 ? f.actions : 0)
    if (version >= OF13) return
    const size = version === OF10 ? 48 : 64
    for (const port of f.ports) {
      if (w.length - start + size > MAX_BODY) break
      putPort(w, port, version)
    }
  },
}
