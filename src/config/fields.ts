import { IPV4_PATTERN, MAC_PATTERN, PREFIX_PATTERN } from './address.ts'
import { z } from './zod.ts'

/**
 * The kinds of values a configuration is made of. Each names what it expects, which is the text of the
 * error when something else stands there, and carries the description and examples that editors show.
 */

export interface Meta {
  readonly description: string
  readonly examples?: readonly unknown[]
  readonly default?: unknown
}

/** The schema with what editors show of it. Its own `meta` would make the schema a second time. */
function described<T extends z.ZodType>(
  schema: T,
  { examples, ...rest }: Meta & { readonly propertyNames?: object },
): T {
  z.globalRegistry.add(schema, { ...rest, ...(examples === undefined ? {} : { examples: [...examples] }) })
  return schema
}

export function text(pattern: string, expected: string, m: Meta) {
  return described(
    z.string({ error: expected }).regex(new RegExp(`^(?:${pattern})$`), { error: expected }),
    m,
  )
}

export function integer(min: number, max: number, what: string, m: Meta) {
  const error = `${what} from ${min} to ${max}`
  return described(z.int({ error }).check(z.gte(min, { error }), z.lte(max, { error })), m)
}

export function flag(m: Meta) {
  return described(z.boolean({ error: 'true or false' }), m)
}

export function choice<const T extends readonly string[]>(values: T, m: Meta) {
  return described(z.enum(values, { error: `one of ${values.map((v) => `"${v}"`).join(', ')}` }), m)
}

export function list<T extends z.ZodType>(item: T, what: string, m: Meta) {
  return described(z.array(item, { error: `a list of ${what}` }), m)
}

/**
 * An object whose keys are all known. What they hold is made when the first such object is read: to make all schemas
 * takes longer than to read a configuration with the few that it needs.
 */
export function record<T extends z.ZodRawShape>(shape: () => T, m: Meta) {
  return z.lazy(() => described(z.strictObject(shape(), objectError), m))
}

/**
 * zod hands the same parameter to "not an object" and "unknown keys"; only the first is worded here, the
 * second in issues.ts, which knows the neighbours.
 */
const objectError = {
  error: (issue: { code?: string | undefined }) =>
    issue.code === 'unrecognized_keys' ? undefined : 'an object { … }',
}

/** An object whose keys are names that the user gives. */
export function named<T extends z.ZodType>(value: T, m: Meta & { readonly names: string }) {
  const { names, ...rest } = m
  return described(z.record(z.string(), value, { error: 'an object { "name": … }' }), {
    ...rest,
    propertyNames: { pattern: `^(?:${names})$` },
  })
}

/** One value, or a list of them. */
export function oneOrMany<T extends z.ZodType>(item: T, what: string, m: Meta) {
  const error = `${what}, or a list of them`
  return described(z.union([item, z.array(item).min(1, { error })], { error }), m)
}

/** Linux interface names: at most IFNAMSIZ-1 bytes, no slash, colon, percent sign or space; not "." or "..". */
export const IFNAME_PATTERN = '(?!\\.{1,2}$)[!-$&-.0-9;-~]{1,15}'
export const IFNAME_EXPECTED =
  'a Linux interface name: 1 to 15 printable characters without space, "/", ":" or "%"'
/** Names of ports that no device has: those of a database may be anything. */
export const PORT_NAME_PATTERN = '.{1,255}'
export const PORT_NAME_EXPECTED = 'a name of 1 to 255 characters'
/** Names of hosts and routers, which become names of namespaces and parts of port names. */
export const NODE_PATTERN = '[A-Za-z0-9_][A-Za-z0-9_-]{0,62}'
export const NODE_EXPECTED = 'a name of at most 63 letters, digits, "-" and "_" that does not begin with "-"'

const IPV4_EXPECTED = 'an IPv4 address such as "10.0.0.1"'
const CIDR_EXPECTED = 'an IPv4 address with its prefix length such as "10.0.0.1/24"'
const SUBNET_EXPECTED = 'a subnet such as "10.0.0.0/24"'
const MAC_EXPECTED = 'a MAC address such as "02:00:00:00:00:01"'

export const ipv4 = (m: Meta) => text(IPV4_PATTERN, IPV4_EXPECTED, m)
export const cidr = (m: Meta) => text(PREFIX_PATTERN, CIDR_EXPECTED, m)
export const cidrs = (m: Meta) => oneOrMany(cidr({ description: m.description }), CIDR_EXPECTED, m)
/** A subnet; a bare address stands for that address alone. */
export const subnet = (m: Meta) => text(`${PREFIX_PATTERN}|${IPV4_PATTERN}`, SUBNET_EXPECTED, m)
export const mac = (m: Meta) => text(MAC_PATTERN, MAC_EXPECTED, m)
/** @param expected what is expected where the name of a certain thing must stand. */
export const ifname = (m: Meta, expected: string = IFNAME_EXPECTED) => text(IFNAME_PATTERN, expected, m)
export const routeTarget = (m: Meta) =>
  text(`default|${PREFIX_PATTERN}|${IPV4_PATTERN}`, `${SUBNET_EXPECTED}, or "default"`, m)

export const mtu = integer(576, 65521, 'a number of bytes', {
  description: 'Largest IP packet, in bytes.',
  examples: [1500, 9000],
  default: 1500,
})
