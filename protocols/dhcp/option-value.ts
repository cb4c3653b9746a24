/**
 * From the value of an option as people write it in a configuration to its bytes, and back for display.
 *
 * | type        | written as                                                     |
 * |-------------|----------------------------------------------------------------|
 * | ip          | `"10.0.0.1"`                                                   |
 * | ip-list     | `"10.0.0.1"` or `["10.0.0.1", …]`                              |
 * | ip-pairs    | `[["192.0.2.0", "255.255.255.0"], …]`                          |
 * | u8 u16 u32 i32 | a number                                                    |
 * | bool        | `true` or `false`                                              |
 * | u8-list u16-list | a number or a list of numbers                             |
 * | text        | a string, sent without a NUL                                   |
 * | hex         | `"01:02:ff"`, `"0102ff"` or a list of bytes                    |
 * | empty       | `true`                                                         |
 * | routes      | `[{ "to": "10.1.0.0/16", "via": "10.0.0.1" }, …]` (RFC 3442)   |
 * | domain-list | `"example.org"` or a list (RFC 1035 names, RFC 3397 compression) |
 * | sip-servers | addresses or names, as ip-list or domain-list (RFC 3361)       |
 */

import { put16, put32, u16, u32 } from '../wire/big-endian.ts'
import type { Options } from '../wire/dhcpv4.ts'
import { formatIpv4, mask, parseIpv4, parsePrefix } from '../wire/ipv4.ts'
import { encodeDomainList } from './domain-list.ts'
import {
  findOption,
  isProtocolOption,
  OPTION_TYPES,
  type OptionType,
  optionByCode,
  optionName,
} from './option-table.ts'
import { encodeText, formatHex, parseHex, printableText } from './text.ts'

/** An option given by number and type, for those that have no name. */
export interface CustomOption {
  readonly code: number
  readonly type: OptionType
  readonly value: unknown
}

export type OptionErrorCode =
  | 'UNKNOWN_OPTION'
  | 'PROTOCOL_OPTION'
  | 'BAD_CODE'
  | 'BAD_TYPE'
  | 'BAD_VALUE'
  | 'TWICE'

/** Why an option cannot be sent as configured. */
export interface OptionError {
  readonly code: OptionErrorCode
  /** The option as it was named. */
  readonly option: string
  readonly message: string
}

export type Encoded =
  | { readonly ok: true; readonly code: number; readonly data: Uint8Array }
  | { readonly ok: false; readonly error: OptionError }

function fail(code: OptionErrorCode, option: string, message: string): Encoded {
  return { ok: false, error: { code, option, message } }
}

/** Encodes an option known by its name (any spelling of the table) or by the decimal number of one in the table. */
export function encodeNamedOption(name: string, value: unknown): Encoded {
  const definition = findOption(name)
  if (definition === undefined) {
    const hint = /^\d+$/.test(name) ? 'give it as { "code", "type", "value" }' : 'no option has this name'
    return fail('UNKNOWN_OPTION', name, `${name}: ${hint}`)
  }
  return encode(name, definition.code, definition.type, value)
}

/** Encodes an option given by number and type. */
export function encodeCustomOption(option: CustomOption): Encoded {
  const name = `option ${option.code}`
  if (!Number.isInteger(option.code) || option.code < 1 || option.code > 254) {
    return fail('BAD_CODE', name, `${name}: an option's number is 1 to 254`)
  }
  if (!OPTION_TYPES.includes(option.type)) {
    return fail('BAD_TYPE', name, `${name}: type is one of ${OPTION_TYPES.join(', ')}`)
  }
  return encode(name, option.code, option.type, option.value)
}

/**
 * Encodes a whole set: `named` by name or decimal number, `custom` by number and type. Every error is reported;
 * the options are good for use only if there is none.
 */
export function encodeOptions(
  named: Readonly<Record<string, unknown>>,
  custom: readonly CustomOption[] = [],
): { options: Options; errors: OptionError[] } {
  const options: Options = new Map()
  const errors: OptionError[] = []
  const take = (result: Encoded, name: string) => {
    if (!result.ok) errors.push(result.error)
    else if (options.has(result.code)) {
      const message = `${name}: option ${result.code} (${optionName(result.code)}) is given twice`
      errors.push({ code: 'TWICE', option: name, message })
    } else options.set(result.code, result.data)
  }
  for (const [name, value] of Object.entries(named)) take(encodeNamedOption(name, value), name)
  for (const option of custom) take(encodeCustomOption(option), `option ${option.code}`)
  return { options, errors }
}

function encode(name: string, code: number, type: OptionType, value: unknown): Encoded {
  if (isProtocolOption(code)) {
    return fail(
      'PROTOCOL_OPTION',
      name,
      `${name}: the server sets option ${code} (${optionName(code)}) itself`,
    )
  }
  const data = encodeValue(type, value)
  if (data === undefined) {
    return fail(
      'BAD_VALUE',
      name,
      `${name}: ${JSON.stringify(value) ?? String(value)} is not ${EXPECTED[type]}`,
    )
  }
  return { ok: true, code, data }
}

const EXPECTED: Readonly<Record<OptionType, string>> = {
  ip: 'an IPv4 address',
  'ip-list': 'an IPv4 address or a list of them',
  'ip-pairs': 'a list of pairs of IPv4 addresses',
  u8: 'a number from 0 to 255',
  u16: 'a number from 0 to 65535',
  u32: 'a number from 0 to 4294967295',
  i32: 'a number from -2147483648 to 2147483647',
  bool: 'true or false',
  'u8-list': 'a list of numbers from 0 to 255',
  'u16-list': 'a list of numbers from 0 to 65535',
  text: 'a string that is not empty',
  hex: 'hexadecimal bytes such as "01:02:ff"',
  empty: 'true (the option has no value)',
  routes: 'a list of { "to": "10.1.0.0/16", "via": "10.0.0.1" }',
  'domain-list': 'a domain name or a list of them',
  'sip-servers': 'a list of IPv4 addresses or a list of domain names',
}

function numberBytes(value: unknown, size: number, min: number, max: number): Uint8Array | undefined {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) return undefined
  const b = new Uint8Array(size)
  if (size === 1) b[0] = value
  else if (size === 2) put16(b, 0, value)
  else put32(b, 0, value)
  return b
}

function concat(parts: readonly (Uint8Array | undefined)[]): Uint8Array | undefined {
  const out: number[] = []
  for (const p of parts) {
    if (p === undefined) return undefined
    for (const byte of p) out.push(byte)
  }
  return out.length === 0 ? undefined : Uint8Array.from(out)
}

function addressBytes(value: unknown): Uint8Array | undefined {
  const address = typeof value === 'string' ? parseIpv4(value) : undefined
  return address === undefined ? undefined : numberBytes(address, 4, 0, 0xffff_ffff)
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

/** RFC 3442: prefix length, as many bytes of the destination as it needs, router. */
function routeBytes(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { to, via } = value as { to?: unknown; via?: unknown }
  const prefix = typeof to === 'string' ? parsePrefix(to) : undefined
  const router = addressBytes(via)
  if (prefix === undefined || router === undefined) return undefined
  if ((prefix.address & ~mask(prefix.prefixLength)) !== 0) return undefined
  const significant = Math.ceil(prefix.prefixLength / 8)
  const destination = new Uint8Array(4)
  put32(destination, 0, prefix.address)
  return concat([Uint8Array.of(prefix.prefixLength), destination.subarray(0, significant), router])
}

/** The bytes of a value of that type; `undefined` when it is none. */
export function encodeValue(type: OptionType, value: unknown): Uint8Array | undefined {
  switch (type) {
    case 'ip':
      return addressBytes(value)
    case 'ip-list':
      return concat(list(value).map(addressBytes))
    case 'ip-pairs':
      return concat(
        list(value).flatMap((pair) =>
          Array.isArray(pair) && pair.length === 2 ? pair.map(addressBytes) : [undefined],
        ),
      )
    case 'u8':
      return numberBytes(value, 1, 0, 0xff)
    case 'u16':
      return numberBytes(value, 2, 0, 0xffff)
    case 'u32':
      return numberBytes(value, 4, 0, 0xffff_ffff)
    case 'i32':
      return numberBytes(value, 4, -0x8000_0000, 0x7fff_ffff)
    case 'bool':
      return typeof value === 'boolean' ? Uint8Array.of(value ? 1 : 0) : undefined
    case 'u8-list':
      return concat(list(value).map((v) => numberBytes(v, 1, 0, 0xff)))
    case 'u16-list':
      return concat(list(value).map((v) => numberBytes(v, 2, 0, 0xffff)))
    case 'text':
      return typeof value === 'string' && value !== '' ? encodeText(value) : undefined
    case 'hex':
      if (typeof value === 'string') return parseHex(value)
      return concat(list(value).map((v) => numberBytes(v, 1, 0, 0xff)))
    case 'empty':
      return value === true ? new Uint8Array(0) : undefined
    case 'routes':
      return concat(list(value).map(routeBytes))
    case 'domain-list':
      return encodeDomainList(list(value), true)
    case 'sip-servers': {
      // RFC 3361 §3: an encoding byte, 1 for addresses, 0 for names, which are not compressed.
      const addresses = concat(list(value).map(addressBytes))
      if (addresses !== undefined) return concat([Uint8Array.of(1), addresses])
      const names = encodeDomainList(list(value), false)
      return names === undefined ? undefined : concat([Uint8Array.of(0), names])
    }
  }
}

/** The data of an option for people, by the type of its number; hexadecimal where that does not fit. */
export function formatOption(code: number, data: Uint8Array): string {
  const type = optionByCode(code)?.type
  const n = data.length
  const each = (size: number, one: (at: number) => string) =>
    Array.from({ length: n / size }, (_, i) => one(i * size)).join(', ')
  if ((type === 'ip' && n === 4) || (type === 'ip-list' && n > 0 && n % 4 === 0)) {
    return each(4, (at) => formatIpv4(u32(data, at)))
  }
  if (type === 'ip-pairs' && n > 0 && n % 8 === 0) {
    return each(8, (at) => `${formatIpv4(u32(data, at))} ${formatIpv4(u32(data, at + 4))}`)
  }
  if (type === 'u8-list' || (type === 'u8' && n === 1)) return each(1, (at) => String(data[at]))
  if ((type === 'u16' && n === 2) || (type === 'u16-list' && n % 2 === 0))
    return each(2, (at) => String(u16(data, at)))
  if (type === 'u32' && n === 4) return String(u32(data, 0))
  if (type === 'i32' && n === 4) return String(u32(data, 0) | 0)
  if (type === 'bool' && n === 1) return data[0] === 0 ? 'false' : 'true'
  if (type === 'text') return printableText(data)
  return formatHex(data)
}
