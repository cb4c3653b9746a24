/** A packet that was sampled, and the part of a flow record that says which flow it is of. */
import {
  ETH_IPV4,
  ETH_IPV6,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_IPV6_DST,
  W_IPV6_LABEL,
  W_IPV6_SRC,
  W_L4,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../flow-key.ts'
import type { ByteWriter } from '../openflow/byte-writer.ts'
import type { Shape } from './template.ts'

/** Bytes of an interface's name at the most, as in Open vSwitch. */
export const MAX_NAME = 64

/** An interface as collectors are told of it. */
export interface SampledInterface {
  /** SNMP ifIndex, the interface's number in the machine; 0 for none. */
  readonly index: number
  /** UTF-8, at most MAX_NAME bytes. */
  readonly name: Uint8Array
}

export interface Sample {
  /** Headers as protocols/flow-key.ts lays them out. */
  readonly key: Uint32Array
  /** Bytes of the frame. */
  readonly length: number
  /** How many packets this one stands for. */
  readonly packets: number
  readonly obsDomainId: number
  readonly obsPointId: number
  readonly egress: boolean
  /** None for packets that no interface is known for. */
  readonly input: SampledInterface | undefined
  readonly output: SampledInterface | undefined
  /** Nothing was sent of it. */
  readonly dropped: boolean
}

const TCP = 6
const UDP = 17
const SCTP = 132
const ICMPV4 = 1
const ICMPV6 = 58
const ETH_HEADER_LEN = 14
const VLAN_HEADER_LEN = 4
const NO_NAME = new Uint8Array(0)

export function shapeOf({ key, egress }: Sample): Shape {
  const type = key[W_TYPE] >>> 16
  const network = type === ETH_IPV4 ? 'ipv4' : type === ETH_IPV6 ? 'ipv6' : 'other'
  return {
    vlan: key[W_VLAN] >>> 16 !== 0,
    network,
    transport: network === 'other' ? 'other' : transportOf(key[W_NW] >>> 24, network),
    egress,
  }
}

function transportOf(protocol: number, network: 'ipv4' | 'ipv6'): Shape['transport'] {
  if (protocol === TCP) return 'tcp'
  if (protocol === UDP) return 'udp'
  if (protocol === SCTP) return 'sctp'
  return protocol === (network === 'ipv4' ? ICMPV4 : ICMPV6) ? 'icmp' : 'other'
}

export function ethernetHeaderLen({ vlan }: Shape): number {
  return ETH_HEADER_LEN + (vlan ? VLAN_HEADER_LEN : 0)
}

/** Of TCP: its flags. */
export function tcpFlags({ key }: Sample): number {
  return (key[W_L4] >>> 16) & 0xfff
}

export type Cast = 'unicast' | 'multicast' | 'broadcast'

export function castOf({ key }: Sample): Cast {
  if (key[W_DL_DST] === 0xffff_ffff && key[W_DL_MIX] >>> 16 === 0xffff) return 'broadcast'
  return (key[W_DL_DST] & 0x0100_0000) !== 0 ? 'multicast' : 'unicast'
}

/** Writes the fields of a record up to the virtual observation id: packets with equal ones are of one flow. */
export function putFlowKey(w: ByteWriter, sample: Sample, shape: Shape): void {
  const { key } = sample
  w.u32(sample.obsPointId).u8(shape.egress ? 1 : 0)
  w.u16(key[W_DL_MIX] & 0xffff).u32(key[W_DL_SRC])
  w.u32(key[W_DL_DST]).u16(key[W_DL_MIX] >>> 16)
  w.u16(key[W_TYPE] >>> 16).u8(ethernetHeaderLen(shape))
  putInterface(w, sample.input)
  if (shape.egress) putInterface(w, sample.output)
  if (shape.vlan) {
    const tci = key[W_VLAN] >>> 16
    w.u16(tci & 0xfff)
      .u16(tci & 0xfff)
      .u8(tci >>> 13)
  }
  if (shape.network === 'other') return
  const tos = (key[W_NW] >>> 16) & 0xff
  w.u8(shape.network === 'ipv4' ? 4 : 6)
    .u8((key[W_NW] >>> 8) & 0xff)
    .u8(key[W_NW] >>> 24)
  w.u8(tos >>> 2)
    .u8(tos >>> 5)
    .u8(tos)
  if (shape.network === 'ipv4') w.u32(key[W_NW_SRC]).u32(key[W_NW_DST])
  else {
    for (let i = 0; i < 4; i++) w.u32(key[W_IPV6_SRC + i])
    for (let i = 0; i < 4; i++) w.u32(key[W_IPV6_DST + i])
    w.u32(key[W_IPV6_LABEL])
  }
  if (shape.transport === 'icmp') w.u8(key[W_TP] >>> 16).u8(key[W_TP])
  else if (shape.transport !== 'other') w.u32(key[W_TP])
}

/** Number, type (unknown, as Open vSwitch says of interfaces of Linux), name, and a description: none. */
function putInterface(w: ByteWriter, of: SampledInterface | undefined): void {
  w.u32(of?.index ?? 0).u32(0)
  putText(w, of?.name ?? NO_NAME)
  w.u8(0)
}

/** A value of variable length, of fewer than 255 bytes (RFC 7011 §7). */
export function putText(w: ByteWriter, text: Uint8Array): void {
  w.u8(text.length).raw(text)
}
