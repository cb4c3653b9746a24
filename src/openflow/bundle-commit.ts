/** Carries out the messages of a bundle, all or none. */

import type { BundleMod } from '../../engine/ofproto/bundle-commit.ts'
import type { FlowModFailure } from '../../engine/ofproto/flow-mod.ts'
import { BUNDLE_ATOMIC } from '../../protocols/openflow/bundle.ts'
import { messageXid } from '../../protocols/openflow/message-header.ts'
import type { Bundled, BundledMessages } from './bundled-messages.ts'
import type { Connection } from './connection.ts'
import { packetOutOf } from './handlers/packets.ts'
import type { OpenflowSwitch } from './openflow-switch.ts'

/** @returns the message that failed, and then nothing has been done */
export async function commitBundle(
  sw: OpenflowSwitch,
  connection: Connection,
  messages: BundledMessages,
  flags: number,
): Promise<FlowModFailure | undefined> {
  const xids = Array.from({ length: messages.count }, (_, i) => messageXid(messages.at(i)))
  const caused = { connection, xids, atomic: true }
  if (messages.onlyFlowMods) {
    return sw.monitors.caused(caused, (origin) => sw.dpif.flowModBundle(sw.bridge, messages.bytes, origin))
  }
  const all = messages.read()
  const mods: BundleMod[] = []
  for (const message of all) mods.push(await bundleMod(sw, message, (flags & BUNDLE_ATOMIC) !== 0))
  const failure = await sw.monitors.caused(caused, (origin) => sw.dpif.bundle(sw.bridge, mods, origin))
  if (failure !== undefined) return failure
  for (const message of all) {
    if (message.type === 'GROUP_MOD') {
      sw.forward(connection, { xid: message.xid, reason: 'group_mod', groupMod: message.body })
    } else if (message.type === 'PORT_MOD') await sw.configurePort(connection, message.body)
  }
  return undefined
}

async function bundleMod(sw: OpenflowSwitch, message: Bundled, atomic: boolean): Promise<BundleMod> {
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
