import type { IngressPolicingSpec, QosSpec } from '../../engine/dpif-qos.ts'
import { LINE_RATE, POLICING_BURST } from './defaults.ts'
import { choice, integer, named, record } from './fields.ts'
import type { z } from './zod.ts'

/**
 * Quality of service of a port, with the meanings of the QoS, Queue and Interface tables of
 * ovs-vswitchd.conf.db(5). The keys stand wherever a port with a device is implied: on a port, on the interface
 * of a host, on a bridge (for its own address).
 */

export const QUEUE_PATTERN = '0|[1-9][0-9]{0,4}'
export const QOS_TYPES = ['linux-htb', 'linux-hfsc', 'egress-policer'] as const

const bitRate = (description: string, examples: readonly number[]) =>
  integer(1000, 1_000_000_000_000, 'a number of bits a second', { description, examples })

const QueueSchema = record(
  () => ({
    minRate: bitRate('Guaranteed rate, in bits a second; 12000 when absent.', [2_000_000]).optional(),
    maxRate: bitRate("Highest rate, in bits a second; the port's when absent.", [5_000_000]).optional(),
    burst: integer(1, 1_000_000_000_000, 'a number of bits', {
      description:
        'linux-htb: credit that the queue saves up while it is idle, in bits; one frame when absent.',
      examples: [100_000],
    }).optional(),
    priority: integer(0, 4_294_967_295, 'a priority', {
      description:
        'linux-htb: queues of a smaller number get what others leave before those of a larger one do.',
      default: 0,
    }).optional(),
  }),
  { description: 'A queue.', examples: [{ minRate: 2_000_000, maxRate: 5_000_000 }] },
)

const QosSchema = record(
  () => ({
    type: choice(QOS_TYPES, {
      description:
        'linux-htb: queues share the rate of the port, each with a guarantee, a limit and a priority. linux-hfsc: the same without bursts and priorities. egress-policer: what exceeds a rate is dropped.',
    }),
    maxRate: bitRate(
      'linux-htb, linux-hfsc: rate of the whole port, in bits a second; 10000000000 when absent.',
      [10_000_000],
    ).optional(),
    queues: named(QueueSchema, {
      description:
        'linux-htb, linux-hfsc: queues by number, as set_queue and enqueue name them. Queue 0 takes what names none.',
      names: QUEUE_PATTERN,
      examples: [{ '0': { minRate: 1_000_000 }, '1': { maxRate: 5_000_000, priority: 1 } }],
    }).optional(),
    cir: integer(1, 125_000_000_000, 'a number of bytes a second', {
      description: 'egress-policer: committed rate, in bytes a second behind the Ethernet header.',
      examples: [46_000],
    }).optional(),
    cbs: integer(1, 4_294_967_295, 'a number of bytes', {
      description: 'egress-policer: committed burst, in bytes.',
      examples: [64_000],
    }).optional(),
  }),
  {
    description: 'What leaves by the port, from the switch to the device, is queued and sent at these rates.',
    examples: [{ type: 'linux-htb', maxRate: 10_000_000, queues: { '1': { minRate: 2_000_000 } } }],
  },
)

const IngressPolicingSchema = record(
  () => ({
    rate: bitRate('What comes in faster is dropped, in bits a second.', [1_000_000]),
    burst: integer(1, 1_000_000_000_000, 'a number of bits', {
      description: 'What may come in at once, in bits.',
      default: POLICING_BURST,
    }).optional(),
  }),
  { description: 'A limit to what comes in by the port.', examples: [{ rate: 1_000_000 }] },
)

export const qosShape = () => ({
  qos: QosSchema.optional(),
  ingressPolicing: IngressPolicingSchema.optional(),
})

/** The keys of an element as they stand in the file. */
export interface QosInput {
  qos?: z.input<typeof QosSchema> | undefined
  ingressPolicing?: z.input<typeof IngressPolicingSchema> | undefined
}

/** Quality of service of a port. */
export interface QosSettings {
  readonly qos?: QosSpec
  readonly ingressPolicing?: IngressPolicingSpec
}

export function qosSettings({ qos, ingressPolicing }: QosInput): QosSettings {
  return {
    ...(qos === undefined ? {} : { qos: qosSpec(qos) }),
    ...(ingressPolicing === undefined
      ? {}
      : {
          ingressPolicing: {
            rate: wholeKilobits(ingressPolicing.rate),
            burst: wholeKilobits(ingressPolicing.burst ?? POLICING_BURST),
          },
        }),
  }
}

/** The unit in which OVSDB has them. */
function wholeKilobits(bits: number): number {
  return Math.ceil(bits / 1000) * 1000
}

function qosSpec(qos: NonNullable<QosInput['qos']>): QosSpec {
  if (qos.type === 'egress-policer') return { type: qos.type, cir: qos.cir!, cbs: qos.cbs! }
  return {
    type: qos.type,
    maxRate: qos.maxRate ?? LINE_RATE,
    queues: Object.entries(qos.queues ?? {}).map(([queue, { minRate, maxRate, burst, priority }]) => ({
      queue: Number(queue),
      ...(minRate === undefined ? {} : { minRate }),
      ...(maxRate === undefined ? {} : { maxRate }),
      ...(burst === undefined ? {} : { burst }),
      ...(priority === undefined ? {} : { priority }),
    })),
  }
}
