import { MAX_QUEUE_ID, MAX_QUEUES } from '../../../engine/dpif-qos.ts'
import type { Path } from '../config-error.ts'
import { type QosInput, QUEUE_PATTERN } from '../qos.ts'
import { entries, type Loose, type Reporter } from './reporter.ts'

/** Which keys of "qos" make sense with which types. */
const KEYS_OF_TYPE = {
  maxRate: ['linux-htb', 'linux-hfsc'],
  queues: ['linux-htb', 'linux-hfsc'],
  cir: ['egress-policer'],
  cbs: ['egress-policer'],
} as const

const QUEUE = new RegExp(`^(?:${QUEUE_PATTERN})$`)

/** What a port's QoS keys say together must make sense. */
export function checkQos({ qos }: Loose<QosInput>, path: Path, report: Reporter): void {
  if (qos?.type === undefined) return
  const { type } = qos
  const at = [...path, 'qos']
  for (const [key, types] of Object.entries(KEYS_OF_TYPE)) {
    const given = qos[key as keyof typeof KEYS_OF_TYPE] !== undefined
    const wanted = (types as readonly string[]).includes(type)
    if (given && !wanted) report.value([...at, key], `no ${key} in a qos of type "${type}"`)
  }
  if (type === 'egress-policer') {
    if (qos.cir === undefined) report.value([...at, 'cir'], 'a number of bytes a second')
    if (qos.cbs === undefined) report.value([...at, 'cbs'], 'a number of bytes')
    return
  }
  checkQueues(qos, at, report)
}

function checkQueues(qos: NonNullable<Loose<QosInput>['qos']>, path: Path, report: Reporter): void {
  const queues = entries(qos.queues)
  if (queues.length > MAX_QUEUES) report.value([...path, 'queues'], `no more than ${MAX_QUEUES} queues`)
  let guaranteed = 0
  for (const [name, queue] of queues) {
    const at = [...path, 'queues', name]
    if (!QUEUE.test(name) || Number(name) >= MAX_QUEUE_ID) {
      report.key(at, `the number of a queue, from 0 to ${MAX_QUEUE_ID - 1}`)
    }
    for (const key of ['burst', 'priority'] as const) {
      if (qos.type !== 'linux-hfsc' || queue[key] === undefined) continue
      report.value([...at, key], `no ${key} in a queue of type "linux-hfsc"`)
    }
    const { minRate, maxRate } = queue
    if (minRate !== undefined && maxRate !== undefined && minRate > maxRate) {
      report.value([...at, 'minRate'], `no more than ${maxRate}, the maxRate`)
    }
    guaranteed += minRate ?? 0
    if (minRate === undefined || qos.maxRate === undefined || guaranteed <= qos.maxRate) continue
    const left = Math.max(0, qos.maxRate - (guaranteed - minRate))
    report.value([...at, 'minRate'], `no more than ${left}, what other queues leave of the port's maxRate`)
  }
}
