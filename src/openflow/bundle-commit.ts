/** Carries out the messages of a bundle, all or none. */
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import type { FlowMod } from '../../protocols/openflow/flow-mod.ts'
import type { BundledMessage } from './bundles.ts'
import type { Connection } from './connection.ts'
import type { OpenflowSwitch } from './openflow-switch.ts'

export interface BundleFailure {
  /** Of the message that failed. */
  readonly index: number
  readonly error: OfErrorName
}

export async function commitBundle(
  sw: OpenflowSwitch,
  connection: Connection,
  messages: readonly BundledMessage[],
): Promise<BundleFailure | undefined> {
  const mods: FlowMod[] = []
  const indices: number[] = []
  for (const [index, { message }] of messages.entries()) {
    if (message.type !== 'FLOW_MOD') return { index, error: 'OFPBFC_MSG_UNSUP' }
    mods.push(message.body)
    indices.push(index)
  }
  const xids = indices.map((i) => messages[i]!.message.xid)
  const [failure] = await sw.monitors.caused({ connection, xids, atomic: true }, (origin) =>
    sw.dpif.flowMod(sw.bridge, mods, true, origin),
  )
  return failure === undefined ? undefined : { index: indices[failure.index]!, error: failure.error }
}
