/** Carries out the messages of a bundle, all or none. */

import type { BundleMod } from '../../engine/ofproto/bundle-commit.ts'
import type { FlowModFailure } from '../../engine/ofproto/flow-mod.ts'
import { BUNDLE_ATOMIC } from '../../protocols/openflow/bundle.ts'
import type { BundledMessage } from './bundles.ts'
import type { Connection } from './connection.ts'
import { packetOutOf } from './handlers/packets.ts'
import type { OpenflowSwitch } from './openflow-switch.ts'

/** @returns the message that failed, and then nothing has been done */
export async function commitBundle(
  sw: OpenflowSwitch,
  connection: Connection,
  messages: readonly BundledMessage[],
  flags: number,
): Promise<FlowModFailure | undefined> {
  const mods: BundleMod[] = []
  for (const { message } of messages) mods.push(await bundleMod(sw, message, (flags & BUNDLE_ATOMIC) !== 0))
  const xids = messages.map(({ message }) => message.xid)
  const failure = await sw.monitors.caused({ connection, xids, atomic: true }, (origin) =>
    sw.dpif.bundle(sw.bridge, mods, origin),
  )
  if (failure !== undefined) return failure
  for (const { message } of messages) {
    if (message.type === 'GROUP_MOD') {
      sw.forward(connection, { xid: message.xid, reason: 'group_mod', groupMod: message.body })
    } else if (message.type === 'PORT_MOD') await sw.ports.configure(message.body)
  }
  if (messages.some(({ message }) => message.type === 'PORT_MOD')) await sw.portsChanged()
  return undefined
}

async function bundleMod(
  sw: OpenflowSwitch,
  message: BundledMessage['message'],
  atomic: boolean,
): Promise<BundleMod> {
  switch (message.type) {
    case 'FLOW_MOD':
      return { type: 'flow', mod: message.body }
    case 'GROUP_MOD':
      return { type: 'group', mod: message.body }
    case 'PACKET_OUT':
      return { type: 'packet-out', ...packetOutOf(message.body) }
    case 'PORT_MOD':
      // A port is changed by itself, after all else: not what "atomic" asks for.
      return { type: 'other', error: atomic ? 'OFPBFC_MSG_FAILED' : await sw.ports.refusal(message.body) }
  }
}
