import type { VlanSettings } from '../../engine/dpif.ts'
import type { QosSpec } from '../../engine/dpif-qos.ts'
import { LINE_RATE, POLICING_BURST } from './defaults.ts'
import { given } from './given.ts'
import type { QosInput, QosSettings } from './qos.ts'
import type { VlanInput } from './vlan-settings.ts'

/** The VLAN keys of an element. */
export function vlanDocument(vlan: VlanSettings): VlanInput {
  const { mode, tag, trunks, cvlans, priorityTags, qinqEthertype } = vlan
  return given({
    tag: tag === 0 ? undefined : tag,
    trunks: trunks.length === 0 ? undefined : [...trunks],
    vlanMode: mode === (tag === 0 ? 'trunk' : 'access') ? undefined : mode,
    cvlans: cvlans.length === 0 ? undefined : [...cvlans],
    priorityTags: priorityTags === 'no' ? undefined : priorityTags,
    qinqEthertype: qinqEthertype === '802.1ad' ? undefined : qinqEthertype,
  })
}

/** The keys of an element for quality of service. */
export function qosDocument({ qos, ingressPolicing }: QosSettings): QosInput {
  return given({
    qos: qos && shapingDocument(qos),
    ingressPolicing: ingressPolicing && {
      rate: ingressPolicing.rate,
      ...(ingressPolicing.burst === POLICING_BURST ? {} : { burst: ingressPolicing.burst }),
    },
  })
}

function shapingDocument(qos: QosSpec): NonNullable<QosInput['qos']> {
  if (qos.type === 'egress-policer') return qos
  const queues = Object.fromEntries(qos.queues.map(({ queue, ...settings }) => [String(queue), settings]))
  return {
    type: qos.type,
    ...(qos.maxRate === LINE_RATE ? {} : { maxRate: qos.maxRate }),
    ...(qos.queues.length === 0 ? {} : { queues }),
  }
}
