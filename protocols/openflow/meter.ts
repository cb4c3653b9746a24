/** Meters: meter-mod, statistics, configuration, features. OpenFlow 1.3 and later. */

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
