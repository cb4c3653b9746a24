import type { AddressRange, NatRuleSpec, PrefixSpec } from '../../engine/dpif.ts'
import { parseAddress, parsePrefix, subnetOf } from './address.ts'
import { NAT_FILTERING, NAT_PORTS } from './defaults.ts'
import { given } from './given.ts'
import type { NatRuleInput } from './nat.ts'

/** A port, or "first-last". */
export function parsePorts(text: unknown): { first: number; last: number } | undefined {
  if (typeof text === 'number') return { first: text, last: text }
  const match = typeof text === 'string' ? /^(\d+)(?:-(\d+))?$/.exec(text) : null
  return match === null ? undefined : { first: Number(match[1]), last: Number(match[2] ?? match[1]) }
}

/** An address, or "first-last". */
export function parseAddressRange(text: unknown): AddressRange | undefined {
  if (typeof text !== 'string') return undefined
  const [a, b, ...rest] = text.split('-')
  const first = parseAddress(a)
  const last = b === undefined ? first : parseAddress(b)
  return first === undefined || last === undefined || rest.length > 0 ? undefined : { first, last }
}

function prefixSpec(text: string | undefined): PrefixSpec | undefined {
  const parsed = parsePrefix(text)
  if (parsed === undefined) return undefined
  const { address, prefixLength } = subnetOf(parsed)
  return { prefix: address, prefixLength }
}

export function natRule(input: NatRuleInput): NatRuleSpec {
  if (input.type === 'dnat') {
    const [address, port] = input.to.split(':')
    return {
      type: 'dnat',
      address: parseAddress(input.address)!,
      to: parseAddress(address)!,
      ...given({
        protocol: input.protocol,
        ports: parsePorts(input.port),
        inInterface: input.inInterface,
        toPort: port === undefined ? undefined : Number(port),
      }),
    }
  }
  const to = input.type === 'masquerade' ? [] : [input.to].flat()
  return {
    type: input.type,
    to: to.map((text) => parseAddressRange(text)!),
    ports: parsePorts(input.ports) ?? NAT_PORTS,
    filtering: input.filtering ?? NAT_FILTERING,
    ...given({
      source: prefixSpec(input.source),
      notSource: prefixSpec(input.notSource),
      destination: prefixSpec(input.destination),
      notDestination: prefixSpec(input.notDestination),
      outInterface: input.outInterface,
      protocol: input.protocol,
    }),
  }
}
