/** Flows of the datapath, a line each, as `dpif/dump-flows` and `dpctl/dump-flows` print them. */
import type { MegaflowRow } from '../../engine/dpif-inspection.ts'
import { formatOdpKey } from '../../protocols/odp/key-format.ts'
import { SECOND } from '../../protocols/time.ts'

export interface MegaflowText {
  /** With the flow's identifier and all that it could match on (`-m`). */
  readonly verbose: boolean
  /** What stands between the identifier and the flow. */
  readonly separator: string
  readonly portName: (portNo: number) => string
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

export function formatMegaflow(row: MegaflowRow, { verbose, separator, portName }: MegaflowText): string {
  const ufid = verbose ? `ufid:${formatUfid(row.id)}${separator}` : ''
  const used = row.used === undefined ? 'never' : `${(row.used / SECOND).toFixed(3)}s`
  const key = formatOdpKey(row.key, row.mask, { verbose, portName })
  const source = verbose && separator === ', ' ? 'dp:ovs, ' : ''
  return `${ufid}${key}, packets:${row.packets}, bytes:${row.bytes}, used:${used}, ${source}actions:${ovsActions(row.actions)}\n`
}

/** Fields of a header that are set one after the other. */
const SETS = /set\((\w+)\(([^()]*)\)\),set\(\1\(([^()]*)\)\)/

/** Actions in the words of Open vSwitch: it sets a header's fields at once, and does not say why a packet is dropped. */
export function ovsActions(text: string): string {
  let actions = text.replaceAll(/drop\([a-z-]+\)/g, 'drop')
  while (SETS.test(actions)) actions = actions.replace(SETS, 'set($1($2,$3))')
  return actions
}
