import { OPTION_DEFINITIONS, OPTION_TYPES } from '../../protocols/dhcp/option-table.ts'
import { flag, integer, ipv4, list, mac, record, subnet, text } from './fields.ts'
import { z } from './zod.ts'

/** A lease that never ends is written as the number that stands for it on the wire (RFC 2131 §3.3). */
const seconds = (description: string, examples?: readonly number[]) =>
  integer(1, 4_294_967_295, 'a number of seconds', {
    description,
    ...(examples === undefined ? {} : { examples }),
  })

const RangeSchema = z.lazy(() =>
  z
    .tuple([ipv4({ description: 'First address.' }), ipv4({ description: 'Last address.' })], {
      error: 'a range such as ["10.0.0.151", "10.0.0.160"]',
    })
    .meta({
      description: 'First and last address that is given out.',
      examples: [['10.0.0.151', '10.0.0.160']],
    }),
)

/** Options are checked by protocols/dhcp, which knows their types; editors get their names from here. */
const OptionsSchema = z.lazy(() =>
  z.record(z.string(), z.any(), { error: 'an object { "option": value }' }).meta({
    id: 'DhcpOptions',
    description:
      'DHCP options by name (RFC 2132, as in "domain-name-servers"), or by number with a type: "150": { "type": "ip-list", "value": ["10.0.0.5"] }.',
    examples: [{ router: '10.0.0.254', 'domain-name-servers': ['10.0.0.254'] }],
    properties: Object.fromEntries(
      OPTION_DEFINITIONS.map((o) => [o.names[0]!, { description: `DHCP option ${o.code} (${o.type}).` }]),
    ),
    patternProperties: {
      '^[0-9]+$': {
        description: 'A DHCP option by number.',
        anyOf: [
          {
            type: 'object',
            properties: {
              type: { enum: OPTION_TYPES, description: 'How the value is written into the option.' },
              value: { description: 'The value.' },
            },
            required: ['type', 'value'],
            additionalProperties: false,
          },
          {},
        ],
      },
    },
  }),
)

const ReservationSchema = record(
  () => ({
    mac: mac({ description: 'MAC address of the client.', examples: ['02:00:00:00:00:09'] }).optional(),
    clientId: text('(?:[0-9A-Fa-f]{2}:?){2,255}', 'a client identifier such as "01:02:00:00:00:00:09"', {
      description: 'Client identifier (option 61) of the client, in hexadecimal with its type byte.',
      examples: ['01:02:00:00:00:00:09'],
    }).optional(),
    address: ipv4({
      description: 'The address it always gets; one of the range when absent.',
      examples: ['10.0.0.9'],
    }).optional(),
    hostname: text('[!-~]{1,63}', 'a host name', {
      description: 'Host name sent to the client.',
      examples: ['printer'],
    }).optional(),
    leaseTime: seconds('Seconds its lease lasts.').optional(),
    options: OptionsSchema.optional(),
  }),
  { description: 'An address or options for one client, known by MAC address or client identifier.' },
)

const subnetShape = () => ({
  range: RangeSchema.optional(),
  ranges: list(RangeSchema, 'ranges', {
    description: 'Several ranges, used in this order (after "range").',
    examples: [
      [
        ['10.0.0.20', '10.0.0.29'],
        ['10.0.0.40', '10.0.0.49'],
      ],
    ],
  }).optional(),
  leaseTime: seconds('Seconds a lease lasts.', [86400]).optional(),
  minLeaseTime: seconds('Shortest lease a client may ask for.').optional(),
  maxLeaseTime: seconds('Longest lease a client may ask for.').optional(),
  options: OptionsSchema.optional(),
  reservations: list(ReservationSchema, 'reservations', {
    description: 'Addresses and options for given clients.',
    examples: [[{ mac: '02:00:00:00:00:09', address: '10.0.0.9' }]],
  }).optional(),
  nextServer: ipv4({ description: 'Boot server (siaddr).' }).optional(),
  serverName: text('[ -~]{1,63}', 'at most 63 characters', {
    description: 'Name of the boot server (sname).',
  }).optional(),
  bootFile: text('[ -~]{1,127}', 'at most 127 characters', {
    description: 'Boot file (file).',
    examples: ['pxelinux.0'],
  }).optional(),
})

const SubnetSchema = record(
  () => ({
    subnet: subnet({ description: 'The subnet.', examples: ['10.7.0.0/24'] }),
    ...subnetShape(),
  }),
  { description: 'A subnet whose clients are reached through a DHCP relay.' },
)

export const DhcpSchema = record(
  () => ({
    ...subnetShape(),
    subnets: list(SubnetSchema, 'subnets', {
      description: 'Further subnets, behind DHCP relays.',
      examples: [[{ subnet: '10.7.0.0/24', range: ['10.7.0.10', '10.7.0.99'] }]],
    }).optional(),
    probe: flag({
      description: 'Whether an address is probed before it is offered for the first time.',
      default: true,
    }).optional(),
    authoritative: flag({
      description:
        'Whether clients that no lease is known of are refused (DHCPNAK) too, when they ask for an address they cannot have; set it where this is the only server.',
      default: false,
    }).optional(),
  }),
  {
    description: 'DHCP server on this interface.',
    examples: [{ range: ['10.0.0.151', '10.0.0.160'], leaseTime: 86400, options: { router: '10.0.0.254' } }],
  },
)

export type DhcpInput = z.input<typeof DhcpSchema>
export type DhcpSubnetInput = z.input<typeof SubnetSchema>
