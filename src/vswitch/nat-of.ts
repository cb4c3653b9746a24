import type { NatFiltering, NatRuleSpec, PrefixSpec } from '../../engine/dpif.ts'
import { NAT_FILTERING, NAT_PORTS } from '../config/defaults.ts'
import { given } from '../config/given.ts'
import type { DatabaseReader, RowReader } from './row-reader.ts'

type Protocol = 'tcp' | 'udp' | 'icmp'

/** The rules of a router in their order; one that makes no sense is told and left out. */
export function natRulesOf(lab: DatabaseReader, router: RowReader): NatRuleSpec[] {
  return lab.follow(router, 'nat', 'NAT_Rule').flatMap((row) => natRuleOf(row) ?? [])
}

function natRuleOf(row: RowReader): NatRuleSpec | undefined {
  const protocol = row.optionalText('protocol') as Protocol | undefined
  const ports = portsOf(row)
  const to = row.ranges('to')
  const type = row.text('type') as NatRuleSpec['type']
  if (type === 'dnat') {
    const address = row.address('address')
    if (address === undefined || to.length !== 1) {
      row.problem('dnat needs an address, and one to send to')
      return undefined
    }
    return {
      type,
      address,
      to: to[0]!.first,
      ...given({
        protocol,
        ports,
        inInterface: row.optionalText('in_interface'),
        toPort: row.optionalNumber('to_port'),
      }),
    }
  }
  const outInterface = row.optionalText('out_interface')
  if (type === 'snat' && to.length === 0) row.problem('snat needs an address to translate to')
  else if (type === 'masquerade' && outInterface === undefined) row.problem('masquerade needs out_interface')
  else {
    return {
      type,
      to: type === 'snat' ? to : [],
      ports: ports ?? NAT_PORTS,
      filtering: (row.optionalText('filtering') as NatFiltering | undefined) ?? NAT_FILTERING,
      ...given({
        source: subnet(row, 'source'),
        notSource: subnet(row, 'not_source'),
        destination: subnet(row, 'destination'),
        notDestination: subnet(row, 'not_destination'),
        outInterface,
        protocol,
      }),
    }
  }
  return undefined
}

function portsOf(row: RowReader): { first: number; last: number } | undefined {
  const first = row.optionalNumber('first_port')
  return first === undefined ? undefined : { first, last: row.optionalNumber('last_port') ?? first }
}

function subnet(row: RowReader, column: string): PrefixSpec | undefined {
  const prefix = row.prefix(column)
  return prefix === undefined ? undefined : { prefix: prefix.address, prefixLength: prefix.prefixLength }
}
