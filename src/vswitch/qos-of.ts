import { MAX_QUEUE_ID, type QosSpec, type QueueSpec } from '../../engine/dpif-qos.ts'
import { LINE_RATE, POLICING_BURST } from '../config/defaults.ts'
import type { QosSettings } from '../config/qos.ts'
import { integerWord } from './numbers.ts'
import type { DatabaseReader, RowReader } from './row-reader.ts'

const MAX_RATE = 1_000_000_000_000
const MAX_UINT32 = 0xffff_ffff
const KILO = 1000

/** The QoS row of a port; "linux-noop" and an empty type are none. */
export function qosOf(ovs: DatabaseReader, port: RowReader): QosSettings {
  const row = ovs.get('QoS', port.text('qos'))
  const qos = row === undefined ? undefined : qosSpec(ovs, row)
  return qos === undefined ? {} : { qos }
}

function qosSpec(ovs: DatabaseReader, row: RowReader): QosSpec | undefined {
  const type = row.text('type')
  const config = row.words('other_config')
  switch (type) {
    case 'linux-htb':
    case 'linux-hfsc':
      return {
        type,
        maxRate: integerWord(row, config, 'max-rate', 1, MAX_RATE) || LINE_RATE,
        queues: queuesOf(ovs, row),
      }
    case 'egress-policer': {
      const cir = integerWord(row, config, 'cir', 1, MAX_RATE)
      const cbs = integerWord(row, config, 'cbs', 1, MAX_UINT32)
      if (cir !== undefined && cbs !== undefined) return { type, cir, cbs }
      row.problem('egress-policer needs other_config:cir and other_config:cbs')
      return undefined
    }
    case '':
    case 'linux-noop':
      return undefined
    default:
      row.problem(`QoS of type "${type}" is not served`)
      return undefined
  }
}

function queuesOf(ovs: DatabaseReader, row: RowReader): QueueSpec[] {
  return row.entries('queues').flatMap(([number, uuid]): QueueSpec[] => {
    const queue = Number(number)
    const settings = ovs.get('Queue', uuid as string)
    if (queue >= MAX_QUEUE_ID) {
      row.problem(`queues: ${queue} is not below ${MAX_QUEUE_ID}`)
      return []
    }
    if (settings?.isDefault('dscp') === false) row.problem(`queue ${queue}: dscp is not served`)
    return [{ queue, ...(settings === undefined ? {} : queueSpec(settings)) }]
  })
}

function queueSpec(row: RowReader): Omit<QueueSpec, 'queue'> {
  const config = row.words('other_config')
  const number = (word: string, max = MAX_RATE) => integerWord(row, config, word, 0, max)
  const spec = {
    minRate: number('min-rate'),
    maxRate: number('max-rate'),
    burst: number('burst'),
    priority: number('priority', MAX_UINT32),
  }
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined))
}

/** The database counts kilobits. */
export function ingressPolicingOf(iface: RowReader): QosSettings {
  const rate = iface.number('ingress_policing_rate')
  if (rate === 0) return {}
  const burst = iface.number('ingress_policing_burst')
  return { ingressPolicing: { rate: rate * KILO, burst: burst === 0 ? POLICING_BURST : burst * KILO } }
}
