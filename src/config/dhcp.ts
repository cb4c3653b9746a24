import { z } from 'zod'
import { cidr, flag, integer, ipv4, list, mac, record, text } from './fields.ts'

const seconds = (description: string, examples?: readonly number[]) =>
  integer(1, 4_294_967_294, 'a number of seconds', {
    description,
    ...(examples === undefined ? {} : { examples }),
  })

/** Either [first, last] or "first-last". */
const RANGE_EXPECTED = 'a range such as ["10.0.0.151", "10.0.0.160"]'

const RangeSchema = z
  .tuple([ipv4({ description: 'First address.' }), ipv4({ description: 'Last address.' })], {
    error: RANGE_EXPECTED,
  })
  .meta({
    description: 'First and last address that is given out.',
    examples: [['10.0.0.151', '10.0.0.160']],
  })

const scalar = z.union([z.string(), z.number(), z.boolean()])
const OPTION_EXPECTED =
  'a string, a number, true or false, a list of these, or { "type": …, "value": … } for an option by number'

export const OPTION_TYPES = [
  'ipv4',
  'uint8',
  'uint16',
  'uint32',
  'int32',
  'boolean',
  'string',
  'hex',
] as const

const OptionSchema = z.union(
  [
    scalar,
    z.array(scalar),
    z.strictObject({ type: z.enum(OPTION_TYPES), value: z.union([scalar, z.array(scalar)]) }),
  ],
  { error: OPTION_EXPECTED },
)

export type OptionInput = z.input<typeof OptionSchema>

const OptionsSchema = z.record(z.string(), OptionSchema, { error: 'an object { "option": value }' }).meta({
  description:
    'DHCP options by name (RFC 2132, as in "domain-name-servers"), or by number with a type: "150": { "type": "ipv4", "value": ["10.0.0.5"] }.',
  examples: [{ router: '10.0.0.254', 'domain-name-servers': ['10.0.0.254'] }],
})

const ReservationSchema = record(
  {
    mac: mac({ description: 'MAC address of the client.', examples: ['02:00:00:00:00:09'] }).optional(),
    clientId: text('(?:[0-9A-Fa-f]{2}:?){2,255}', 'a client identifier in hexadecimal', {
      description: 'Client identifier (option 61) of the client, in hexadecimal with its type byte.',
      examples: ['01:02:00:00:00:00:09'],
    }).optional(),
    address: ipv4({ description: 'The address it always gets.', examples: ['10.0.0.9'] }),
    hostname: text('.{1,255}', 'a host name', { description: 'Host name sent to the client.' }).optional(),
    options: OptionsSchema.optional(),
  },
  { description: 'An address kept for one client, by MAC address or client identifier.' },
)

const poolShape = {
  range: RangeSchema.optional(),
  leaseTime: seconds('Seconds a lease lasts.', [86400]).optional(),
  minLeaseTime: seconds('Shortest lease a client may ask for.').optional(),
  maxLeaseTime: seconds('Longest lease a client may ask for.').optional(),
  renewalTime: seconds('Seconds until the client renews (T1); half of the lease when absent.').optional(),
  rebindingTime: seconds('Seconds until the client rebinds (T2); 7/8 of the lease when absent.').optional(),
  options: OptionsSchema.optional(),
  reservations: list(ReservationSchema, 'reservations', {
    description: 'Addresses kept for given clients.',
    examples: [[{ mac: '02:00:00:00:00:09', address: '10.0.0.9' }]],
  }).optional(),
}

const PoolSchema = record(
  {
    subnet: cidr({
      description: "Subnet of the pool; the interface's own when absent. Others are reached by relays.",
      examples: ['10.7.0.0/24'],
    }).optional(),
    ...poolShape,
  },
  { description: 'A further pool.' },
)

export const DhcpSchema = record(
  {
    ...poolShape,
    pools: list(PoolSchema, 'pools', {
      description: 'Further pools: more ranges of this subnet, or subnets behind DHCP relays.',
      examples: [[{ subnet: '10.7.0.0/24', range: ['10.7.0.10', '10.7.0.99'] }]],
    }).optional(),
    conflictProbe: flag({
      description: 'Whether an address is probed by ARP before it is offered for the first time.',
      default: true,
    }).optional(),
    authoritative: flag({
      description: 'Whether a request for a wrong address is refused (NAK) although no lease is known.',
      default: true,
    }).optional(),
  },
  {
    description: 'DHCP server on this interface.',
    examples: [{ range: ['10.0.0.151', '10.0.0.160'], leaseTime: 86400, options: { router: '10.0.0.254' } }],
  },
)

export type DhcpInput = z.input<typeof DhcpSchema>
export type PoolInput = z.input<typeof PoolSchema>
export type ReservationInput = z.input<typeof ReservationSchema>
