/** Which connections `dpctl/flush-conntrack` means: `ct_nw_src=…,ct_nw_proto=…,ct_tp_dst=…`, ovs-vswitchd(8). */
import type { CtFlush, CtTuple } from '../../protocols/openflow/ct-flush.ts'
import { parseIpv6 } from '../../protocols/openflow/text/address.ts'
import { keyValues } from '../../protocols/openflow/text/scan.ts'
import { parseIpv4 } from '../../protocols/wire/ipv4.ts'
import { dpctlError, INVALID } from './dpctl-arguments.ts'

const AF_INET = 2
const AF_INET6 = 10

/** @throws UnixctlError */
function number(name: string, text: string, limit: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= limit)) throw dpctlError(`failed to parse field ${name}: ${text}`, INVALID)
  return value
}

interface Parsed {
  readonly tuple: CtTuple
  readonly protocol: number
  readonly family: number
}

const ADDRESSES: Readonly<Record<string, 'src' | 'dst'>> = {
  ct_nw_src: 'src',
  ct_ipv6_src: 'src',
  ct_nw_dst: 'dst',
  ct_ipv6_dst: 'dst',
}
const NUMBERS: Readonly<
  Record<string, readonly [field: Exclude<keyof CtTuple, 'src' | 'dst'>, limit: number]>
> = {
  ct_tp_src: ['srcPort', 0xffff],
  ct_tp_dst: ['dstPort', 0xffff],
  icmp_id: ['icmpId', 0xffff],
  icmp_type: ['icmpType', 0xff],
  icmp_code: ['icmpCode', 0xff],
}

function parseTuple(text: string): Parsed {
  const tuple: CtTuple = {}
  let protocol = 0
  let family = 0
  for (const [name, value] of keyValues(text)) {
    if (name === 'ct_nw_proto') protocol = number(name, value, 0xff)
    else if (name in ADDRESSES) {
      const v4 = parseIpv4(value)
      const bytes = v4 === undefined ? parseIpv6(value) : Uint8Array.of(v4 >>> 24, v4 >>> 16, v4 >>> 8, v4)
      if (bytes === undefined) throw dpctlError(`failed to parse field ${name}: ${value}`, INVALID)
      family = v4 === undefined ? AF_INET6 : AF_INET
      tuple[ADDRESSES[name]] = bytes
    } else if (name in NUMBERS) {
      const [field, limit] = NUMBERS[name]
      tuple[field] = number(name, value, limit)
    } else throw dpctlError(`invalid conntrack tuple field: ${name}`, INVALID)
  }
  return { tuple, protocol, family }
}

/** @param texts of the original direction and, perhaps, of the answers; none for all @throws UnixctlError */
export function parseFlush(texts: readonly string[], zone: number | undefined): CtFlush | undefined {
  if (texts.length === 0) return undefined
  const [original, reply] = texts.map(parseTuple)
  return {
    ipProto: original.protocol,
    family: original.family,
    zone,
    original: original.tuple,
    reply: reply?.tuple ?? {},
  }
}
