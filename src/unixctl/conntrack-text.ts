/** Connections of ct(), a line each, as `dpctl/dump-conntrack` prints them. */
import type { CtRow, CtTupleRow } from '../../engine/dpif-conntrack.ts'
import { addressAt } from '../../protocols/odp/key-words.ts'
import { formatIpv6 } from '../../protocols/openflow/text/address.ts'
import { formatIpv4 } from '../../protocols/wire/ipv4.ts'

const ICMP = 1
const TCP = 6
const NAMES: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 132: 'sctp' }
/** Of queries and answers, and the same in ICMPv6. */
const ICMPV6_TYPES: Readonly<Record<number, number>> = { 8: 128, 0: 129 }

export function protocolName({ proto, ipv6 }: CtRow): string {
  return ipv6 && proto === ICMP ? 'icmpv6' : (NAMES[proto] ?? String(proto))
}

function formatTuple({ proto, ipv6 }: CtRow, { addresses, tp }: CtTupleRow): string {
  const address = (at: number) => (ipv6 ? formatIpv6(addressAt(addresses, at)) : formatIpv4(addresses[at]))
  const ends = `src=${address(0)},dst=${address(4)}`
  if (proto !== ICMP) return `${ends},sport=${tp >>> 16},dport=${tp & 0xffff}`
  const type = tp & 0xff
  return `${ends},id=${tp >>> 16},type=${ipv6 ? (ICMPV6_TYPES[type] ?? type) : type},code=0`
}

export interface ConnectionText {
  /** What the tracker thinks of each end (`-m`). */
  readonly verbose: boolean
  /** Until when it is kept (`-s`). */
  readonly statistics: boolean
}

export function formatConnection(row: CtRow, { verbose, statistics }: ConnectionText): string {
  const label = row.label.reduce((value, word) => (value << 32n) | BigInt(word), 0n)
  const parts = [
    protocolName(row),
    `orig=(${formatTuple(row, row.original)})`,
    `reply=(${formatTuple(row, row.reply)})`,
  ]
  if (verbose) parts.push('id=0')
  if (row.zone !== 0) parts.push(`zone=${row.zone}`)
  if (verbose) parts.push('status=0')
  if (statistics) parts.push(`timeout=${row.expires}`)
  if (row.mark !== 0) parts.push(`mark=${row.mark}`)
  if (label !== 0n) parts.push(`labels=0x${label.toString(16)}`)
  if (row.proto === TCP) parts.push(`protoinfo=(${states(row, verbose)})`)
  if (row.helped) parts.push('helper=ftp')
  return `${parts.join(',')}\n`
}

/** What both ends think; the tracker keeps one state for the two. */
function states({ state }: CtRow, verbose: boolean): string {
  if (!verbose) return `state=${state}`
  const [original, reply] = ENDS[state] ?? [state, state]
  return `state_orig=${original},state_reply=${reply},flags_orig=0,flags_reply=0`
}

const ENDS: Readonly<Record<string, readonly [string, string]>> = {
  SYN_SENT: ['SYN_SENT', 'CLOSED'],
  SYN_RECV: ['ESTABLISHED', 'SYN_SENT'],
  ESTABLISHED: ['ESTABLISHED', 'ESTABLISHED'],
}
