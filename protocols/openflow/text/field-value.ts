/** Values of match fields in text (ovs-fields(7), "Format"). */

import type { MetaFlowField } from '../../meta-flow.ts'
import { isOnes, isZero, maskIsValid, ones, toNumber } from '../match-field.ts'
import { portFromOf10, portToOf10 } from '../port.ts'
import { bytesOf } from '../subfield.ts'
import {
  formatEthernet,
  formatIpv4,
  formatIpv6,
  formatMaskSuffix,
  parseEthernet,
  parseMaskedIp,
} from './address.ts'
import { CT_STATES, type FlagNames, formatMaskedFlags, parseFlags, TCP_FLAGS, TUNNEL_FLAGS } from './flags.ts'
import { formatPort, type NameMaps, parsePort } from './names.ts'
import { formatHex, parseIntBytes, syntaxError } from './scan.ts'

export interface MaskedValue {
  value: Uint8Array
  mask: Uint8Array
}

/** The first that fits is the one written. */
const FRAGMENTS: readonly (readonly [name: string, mask: number, value: number])[] = [
  ['no', 3, 0],
  ['first', 3, 1],
  ['later', 3, 3],
  ['no', 1, 0],
  ['yes', 1, 1],
  ['not_later', 2, 0],
  ['later', 2, 2],
]

function flags(
  field: MetaFlowField,
  names: FlagNames,
  s: string,
  allowed: number,
  what: string,
): MaskedValue {
  const { flags: f, mask } = parseFlags(names, s, allowed, what)
  return { value: bytesOf(BigInt(f >>> 0), field.bytes), mask: bytesOf(BigInt(mask >>> 0), field.bytes) }
}

function integer(field: MetaFlowField, s: string): MaskedValue {
  const slash = s.indexOf('/')
  const complain = (what: string): never => syntaxError(`${s}: bad syntax for ${field.name} ${what}`)
  const value = parseIntBytes(slash < 0 ? s : s.slice(0, slash), field.bytes) ?? complain('value')
  if (slash < 0) return { value, mask: ones(field.bytes) }
  return { value, mask: parseIntBytes(s.slice(slash + 1), field.bytes) ?? complain('mask') }
}

function packetType(s: string): MaskedValue {
  const m = /^\(?\s*(0[xX][0-9a-fA-F]+|\d+)\s*,\s*(0[xX][0-9a-fA-F]+|\d+)\s*\)?$/.exec(s)
  if (m === null || Number(m[1]) > 0xffff || Number(m[2]) > 0xffff) return syntaxError(`${s}: syntax error`)
  return { value: bytesOf((BigInt(m[1]) << 16n) | BigInt(m[2]), 4), mask: ones(4) }
}

function parseByForm(field: MetaFlowField, s: string, names: NameMaps | undefined): MaskedValue {
  switch (field.form) {
    case 'decimal':
    case 'hexadecimal':
      return integer(field, s)
    case 'ethernet': {
      const [a, b, ...more] = s.split('/')
      const value = parseEthernet(a)
      const mask = b === undefined ? ones(6) : parseEthernet(b)
      if (value === undefined || mask === undefined || more.length > 0) {
        return syntaxError(`${s}: invalid Ethernet address`)
      }
      return { value, mask }
    }
    case 'ipv4':
      return parseMaskedIp(s, 4) ?? syntaxError(`${s}: invalid IP address`)
    case 'ipv6':
      return parseMaskedIp(s, 16) ?? syntaxError(`${s}: invalid IPv6 address`)
    case 'port10': {
      const port = parsePort(s, names)
      const p = port === undefined ? undefined : portToOf10(port)
      if (p === undefined) return syntaxError(`${s}: invalid or unknown port for ${field.name}`)
      return { value: bytesOf(BigInt(p), 2), mask: ones(2) }
    }
    case 'port': {
      const port = parsePort(s, names)
      if (port === undefined) return syntaxError(`${s}: port value out of range for ${field.name}`)
      return { value: bytesOf(BigInt(port), 4), mask: ones(4) }
    }
    case 'frag': {
      const f = FRAGMENTS.find(([name]) => name === s.toLowerCase())
      if (f === undefined) return syntaxError(`${s}: unknown fragment type`)
      return { value: Uint8Array.of(f[2]), mask: Uint8Array.of(f[1] | 0xfc) }
    }
    case 'tunnel_flags':
      return flags(field, TUNNEL_FLAGS, s, 1, 'tunnel')
    case 'tcp_flags':
      return flags(field, TCP_FLAGS, s, 0xfff, 'TCP')
    case 'ct_state':
      return flags(field, CT_STATES, s, 0xff, 'ct_state')
    case 'packet_type':
      return packetType(s)
  }
}

/** Parses `value` or `value/mask`; throws FlowSyntaxError. The value is not cut to the mask. */
export function parseFieldValue(field: MetaFlowField, s: string, names?: NameMaps): MaskedValue {
  if (s === '*') return { value: new Uint8Array(field.bytes), mask: new Uint8Array(field.bytes) }
  const v = parseByForm(field, s, names)
  if (!maskIsValid(field, v.mask)) syntaxError(`${s}: invalid mask for field ${field.name}`)
  return v
}

/** The same where no mask may stand. */
export function parseExactFieldValue(field: MetaFlowField, s: string, names?: NameMaps): Uint8Array {
  const { value, mask } = parseFieldValue(field, s, names)
  if (!isOnes(mask)) syntaxError(`${s}: wildcards not allowed here`)
  return value
}

function formatInteger(field: MetaFlowField, value: Uint8Array, mask: Uint8Array | undefined): string {
  const text = field.form === 'hexadecimal' ? formatHex(value) : BigInt(formatHex(value)).toString()
  return mask === undefined ? text : `${text}/${formatHex(mask)}`
}

/** Half of a packet type; small numbers are decimal. */
function half(v: number, m: number): string {
  if (m === 0) return '*'
  const value = v > 9 ? `0x${v.toString(16)}` : String(v)
  return m === 0xffff ? value : `${value}/0x${m.toString(16)}`
}

/** As in set_field and learn; undefined or all ones: no mask. */
export function formatFieldValue(
  field: MetaFlowField,
  value: Uint8Array,
  mask: Uint8Array | undefined,
  names?: NameMaps,
): string {
  if (mask !== undefined && isZero(mask)) return 'ANY'
  if (mask !== undefined && isOnes(mask)) mask = undefined
  const number = (): number => toNumber(value)
  const maskNumber = (whole: number): number => (mask === undefined ? whole : toNumber(mask))
  switch (field.form) {
    case 'decimal':
    case 'hexadecimal':
      return formatInteger(field, value, mask)
    case 'port10':
      return mask === undefined
        ? formatPort(portFromOf10(number()), names)
        : formatInteger(field, value, mask)
    case 'port':
      return mask === undefined ? formatPort(number(), names) : formatInteger(field, value, mask)
    case 'ethernet':
      return formatEthernet(value) + (mask === undefined ? '' : `/${formatEthernet(mask)}`)
    case 'ipv4':
      return formatIpv4(value) + (mask === undefined ? '' : formatMaskSuffix(mask))
    case 'ipv6':
      return formatIpv6(value) + (mask === undefined ? '' : formatMaskSuffix(mask))
    case 'frag':
      return formatFragment(value[0], maskNumber(3))
    case 'tunnel_flags':
      return formatMaskedFlags(TUNNEL_FLAGS, number(), maskNumber(0xffff) & 1, 1)
    case 'tcp_flags':
      return formatMaskedFlags(TCP_FLAGS, number(), maskNumber(0xffff) & 0xfff, 0xfff)
    case 'ct_state':
      return formatMaskedFlags(CT_STATES, number(), maskNumber(0xffff_ffff), 0xffff)
    case 'packet_type':
      return formatPacketType(number(), maskNumber(0xffff_ffff))
  }
}

export function formatFragment(value: number, mask: number): string {
  const m = mask & 3
  return FRAGMENTS.find(([, fm, fv]) => fm === m && fv === (value & m))?.[0] ?? '<error>'
}

export function formatPacketType(value: number, mask: number): string {
  if (value === 0 && mask === 0xffff_ffff) return 'eth'
  return `packet_type=(${half(value >>> 16, mask >>> 16)},${half(value & 0xffff, mask & 0xffff)})`
}
