/** set(…) of the datapath: which members an attribute has, and how they are written, as ovs-actions(7) has them. */
import { formatIpv6, parseIpv6 } from '../openflow/text/address.ts'
import { formatHash, keyValues, parseBig } from '../openflow/text/scan.ts'
import { formatMac, parseMac } from '../wire/ethernet.ts'
import { formatIpv4, parseIpv4 } from '../wire/ipv4.ts'

type Kind = 'mac' | 'ipv4' | 'ipv6' | 'decimal' | 'hexadecimal'

interface Member {
  readonly kind: Kind
  readonly bits: number
}

export interface SetField {
  readonly name: string
  readonly value: bigint
  /** All ones of the member's width where all of it is set. */
  readonly mask: bigint
}

const MAC: Member = { kind: 'mac', bits: 48 }
const IPV4: Member = { kind: 'ipv4', bits: 32 }
const IPV6: Member = { kind: 'ipv6', bits: 128 }
const decimal = (bits: number): Member => ({ kind: 'decimal', bits })
const hexadecimal = (bits: number): Member => ({ kind: 'hexadecimal', bits })
const PORTS = { src: decimal(16), dst: decimal(16) }

/** Members in the order in which they are written. */
const ATTRIBUTES: Readonly<Record<string, Readonly<Record<string, Member>>>> = {
  eth: { src: MAC, dst: MAC },
  vlan: { vid: decimal(12), pcp: decimal(3) },
  ipv4: { src: IPV4, dst: IPV4, proto: decimal(8), tos: hexadecimal(8), ttl: decimal(8) },
  ipv6: {
    src: IPV6,
    dst: IPV6,
    label: hexadecimal(20),
    proto: decimal(8),
    tclass: hexadecimal(8),
    hlimit: decimal(8),
  },
  tcp: PORTS,
  udp: PORTS,
  sctp: PORTS,
  icmp: { type: decimal(8), code: decimal(8) },
  icmpv6: { type: decimal(8), code: decimal(8) },
  arp: { sip: IPV4, tip: IPV4, op: decimal(16), sha: MAC, tha: MAC },
  mpls: { label: decimal(20), tc: decimal(3), ttl: decimal(8), bos: decimal(1) },
}

const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n

function parseOne(text: string, { kind, bits }: Member): bigint | undefined {
  if (kind === 'mac') {
    const mac = parseMac(text)
    return mac === undefined ? undefined : BigInt(mac)
  }
  if (kind === 'ipv4') {
    const address = parseIpv4(text)
    return address === undefined ? undefined : BigInt(address)
  }
  if (kind === 'ipv6') return parseIpv6(text)?.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
  const value = parseBig(text)
  return value === undefined || value > ones(bits) ? undefined : value
}

function formatOne(value: bigint, { kind }: Member): string {
  if (kind === 'mac') return formatMac(Number(value))
  if (kind === 'ipv4') return formatIpv4(Number(value))
  if (kind === 'decimal') return String(value)
  if (kind === 'hexadecimal') return formatHash(value)
  return formatIpv6(Uint8Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(120 - 8 * i)) & 0xffn)))
}

/** What is set, in the order in which it is written; undefined for what is none of these. */
export function parseSetFields(attribute: string, text: string): SetField[] | undefined {
  const members = ATTRIBUTES[attribute]
  if (members === undefined) return undefined
  const given = new Map(keyValues(text))
  const fields: SetField[] = []
  for (const [name, member] of Object.entries(members)) {
    const [valueText, maskText] = given.get(name)?.split('/') ?? []
    given.delete(name)
    if (valueText === undefined) continue
    const value = parseOne(valueText, member)
    const mask = maskText === undefined ? ones(member.bits) : parseOne(maskText, member)
    if (value === undefined || mask === undefined) return undefined
    fields.push({ name, value, mask })
  }
  return given.size > 0 || fields.length === 0 ? undefined : fields
}

export function formatSetFields(attribute: string, fields: readonly SetField[]): string {
  const members = ATTRIBUTES[attribute]
  const parts = fields.map(({ name, value, mask }) => {
    const member = members[name]
    const suffix = mask === ones(member.bits) ? '' : `/${maskText(mask, member)}`
    return `${name}=${formatOne(value, member)}${suffix}`
  })
  return `${attribute}(${parts.join(',')})`
}

/** Masks of numbers are hexadecimal. */
function maskText(mask: bigint, member: Member): string {
  return formatOne(mask, member.kind === 'decimal' ? { ...member, kind: 'hexadecimal' } : member)
}

/** Whether all of a member is set. */
export function isWholeField(attribute: string, { name, mask }: SetField): boolean {
  return mask === ones(ATTRIBUTES[attribute][name].bits)
}
