import { DEFAULT_DSCP } from '../net/dscp.ts'
import { INACTIVITY_PROBE, MAX_BACKOFF } from './defaults.ts'
import { choice, flag, integer, list, record, text } from './fields.ts'
import { flowTables, flowTablesShape } from './flow-tables.ts'
import type { Openflow } from './network.ts'
import { PROTOCOLS, versionsOf } from './protocols.ts'
import { z } from './zod.ts'

const target = (description: string) =>
  text(
    'p?(?:tcp|ssl|unix):.*',
    'a controller such as "tcp:10.0.0.9:6653", "ssl:10.0.0.9", "ptcp:6653" or "unix:/run/controller.sock"',
    { description, examples: ['tcp:10.0.0.9:6653', 'ssl:10.0.0.9', 'ptcp:6653'] },
  )

const ControllerSchema = record(
  () => ({
    target: target(
      'Where the controller is (tcp:HOST[:PORT], ssl:…, unix:FILE), or where controllers may connect to (ptcp:[PORT][:HOST], pssl:…, punix:FILE).',
    ),
    maxBackoff: integer(1000, 3_600_000, 'a number of milliseconds', {
      description: 'Longest wait between two attempts to connect.',
      default: MAX_BACKOFF,
    }).optional(),
    inactivityProbe: integer(0, 3_600_000, 'a number of milliseconds', {
      description: 'Silence after which the controller is asked whether it is still there; 0 for never.',
      default: INACTIVITY_PROBE,
    }).optional(),
    rateLimit: integer(0, 1_000_000, 'a number of packets a second', {
      description: 'Packets sent to the controller, per second; 0 for no limit.',
      default: 0,
    }).optional(),
    burstLimit: integer(0, 1_000_000, 'a number of packets', {
      description: 'Packets that may come at once above the rate limit.',
      default: 0,
    }).optional(),
    dscp: integer(0, 63, 'a DEFAULT_DSCP', {
      description: 'Class of service (RFC 2474) of what is sent to the controller.',
      default: DEFAULT_DSCP,
    }).optional(),
  }),
  { description: 'A controller with settings of its own.' },
)

/** What a bridge says about its controllers. */
export const openflowShape = () => ({
  controllers: list(
    z.union([target('Address of a controller.'), ControllerSchema], {
      error: 'a controller such as "tcp:10.0.0.9:6653", or { "target": … }',
    }),
    'controllers',
    {
      description:
        'OpenFlow controllers that program the bridge. `ovs-ofctl` needs none: it uses BRIDGE.mgmt in the run directory.',
      examples: [['tcp:127.0.0.1:6653']],
    },
  ).optional(),
  failMode: choice(['standalone', 'secure'], {
    description:
      'What happens when no controller can be reached: standalone, the bridge becomes a learning switch; secure, only the flows it has.',
    default: 'standalone',
  }).optional(),
  ...flowTablesShape(),
  protocols: list(choice(PROTOCOLS, { description: 'A version of OpenFlow.' }), 'versions of OpenFlow', {
    description: 'Versions of OpenFlow that are spoken; all when absent.',
    examples: [['OpenFlow10', 'OpenFlow13']],
  }).optional(),
})

const file = (description: string) =>
  text('.+', 'the path of a PEM file', { description, examples: ['/etc/openvswitch/sc-cert.pem'] })

export const SslSchema = record(
  () => ({
    privateKey: file('Private key of the switch.'),
    certificate: file('Certificate of the switch.'),
    caCert: file('Certificate of the CA that signs the certificates of controllers.'),
    bootstrapCaCert: flag({
      description:
        'While the file of caCert does not exist: trust the CA of the first controller that is met, and keep it there.',
      default: false,
    }).optional(),
  }),
  { description: 'Keys for OpenFlow over TLS. Relative paths start at the directory of this file.' },
)

export function openflow(input: z.input<z.ZodObject<ReturnType<typeof openflowShape>>>): Openflow {
  return {
    controllers: (input.controllers ?? []).map((c) => {
      const given = typeof c === 'string' ? { target: c } : c
      return {
        target: given.target,
        maxBackoff: given.maxBackoff ?? MAX_BACKOFF,
        inactivityProbe: given.inactivityProbe ?? INACTIVITY_PROBE,
        rateLimit: given.rateLimit ?? 0,
        burstLimit: given.burstLimit ?? 0,
        dscp: given.dscp ?? DEFAULT_DSCP,
      }
    }),
    failMode: input.failMode ?? 'standalone',
    versions: versionsOf(input.protocols?.length ? input.protocols : PROTOCOLS),
    flowTables: flowTables(input),
  }
}
