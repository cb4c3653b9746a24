import type { AddressRange, NatRuleSpec, PrefixSpec } from '../../engine/dpif.ts'
import { formatIpv4, formatPrefix } from '../../protocols/wire/ipv4.ts'
import { NAT_FILTERING, NAT_PORTS } from './defaults.ts'
import { given } from './given.ts'
import type { NatRuleInput } from './nat.ts'

export function natDocument(rule: NatRuleSpec): NatRuleInput {
  if (rule.type === 'dnat') {
    const { address, ports, to, toPort, protocol, inInterface } = rule
    return {
      type: 'dnat',
      ...given({ protocol, inInterface }),
      address: formatIpv4(address),
      ...given({ port: ports && portsText(ports) }),
      to: toPort === undefined ? formatIpv4(to) : `${formatIpv4(to)}:${toPort}`,
    }
  }
  const { ports, filtering } = rule
  const usual = ports.first === NAT_PORTS.first && ports.last === NAT_PORTS.last
  const selector = given({
    source: rule.source && subnet(rule.source),
    notSource: rule.notSource && subnet(rule.notSource),
    destination: rule.destination && subnet(rule.destination),
    notDestination: rule.notDestination && subnet(rule.notDestination),
    protocol: rule.protocol,
    ports: usual ? undefined : portsText(ports),
    filtering: filtering === NAT_FILTERING ? undefined : filtering,
  })
  if (rule.type === 'masquerade') {
    return { type: 'masquerade', ...selector, outInterface: rule.outInterface! }
  }
  const to = rule.to.map(rangeText)
  return {
    type: 'snat',
    ...selector,
    ...given({ outInterface: rule.outInterface }),
    to: to.length === 1 ? to[0]! : to,
  }
}

function subnet({ prefix, prefixLength }: PrefixSpec): string {
  return formatPrefix({ address: prefix, prefixLength })
}

function portsText({ first, last }: { readonly first: number; readonly last: number }): number | string {
  return first === last ? first : `${first}-${last}`
}

function rangeText({ first, last }: AddressRange): string {
  return first === last ? formatIpv4(first) : `${formatIpv4(first)}-${formatIpv4(last)}`
}
