import type { AddressRange, NatRuleSpec, PrefixSpec } from '../../engine/dpif.ts'
import { parseAddress, parsePrefix, subnetOf } from './address.ts'
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

/** Ports a source NAT may use unless told: all but the well-known ones. */
const DEFAULT_PORTS = { first: 1024, last: 65535 }

function prefixSpec(text: string | undefined): PrefixSpec | undefined {
  const parsed = parsePrefix(text)
  if (parsed === undefined) return undefined
  const { address, prefixLength } = subnetOf(parsed)
  return { prefix: address, prefixLength }
}

/** Leaves out keys whose value is undefined. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)) as ReturnType<
    typeof given<T>
  >
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
    ports: parsePorts(input.ports) ?? DEFAULT_PORTS,
    filtering: input.filtering ?? 'address-and-port-dependent',
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
