/** Meters: meter-mod, statistics, configuration, features. OpenFlow 1.3 and later. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { counter, putCounter } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { type Body, type BodyCodec, type Entry, type ListCodec, listCodec } from './message-codec.ts'

export type MeterCommand = 'add' | 'modify' | 'delete'

/** Flags of a meter, OFPMF13_*. */
export const METER_KBPS = 1 << 0
export const METER_PKTPS = 1 << 1
export const METER_BURST = 1 << 2
export const METER_STATS = 1 << 3

/** The highest number an ordinary meter may have. */
export const METER_MAX = 0xffff_0000
export const METER_SLOWPATH = 0xffff_fffd
export const METER_CONTROLLER = 0xffff_fffe
export const METER_ALL = 0xffff_ffff

export interface MeterBand {
  type: 'drop' | 'dscp_remark'
  /** kbit/s or packets/s. */
  rate: number
  /** kbit or packets. */
  burst: number
  /** dscp_remark only. */
  precLevel: number
}

export interface MeterConfig {
  meter: number
  /** METER_* flags. */
  flags: number
  bands: readonly MeterBand[]
}

export interface MeterMod extends MeterConfig {
  command: MeterCommand
}

/** Of meter statistics and of configurations. */
export interface MeterRequest {
  /** METER_ALL for all. */
  meter: number
}

export interface MeterStats {
  meter: number
  flowCount: number
  packetIn: number | undefined
  byteIn: number | undefined
  durationSec: number
  durationNsec: number
  bands: readonly { packetCount: number | undefined; byteCount: number | undefined }[]
}

export interface MeterFeatures {
  maxMeters: number
  /** 1 << 1 drop, 1 << 2 dscp_remark. */
  bandTypes: number
  /** METER_* flags. */
  capabilities: number
  maxBands: number
  maxColor: number
}

const COMMANDS: readonly MeterCommand[] = ['add', 'modify', 'delete']
const BAND_LEN = 16
const BAND_DROP = 1
const BAND_DSCP_REMARK = 2

function decodeBands(b: Uint8Array, o: number, end: number): MeterBand[] | OfFault {
  const bands: MeterBand[] = []
  for (; end - o >= BAND_LEN; o += BAND_LEN) {
    if (u16(b, o + 2) !== BAND_LEN) return fault('OFPBRC_BAD_LEN')
    const type = u16(b, o)
    if (type !== BAND_DROP && type !== BAND_DSCP_REMARK) return fault('OFPMMFC_BAD_BAND')
    bands.push({
      type: type === BAND_DROP ? 'drop' : 'dscp_remark',
      rate: u32(b, o + 4),
      burst: u32(b, o + 8),
      precLevel: type === BAND_DROP ? 0 : b[o + 12],
    })
  }
  return o === end ? bands : fault('OFPBRC_BAD_LEN')
}

function putBands(w: ByteWriter, bands: readonly MeterBand[]): void {
  for (const { type, rate, burst, precLevel } of bands) {
    w.u16(type === 'drop' ? BAND_DROP : BAND_DSCP_REMARK)
      .u16(BAND_LEN)
      .u32(rate)
      .u32(burst)
    w.u8(type === 'drop' ? 0 : precLevel).zeros(3)
  }
}

export const METER_MOD_CODEC: BodyCodec<MeterMod> = {
  decode({ b, o, end }) {
    const command = COMMANDS[u16(b, o)]
    if (command === undefined) return fault('OFPMMFC_BAD_COMMAND')
    const meter = u32(b, o + 4)
    if (command === 'delete') return { command, meter, flags: 0, bands: [] }
    const flags = u16(b, o + 2)
    if ((flags & METER_KBPS) !== 0 && (flags & METER_PKTPS) !== 0) return fault('OFPMMFC_BAD_FLAGS')
    const bands = decodeBands(b, o + 8, end)
    return isFault(bands) ? bands : { command, meter, flags, bands }
  },
  encode(w, { command, flags, meter, bands }) {
    w.u16(COMMANDS.indexOf(command)).u16(flags).u32(meter)
    putBands(w, bands)
  },
}

export const METER_REQUEST: BodyCodec<MeterRequest> = {
  decode: ({ b, o }) => ({ meter: u32(b, o) }),
  encode: (w, { meter }) => {
    w.u32(meter).u32(0)
  },
}

function decodeConfig({ b, end }: Body, o: number): Entry<MeterConfig> | OfFault {
  const length = u16(b, o)
  if (length < 8 || o + length > end) return fault('OFPBRC_BAD_LEN')
  const bands = decodeBands(b, o + 8, o + length)
  if (isFault(bands)) return bands
  return { entry: { meter: u32(b, o + 4), flags: u16(b, o + 2), bands }, next: o + length }
}

export const METER_CONFIG_LIST: ListCodec<MeterConfig> = listCodec(
  decodeConfig,
  (w, { meter, flags, bands }) => {
    w.u16(8 + BAND_LEN * bands.length)
      .u16(flags)
      .u32(meter)
    putBands(w, bands)
  },
)

const STATS_LEN = 40

function decodeStats({ b, end }: Body, o: number): Entry<MeterStats> | OfFault {
  if (end - o < STATS_LEN) return fault('OFPBRC_BAD_LEN')
  const length = u16(b, o + 4)
  if (length < STATS_LEN || o + length > end || (length - STATS_LEN) % 16 !== 0)
    return fault('OFPBRC_BAD_LEN')
  const next = o + length
  const bands: { packetCount: number | undefined; byteCount: number | undefined }[] = []
  for (let at = o + STATS_LEN; at < next; at += 16) {
    bands.push({ packetCount: counter(b, at), byteCount: counter(b, at + 8) })
  }
  const entry: MeterStats = {
    meter: u32(b, o),
    flowCount: u32(b, o + 12),
    packetIn: counter(b, o + 16),
    byteIn: counter(b, o + 24),
    durationSec: u32(b, o + 32),
    durationNsec: u32(b, o + 36),
    bands,
  }
  return { entry, next }
}

export const METER_STATS_LIST: ListCodec<MeterStats> = listCodec(decodeStats, (w, s) => {
  w.u32(s.meter)
    .u16(STATS_LEN + 16 * s.bands.length)
    .zeros(6)
    .u32(s.flowCount)
  putCounter(w, s.packetIn)
  putCounter(w, s.byteIn)
  w.u32(s.durationSec).u32(s.durationNsec)
  for (const { packetCount, byteCount } of s.bands) {
    putCounter(w, packetCount)
    putCounter(w, byteCount)
  }
})

export const METER_FEATURES_CODEC: BodyCodec<MeterFeatures> = {
  decode: ({ b, o }) => ({
    maxMeters: u32(b, o),
    bandTypes: u32(b, o + 4),
    capabilities: u32(b, o + 8),
    maxBands: b[o + 12],
    maxColor: b[o + 13],
  }),
  encode: (w, f) => {
    w.u32(f.maxMeters).u32(f.bandTypes).u32(f.capabilities).u8(f.maxBands).u8(f.maxColor).u16(0)
  },
}
