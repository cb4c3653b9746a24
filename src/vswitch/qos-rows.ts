import type { QosSpec, QueueSpec } from '../../engine/dpif-qos.ts'
import { LINE_RATE, POLICING_BURST } from '../config/defaults.ts'
import type { QosSettings } from '../config/qos.ts'
import { unless } from '../config/unless.ts'
import { mapOf, type Reference, scalar, type WantedRows, wordsOf } from './wanted-row.ts'

const KILO = 1000

export function qosRow(rows: WantedRows, port: string, { qos }: QosSettings): Reference | undefined {
  if (qos === undefined) return undefined
  return rows.add('QoS', port, {
    type: scalar(qos.type),
    other_config: wordsOf(parameters(qos)),
    queues: mapOf(
      qos.type === 'egress-policer'
        ? []
        : qos.queues.map((queue) => [queue.queue, queueRow(rows, port, queue)] as const),
    ),
  })
}

function parameters(qos: QosSpec) {
  return qos.type === 'egress-policer'
    ? { cir: qos.cir, cbs: qos.cbs }
    : { 'max-rate': unless(LINE_RATE, qos.maxRate) }
}

function queueRow(rows: WantedRows, port: string, spec: QueueSpec): Reference {
  return rows.add('Queue', `${port}/${spec.queue}`, {
    other_config: wordsOf({
      'min-rate': spec.minRate,
      'max-rate': spec.maxRate,
      burst: spec.burst,
      priority: spec.priority,
    }),
  })
}

/** The database counts kilobits. */
export function policingColumns({ ingressPolicing }: QosSettings) {
  const { rate, burst } = ingressPolicing ?? { rate: 0, burst: POLICING_BURST }
  return {
    ingress_policing_rate: scalar(rate / KILO),
    ingress_policing_burst: scalar(burst === POLICING_BURST ? 0 : burst / KILO),
  }
}
