/** Flows of the datapath, a line each, as `dpif/dump-flows` and `dpctl/dump-flows` print them. */
import type { MegaflowRow } from '../../engine/dpif-inspection.ts'
import { ETH_IPV6, W_NW, W_TYPE } from '../../protocols/flow-key.ts'
import { formatOdpKey } from '../../protocols/odp/key-format.ts'
import { SECOND } from '../../protocols/time.ts'

export interface MegaflowText {
  /** With the flow's identifier and all that it could match on (`-m`). */
  readonly verbose: boolean
  /** What stands between the identifier and the flow. */
  readonly separator: string
  readonly portName: (portNo: number) => string
  /** What it is called. */
  readonly flowName: (id: number) => string
}

/** A flow's identifier: its number, as a UUID. */
export function formatUfid(id: number): string {
  const hex = id.toString(16).padStart(32, '0')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

export function parseUfid(text: string): number | undefined {
  const hex = /^(?:0x)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})$/i.exec(
    text,
  )?.[1]
  return hex === undefined ? undefined : Number(`0x${hex.replaceAll('-', '')}`)
}

const TCP_FLAGS = 'FSRP.UECN'

/** `packets:3, bytes:180, used:0.112s, flags:SP.`, flags of TCP packets. */
export function formatMegaflowStats({ packets, bytes, used, tcpFlags }: MegaflowRow): string {
  const flags = Array.from(TCP_FLAGS, (letter, bit) => (((tcpFlags >>> bit) & 1) === 1 ? letter : '')).join(
    '',
  )
  const age = used === undefined ? 'never' : `${(used / SECOND).toFixed(3)}s`
  return `packets:${packets}, bytes:${bytes}, used:${age}${flags === '' ? '' : `, flags:${flags}`}`
}

export function formatMegaflow(
  row: MegaflowRow,
  { verbose, separator, portName, flowName }: MegaflowText,
): string {
  const ufid = verbose ? `ufid:${flowName(row.id)}${separator}` : ''
  const key = formatOdpKey(row.key, row.mask, { verbose, portName })
  const source = verbose && separator === ', ' ? 'dp:ovs, ' : ''
  return `${ufid}${key}, ${formatMegaflowStats(row)}, ${source}actions:${ovsActions(inWordsOf(row, row.actions))}\n`
}

/** Fields of a header that are set one after the other. */
const SETS = /set\((\w+)\(([^()]*)\)\),set\(\1\(([^()]*)\)\)/

/** Actions in the words of Open vSwitch: it sets a header's fields at once, and does not say why a packet is dropped. */
export function ovsActions(text: string): string {
  let actions = text.replaceAll(/drop\([a-z-]+\)/g, 'drop')
  while (SETS.test(actions)) actions = actions.replace(SETS, 'set($1($2,$3))')
  return actions
}

const TRANSPORTS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' }

/** Ports, and what both versions of IP have, are rewritten in the same way: the flow tells whose they are. */
function inWordsOf({ key }: MegaflowRow, actions: string): string {
  const named = actions.replaceAll('set(tp(', `set(${TRANSPORTS[key[W_NW] >>> 24] ?? 'tp'}(`)
  if (key[W_TYPE] >>> 16 !== ETH_IPV6) return named
  return named.replaceAll('set(icmp(', 'set(icmpv6(').replaceAll('set(ipv4(ttl=', 'set(ipv6(hlimit=')
}
