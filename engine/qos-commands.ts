/** The commands of the door that concern quality of service, carried out on a datapath. */
import type { Datapath } from './datapath.ts'
import type { PortSpec } from './dpif.ts'
import { DpifError } from './dpif.ts'
import { MAX_QUEUE_ID, MAX_QUEUES, type QosCommands, type QosSpec, type QueueRow } from './dpif-qos.ts'
import type { SwitchPort } from './ofproto/topology.ts'
import { OpenflowPipelineCommands } from './pipeline-commands.ts'
import { isDevice } from './port-spec.ts'
import type { PortShaper } from './qos/port-shaper.ts'

export class QosDatapathCommands extends OpenflowPipelineCommands implements QosCommands {
  readonly #dp: Datapath

  constructor(dp: Datapath) {
    super(dp)
    this.#dp = dp
  }

  queues(): QueueRow[] {
    const rows: QueueRow[] = []
    for (const port of this.#dp.topology.portsByName.values()) {
      const shaper = this.#dp.qos.shaper(port.portNo)
      if (shaper !== undefined) rows.push(...this.#rows(port, shaper))
    }
    return rows
  }

  #rows(port: SwitchPort, shaper: PortShaper): QueueRow[] {
    const { type, maxRate } = shaper.spec
    const rows = shaper.queues.map((spec, c): QueueRow => {
      const { packets, bytes, errors, since } = shaper.counters[c]
      return {
        port: port.spec.name,
        bridge: port.bridge.spec.name,
        ofport: port.ofport,
        queue: spec.queue,
        type,
        spec,
        ...shaper.effective(c),
        portRate: maxRate,
        txPackets: packets,
        txBytes: bytes,
        txErrors: errors,
        ...shaper.held(c),
        age: Math.max(0, this.#dp.now - since),
      }
    })
    return rows.sort((a, b) => a.queue - b.queue)
  }
}

/** @throws DpifError EINVAL if a port cannot have the quality of service that its spec asks for */
export function checkQos(spec: PortSpec): void {
  const refuse = (why: string): never => {
    throw new DpifError('EINVAL', `port ${spec.name}: ${why}`)
  }
  const { qos, ingressPolicing } = spec
  if (qos === undefined && ingressPolicing === undefined) return
  if (!isDevice(spec)) refuse(`a port of type ${spec.kind.type} has no quality of service`)
  if (ingressPolicing !== undefined && !(ingressPolicing.rate > 0 && ingressPolicing.burst > 0)) {
    refuse('rate and burst of ingress policing must be above 0')
  }
  const wrong = qos === undefined ? undefined : wrongQos(qos)
  if (wrong !== undefined) refuse(wrong)
}

function wrongQos(qos: QosSpec): string | undefined {
  if (qos.type === 'egress-policer') {
    return qos.cir > 0 && qos.cbs > 0 ? undefined : 'cir and cbs must be above 0'
  }
  if (!(qos.maxRate > 0)) return 'the rate must be above 0'
  const numbers = new Set(qos.queues.map((q) => q.queue))
  if (numbers.size > MAX_QUEUES) return `${numbers.size} queues are more than ${MAX_QUEUES}`
  if (numbers.size < qos.queues.length) return 'two queues have one number'
  const bad = [...numbers].find((n) => !(Number.isInteger(n) && n >= 0 && n < MAX_QUEUE_ID))
  return bad === undefined ? undefined : `${bad} is not the number of a queue, from 0 to ${MAX_QUEUE_ID - 1}`
}
