import type { NatRuleSpec, PrefixSpec } from '../../engine/dpif.ts'
import { formatIpv4, formatPrefix } from '../../protocols/wire/ipv4.ts'
import { NAT_FILTERING, NAT_PORTS } from '../config/defaults.ts'
import { unless } from '../config/unless.ts'
import { formatRange } from './row-reader.ts'
import { listOf, optional, type Reference, scalar, type WantedRows } from './wanted-row.ts'

export function natRow(rows: WantedRows, name: string, rule: NatRuleSpec): Reference {
  return rows.add('NAT_Rule', name, { ...NONE, ...columnsOf(rule) })
}

const NONE = Object.fromEntries(
  [
    'source',
    'not_source',
    'destination',
    'not_destination',
    'out_interface',
    'in_interface',
    'address',
    'filtering',
    'to_port',
  ].map((column) => [column, optional(undefined)]),
)

function columnsOf(rule: NatRuleSpec) {
  const common = { type: scalar(rule.type), protocol: optional(rule.protocol) }
  if (rule.type === 'dnat') {
    return {
      ...common,
      ...portColumns(rule.ports),
      address: scalar(formatIpv4(rule.address)),
      in_interface: optional(rule.inInterface),
      to: listOf([formatIpv4(rule.to)]),
      to_port: optional(rule.toPort),
    }
  }
  const { first, last } = rule.ports
  const usual = first === NAT_PORTS.first && last === NAT_PORTS.last
  return {
    ...common,
    ...portColumns(usual ? undefined : rule.ports),
    source: subnet(rule.source),
    not_source: subnet(rule.notSource),
    destination: subnet(rule.destination),
    not_destination: subnet(rule.notDestination),
    out_interface: optional(rule.outInterface),
    filtering: optional(unless(NAT_FILTERING, rule.filtering)),
    to: listOf(rule.to.map(formatRange)),
  }
}

function portColumns(ports: { readonly first: number; readonly last: number } | undefined) {
  return { first_port: optional(ports?.first), last_port: optional(ports?.last) }
}

function subnet(spec: PrefixSpec | undefined) {
  return optional(
    spec === undefined ? undefined : formatPrefix({ address: spec.prefix, prefixLength: spec.prefixLength }),
  )
}
