/** What a port is: in features replies, port descriptions, port status. Bits are OpenFlow 1.1's and Open vSwitch's. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { fixedText, putFixedText } from './fixed-text.ts'
import { type Entry, type ListCodec, listCodec } from './message-codec.ts'
import { port16, port32, putPort16 } from './port-number.ts'
import { endProperty, readProperty, startProperty } from './properties.ts'
import { OF10, OF14, type OfVersion } from './version.ts'

/** Configuration that a controller sets with a port-mod. */
export const PC_PORT_DOWN = 1 << 0
export const PC_NO_STP = 1 << 1
export const PC_NO_RECV = 1 << 2
export const PC_NO_RECV_STP = 1 << 3
export const PC_NO_FLOOD = 1 << 4
export const PC_NO_FWD = 1 << 5
export const PC_NO_PACKET_IN = 1 << 6

export const PS_LINK_DOWN = 1 << 0
/** OpenFlow 1.1 and later. */
export const PS_BLOCKED = 1 << 1
export const PS_LIVE = 1 << 2
/** OpenFlow 1.0: two bits. */
export const PS_STP_LISTEN = 0 << 8
export const PS_STP_LEARN = 1 << 8
export const PS_STP_FORWARD = 2 << 8
export const PS_STP_BLOCK = 3 << 8
export const PS_STP_MASK = 3 << 8

/** Features: OFPPF_*. */
export const PF_10MB_HD = 1 << 0
export const PF_10MB_FD = 1 << 1
export const PF_100MB_HD = 1 << 2
export const PF_100MB_FD = 1 << 3
export const PF_1GB_HD = 1 << 4
export const PF_1GB_FD = 1 << 5
export const PF_10GB_FD = 1 << 6
export const PF_40GB_FD = 1 << 7
export const PF_100GB_FD = 1 << 8
export const PF_1TB_FD = 1 << 9
export const PF_OTHER = 1 << 10
export const PF_COPPER = 1 << 11
export const PF_FIBER = 1 << 12
export const PF_AUTONEG = 1 << 13
export const PF_PAUSE = 1 << 14
export const PF_PAUSE_ASYM = 1 << 15

export interface PortDesc {
  /** 1 to 0xfeff, or OFPP_LOCAL. */
  port: number
  /** Six bytes. */
  hwAddr: Uint8Array
  /** At most 15 bytes go on the wire (63 from 1.4 on as Open vSwitch's extension does not exist: 15 too). */
  name: string
  /** PC_* */
  config: number
  /** PS_* */
  state: number
  /** PF_* */
  curr: number
  advertised: number
  supported: number
  peer: number
  /** kbit/s; 0 for unknown. Not in OpenFlow 1.0. */
  currSpeed: number
  maxSpeed: number
}

const NAME_LEN = 16
const CONFIG10 = 0x7f
const CONFIG11 = PC_PORT_DOWN | PC_NO_RECV | PC_NO_FWD | PC_NO_PACKET_IN
const STATE10 = PS_LINK_DOWN | PS_STP_MASK
const STATE11 = PS_LINK_DOWN | PS_BLOCKED | PS_LIVE
const LEN10 = 48
const LEN11 = 64
const LEN14 = 40
const PROP_ETHERNET = 0

/** Medium and pause bits stand 4 lower in OpenFlow 1.0, which knows no more than 10 Gbit/s. */
export function featuresFrom10(bits: number): number {
  return (bits & 0x7f) | ((bits & 0xf80) << 4)
}
export function featuresTo10(bits: number): number {
  return (bits & 0x7f) | ((bits & 0xf800) >>> 4)
}

const SPEEDS: readonly (readonly [bits: number, kbps: number])[] = [
  [PF_1TB_FD, 1_000_000_000],
  [PF_100GB_FD, 100_000_000],
  [PF_40GB_FD, 40_000_000],
  [PF_10GB_FD, 10_000_000],
  [PF_1GB_HD | PF_1GB_FD, 1_000_000],
  [PF_100MB_HD | PF_100MB_FD, 100_000],
  [PF_10MB_HD | PF_10MB_FD, 10_000],
]
/** The fastest speed among features, in kbit/s; 0 for none. */
export function speedOf(features: number): number {
  return SPEEDS.find(([bits]) => (features & bits) !== 0)?.[1] ?? 0
}

/** What a port-mod or port description may say of the configuration. */
export function configMask(version: OfVersion): number {
  return version === OF10 ? CONFIG10 : CONFIG11
}

function decode10(b: Uint8Array, o: number): PortDesc {
  const curr = featuresFrom10(u32(b, o + 32))
  const supported = featuresFrom10(u32(b, o + 40))
  return {
    port: port16(b, o),
    hwAddr: b.slice(o + 2, o + 8),
    name: fixedText(b, o + 8, NAME_LEN),
    config: u32(b, o + 24) & CONFIG10,
    state: u32(b, o + 28) & STATE10,
    curr,
    advertised: featuresFrom10(u32(b, o + 36)),
    supported,
    peer: featuresFrom10(u32(b, o + 44)),
    currSpeed: speedOf(curr),
    maxSpeed: speedOf(supported),
  }
}

type Ethernet = Pick<PortDesc, 'curr' | 'advertised' | 'supported' | 'peer' | 'currSpeed' | 'maxSpeed'>
const NO_ETHERNET: Ethernet = { curr: 0, advertised: 0, supported: 0, peer: 0, currSpeed: 0, maxSpeed: 0 }

function decodeEthernet(b: Uint8Array, o: number): Ethernet {
  return {
    curr: u32(b, o) & 0xffff,
    advertised: u32(b, o + 4) & 0xffff,
    supported: u32(b, o + 8) & 0xffff,
    peer: u32(b, o + 12) & 0xffff,
    currSpeed: u32(b, o + 16),
    maxSpeed: u32(b, o + 20),
  }
}

function decode11(b: Uint8Array, o: number, ethernet: Ethernet): PortDesc | OfFault {
  const port = port32(b, o)
  if (isFault(port)) return port
  return {
    port,
    hwAddr: b.slice(o + 8, o + 14),
    name: fixedText(b, o + 16, NAME_LEN),
    config: u32(b, o + 32) & CONFIG11,
    state: u32(b, o + 36) & STATE11,
    ...ethernet,
  }
}

/** Decodes the port at `o`, whichever form the version has. */
export function decodePort(
  b: Uint8Array,
  o: number,
  end: number,
  version: OfVersion,
): Entry<PortDesc> | OfFault {
  const fixed = version === OF10 ? LEN10 : version < OF14 ? LEN11 : LEN14
  if (end - o < fixed) return fault('OFPBRC_BAD_LEN')
  if (version === OF10) return { entry: decode10(b, o), next: o + LEN10 }
  let next = o + fixed
  let ethernet = NO_ETHERNET
  if (version < OF14) ethernet = decodeEthernet(b, o + 40)
  else {
    const length = u16(b, o + 4)
    if (length < LEN14 || o + length > end) return fault('OFPBRC_BAD_LEN')
    next = o + length
    for (let at = o + LEN14; at < next; ) {
      const p = readProperty(b, at, next)
      if (isFault(p)) return p
      if (p.experimenter === 0 && p.type === PROP_ETHERNET) {
        if (p.end - p.start !== 32) return fault('OFPBPC_BAD_LEN')
        ethernet = decodeEthernet(b, p.start + 8)
      }
      at = p.next
    }
  }
  const entry = decode11(b, o, ethernet)
  return isFault(entry) ? entry : { entry, next }
}

function putEthernet(w: ByteWriter, p: PortDesc): void {
  w.u32(p.curr).u32(p.advertised).u32(p.supported).u32(p.peer).u32(p.currSpeed).u32(p.maxSpeed)
}

export function putPort(w: ByteWriter, p: PortDesc, version: OfVersion): void {
  if (version === OF10) {
    putPort16(w, p.port)
    w.raw(p.hwAddr)
    putFixedText(w, p.name, NAME_LEN)
    w.u32(p.config & CONFIG10).u32(p.state & STATE10)
    for (const f of [p.curr, p.advertised, p.supported, p.peer]) w.u32(featuresTo10(f))
    return
  }
  const start = w.length
  w.u32(p.port).u16(0).u16(0).raw(p.hwAddr).u16(0)
  putFixedText(w, p.name, NAME_LEN)
  w.u32(p.config & CONFIG11).u32(p.state & STATE11)
  if (version < OF14) {
    putEthernet(w, p)
    return
  }
  const property = startProperty(w, PROP_ETHERNET)
  w.u32(0)
  putEthernet(w, p)
  endProperty(w, property)
  w.patch16(start + 4, w.length - start)
}

/** PORT_DESC replies. */
export const PORT_DESC_LIST: ListCodec<PortDesc> = listCodec(
  ({ b, end, version }, o) => decodePort(b, o, end, version),
  (w, port, { version }) => putPort(w, port, version),
)
