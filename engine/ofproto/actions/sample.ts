/** sample: a packet, by chance, is reported to a set of collectors. */
import { W_IN_PORT } from '../../../protocols/flow-key.ts'
import type { SampleAction } from '../../../protocols/openflow/action.ts'
import { OFPP_NONE } from '../../../protocols/openflow/port.ts'
import { SAMPLE_EGRESS, SAMPLE_INGRESS } from '../../actions/ops.ts'
import type { ActionContext } from '../action-context.ts'
import { emitSample } from '../sampling.ts'

const FLAGS = { default: 0, ingress: SAMPLE_INGRESS, egress: SAMPLE_EGRESS } as const

/** Whether there is such a set is not asked, as in Open vSwitch: its collectors may come later. */
export function sample(ctx: ActionContext, action: SampleAction): void {
  const { x, bridge } = ctx
  if (bridge.sampling === undefined) return
  const { samplingPort, probability } = action
  const leaves = samplingPort !== OFPP_NONE && samplingPort !== x.flow[W_IN_PORT]
  const port = leaves ? bridge.portByNumber(samplingPort) : undefined
  if (leaves && port === undefined) {
    ctx.note(` >>>> can't use unknown port ${samplingPort} in flow sample action <<<<`)
    return
  }
  emitSample(x, {
    // 16 bits of probability as 32: all ones stay all ones.
    chance: probability * 0x1_0001,
    bridge,
    collectorSetId: action.collectorSetId,
    obsDomainId: action.obsDomainId,
    obsPointId: action.obsPointId,
    port,
    flags: FLAGS[action.direction],
  })
}
