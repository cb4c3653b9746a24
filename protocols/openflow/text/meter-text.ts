/** Meters: read from text as ovs-ofctl add-meter does, and printed as dump-meters and meter-stats do. */

import {
  METER_ALL,
  METER_BURST,
  METER_CONTROLLER,
  METER_KBPS,
  METER_MAX,
  METER_PKTPS,
  METER_SLOWPATH,
  METER_STATS,
  type MeterBand,
  type MeterCommand,
  type MeterConfig,
  type MeterFeatures,
  type MeterMod,
  type MeterStats,
} from '../meter.ts'
import { formatDuration } from './flow-format.ts'
import { keyValues, parseUint, syntaxError } from './scan.ts'

const FLAGS: readonly (readonly [flag: number, name: string])[] = [
  [METER_KBPS, 'kbps'],
  [METER_PKTPS, 'pktps'],
  [METER_BURST, 'burst'],
  [METER_STATS, 'stats'],
]
const BANDS = ['drop', 'dscp_remark'] as const

function formatId(meter: number, separator: string): string {
  if (meter === METER_ALL) return `meter${separator}all`
  if (meter === METER_CONTROLLER) return `meter${separator}controller`
  if (meter === METER_SLOWPATH) return `meter${separator}slowpath`
  return `meter${separator}${meter}`
}

function formatFlags(flags: number): string {
  return FLAGS.filter(([flag]) => (flags & flag) !== 0)
    .map(([, name]) => `${name} `)
    .join('')
}

function formatBand(band: MeterBand, flags: number): string {
  let s = `\ntype=${band.type} rate=${band.rate}`
  if ((flags & METER_BURST) !== 0) s += ` burst_size=${band.burst}`
  return band.type === 'dscp_remark' ? `${s} prec_level=${band.precLevel}` : s
}

/** `meter=1 kbps bands=` and a line for each band. */
export function formatMeter({ meter, flags, bands }: MeterConfig): string {
  return `${formatId(meter, '=')} ${formatFlags(flags)}bands=${bands.map((b) => formatBand(b, flags)).join('')}`
}

export function formatMeterMod(m: MeterMod): string {
  return ` ${{ add: 'ADD', modify: 'MOD', delete: 'DEL' }[m.command]} ${formatMeter(m)}`
}

export function formatMeterStats(s: MeterStats): string {
  const counts = `packet_in_count:${s.packetIn ?? '?'} byte_in_count:${s.byteIn ?? '?'}`
  const duration = formatDuration(s.durationSec, s.durationNsec)
  const bands = s.bands.map(
    (b, i) => `\n${i}: packet_count:${b.packetCount ?? '?'} byte_count:${b.byteCount ?? '?'}`,
  )
  return `${formatId(s.meter, ':')} flow_count:${s.flowCount} ${counts} duration:${duration} bands:${bands.join('')}`
}

export function formatMeterFeatures(f: MeterFeatures): string {
  const types = BANDS.filter((_, i) => (f.bandTypes & (2 << i)) !== 0)
  const capabilities = formatFlags(f.capabilities).trimEnd()
  return [
    `max_meter:${f.maxMeters} max_bands:${f.maxBands} max_color:${f.maxColor}`,
    `band_types: ${types.join(' ')}`,
    `capabilities: ${capabilities}`,
  ].join('\n')
}

/** What may be asked for and deleted: a number, `all`, `controller` or `slowpath`. */
export function parseMeterId(s: string): number {
  if (s === 'all') return METER_ALL
  if (s === 'controller') return METER_CONTROLLER
  if (s === 'slowpath') return METER_SLOWPATH
  const meter = parseUint(s, 32, 'meter_id')
  return meter === 0 || meter > METER_MAX ? syntaxError(`invalid meter id ${s}`) : meter
}

/** `meter=1`, `meter=all` or nothing. */
export function parseMeterRequest(text: string): number {
  let meter: number | undefined
  for (const [key, value] of keyValues(text)) {
    if (key !== 'meter') syntaxError(`unknown keyword ${key}`)
    meter = parseMeterId(value)
  }
  return meter ?? METER_ALL
}

function parseBand(text: string): MeterBand {
  const band: MeterBand = { type: 'drop', rate: 0, burst: 0, precLevel: 0 }
  for (const [key, value] of keyValues(text)) {
    if (key === 'type') {
      band.type = BANDS.find((type) => type === value) ?? syntaxError(`invalid band type "${value}"`)
    } else if (key === 'burst_size') band.burst = parseUint(value, 32, key)
    else if (key === 'rate') band.rate = parseUint(value, 32, key)
    else if (key === 'prec_level') band.precLevel = parseUint(value, 8, key)
    else syntaxError(`unknown keyword ${key}`)
  }
  if (!/\btype\s*[=:]/.test(text)) return syntaxError('"type" must be specified')
  return band
}

/** `meter=1,kbps,burst,band=type=drop,rate=1000,burst_size=100`. Throws FlowSyntaxError. */
export function parseMeter(text: string, command: MeterCommand): MeterMod {
  const at = text.search(/bands?\s*=/)
  const head = at < 0 ? text : text.slice(0, at)
  let meter: number | undefined
  let flags = 0
  for (const [key, value] of keyValues(head)) {
    const flag = FLAGS.find(([, name]) => name === key)
    if (flag !== undefined) flags |= flag[0]
    else if (key === 'meter') meter = parseMeterId(value)
    else syntaxError(`unknown keyword ${key}`)
  }
  if (meter === undefined) return syntaxError('must specify "meter"')
  if (command === 'delete') return { command, meter, flags: 0, bands: [] }
  if ((flags & (METER_KBPS | METER_PKTPS)) === (METER_KBPS | METER_PKTPS)) {
    return syntaxError('"kbps" and "pktps" are mutually exclusive')
  }
  if ((flags & (METER_KBPS | METER_PKTPS)) === 0) flags |= METER_KBPS
  if (at < 0) return syntaxError('must specify bands')
  const tail = text.slice(at).replace(/^bands?\s*=/, '')
  const bands = tail
    .split(/(?=\btype\s*=)/)
    .map((part) => part.replace(/bands?\s*=\s*$/, ''))
    .filter((part) => part.trim() !== '')
    .map(parseBand)
  return { command, meter, flags, bands }
}
