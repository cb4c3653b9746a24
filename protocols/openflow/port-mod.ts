/** Port-mod: a controller changes a port's configuration. */

import { u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import type { Body, BodyCodec, BodyForm } from './message-codec.ts'
import { configMask, featuresFrom10, featuresTo10 } from './port-desc.ts'
import { port16, port32, putPort16 } from './port-number.ts'
import { putU32Property, readProperty, unknownProperty } from './properties.ts'
import { OF10, OF14 } from './version.ts'

export interface PortMod {
  port: number
  /** Must be the port's own. Six bytes. */
  hwAddr: Uint8Array
  /** PC_*: new values where `mask` has 1s. */
  config: number
  mask: number
  /** PF_* to advertise; 0 for no change. */
  advertise: number
}

const PROP_ETHERNET = 0

function decode({ b, o, end, version }: Body): PortMod | OfFault {
  const known = configMask(version)
  if (version === OF10) {
    return {
      port: port16(b, o),
      hwAddr: b.slice(o + 2, o + 8),
      config: u32(b, o + 8) & known,
      mask: u32(b, o + 12) & known,
      advertise: featuresFrom10(u32(b, o + 16)),
    }
  }
  const port = port32(b, o)
  if (isFault(port)) return port
  const mod: PortMod = {
    port,
    hwAddr: b.slice(o + 8, o + 14),
    config: u32(b, o + 16) & known,
    mask: u32(b, o + 20) & known,
    advertise: version < OF14 ? u32(b, o + 24) & 0xffff : 0,
  }
  if (version < OF14) return mod
  for (let at = o + 24; at < end; ) {
    const p = readProperty(b, at, end)
    if (isFault(p)) return p
    if (p.experimenter !== 0 || p.type !== PROP_ETHERNET) return unknownProperty(p)
    if (p.end - p.at !== 4) return fault('OFPBPC_BAD_LEN')
    mod.advertise = u32(b, p.at) & 0xffff
    at = p.next
  }
  return mod
}

function encode(w: ByteWriter, m: PortMod, { version }: BodyForm): void {
  const known = configMask(version)
  if (version === OF10) {
    putPort16(w, m.port)
    w.raw(m.hwAddr)
      .u32(m.config & known)
      .u32(m.mask & known)
      .u32(featuresTo10(m.advertise))
      .u32(0)
    return
  }
  w.u32(m.port)
    .u32(0)
    .raw(m.hwAddr)
    .u16(0)
    .u32(m.config & known)
    .u32(m.mask & known)
  if (version < OF14) w.u32(m.advertise).u32(0)
  else if (m.advertise !== 0) putU32Property(w, PROP_ETHERNET, m.advertise)
}

export const PORT_MOD_CODEC: BodyCodec<PortMod> = { decode, encode }
