import { IPV4_PATTERN } from './address.ts'
import { NAT_FILTERING } from './defaults.ts'
import { choice, ifname, ipv4, oneOrMany, subnet, text } from './fields.ts'
import { z } from './zod.ts'

const PORT_NUMBER = '(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})'

const PORTS_EXPECTED = 'a port number from 1 to 65535 or a range such as "8000-8010"'

/** A number, or text "a" or "a-b". */
const ports = (description: string, examples: readonly unknown[]) =>
  z
    .union(
      [
        z.int().min(1, { error: PORTS_EXPECTED }).max(65535, { error: PORTS_EXPECTED }),
        z.string().regex(new RegExp(`^${PORT_NUMBER}(?:-${PORT_NUMBER})?$`), { error: PORTS_EXPECTED }),
      ],
      { error: PORTS_EXPECTED },
    )
    .meta({ description, examples: [...examples] })

const FILTERING = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const

const TO_EXPECTED =
  'an IPv4 address such as "192.168.100.11" or a range such as "192.168.100.11-192.168.100.14"'

const selector = () => ({
  source: subnet({ description: 'Only what comes from here.', examples: ['10.0.0.0/24'] }).optional(),
  notSource: subnet({ description: 'Only what does not come from here.' }).optional(),
  destination: subnet({ description: 'Only what goes there.' }).optional(),
  notDestination: subnet({
    description: 'Only what does not go there.',
    examples: ['10.0.0.0/24'],
  }).optional(),
  protocol: choice(['tcp', 'udp', 'icmp'], { description: 'Only this protocol.' }).optional(),
  ports: ports('External ports that may be used for TCP and UDP.', ['1024-65535']).optional(),
  filtering: choice(FILTERING, {
    description:
      'Who may send to a mapping from outside (RFC 4787 section 5): anyone, addresses it has sent to, or addresses and ports it has sent to.',
    default: NAT_FILTERING,
  }).optional(),
})

const object = <T extends z.ZodRawShape>(shape: T, description: string) =>
  z.strictObject(shape).meta({ description })

export const NatRuleSchema = z.lazy(() =>
  z
    .discriminatedUnion(
      'type',
      [
        object(
          {
            type: z.literal('snat').meta({ description: 'Source NAT to given addresses.' }),
            ...selector(),
            outInterface: ifname({
              description: 'Only what leaves by this interface of the router.',
              examples: ['eth1'],
            }).optional(),
            to: oneOrMany(
              text(`${IPV4_PATTERN}(?:-${IPV4_PATTERN})?`, TO_EXPECTED, { description: 'Address or range.' }),
              TO_EXPECTED,
              {
                description:
                  'External addresses: one, a list, or a range. They must be addresses of the router.',
                examples: ['192.168.100.11', ['192.168.100.11', '192.168.100.12']],
              },
            ),
          },
          'Source NAT: what goes out gets one of the given source addresses.',
        ),
        object(
          {
            type: z.literal('masquerade').meta({ description: 'Source NAT to the address of an interface.' }),
            ...selector(),
            outInterface: ifname(
              {
                description: 'The interface of the router by which it leaves; its address is used.',
                examples: ['eth1'],
              },
              'the name of an interface of the router',
            ),
          },
          'Masquerade: what leaves by an interface gets the address of that interface.',
        ),
        object(
          {
            type: z.literal('dnat').meta({ description: 'Port forward.' }),
            protocol: choice(['tcp', 'udp', 'icmp'], {
              description: 'Protocol; every protocol to the address when absent.',
            }).optional(),
            address: ipv4({
              description: 'Address of the router that it was sent to.',
              examples: ['192.168.100.11'],
            }),
            port: ports('TCP and UDP: port or range of ports that it was sent to.', [
              8080,
              '8000-8010',
            ]).optional(),
            inInterface: ifname({
              description: 'Only what comes in by this interface of the router.',
            }).optional(),
            to: text(
              `${IPV4_PATTERN}(?::${PORT_NUMBER})?`,
              'an IPv4 address, with a port or without, such as "10.0.0.1:80"',
              {
                description:
                  'Where it goes; of a range the given port is the first. The port is kept when absent.',
                examples: ['10.0.0.1:80', '10.0.0.1'],
              },
            ),
          },
          'Destination NAT: what is sent to an address and port of the router goes to a host inside.',
        ),
      ],
      {
        error: (issue) =>
          issue.code === 'invalid_union'
            ? 'one of "snat", "masquerade", "dnat"'
            : 'a NAT rule { "type": …, … }',
      },
    )
    .meta({ description: 'A NAT rule; the first that matches is used.' }),
)

export type NatRuleInput = z.input<typeof NatRuleSchema>
