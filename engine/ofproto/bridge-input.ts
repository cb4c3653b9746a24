/**
 * A packet enters a bridge: what it carried through tables elsewhere stays there, but for its mark, its queue
 * and its type, and it begins at table 0.
 */
import {
  FLOW_WORDS,
  KEY_WORDS,
  W_ACTSET_OUTPUT,
  W_IN_PORT,
  W_PACKET_TYPE,
  W_PKT_MARK,
  W_SKB_PRIORITY,
} from '../../protocols/flow-key.ts'
import { OFPP_UNSET } from '../../protocols/openflow/port.ts'
import { DROP_PORT_DOWN } from '../drops.ts'
import { runPipeline } from './pipeline.ts'
import { sampleBridge } from './sampling.ts'
import { TAG_BRIDGE, tagOf } from './tags.ts'
import { type Bridge, KIND_PATCH, type SwitchPort } from './topology.ts'
import type { Xlate } from './xlate.ts'

export function bridgeInput(x: Xlate, port: SwitchPort): void {
  const { bridge } = port
  noteInput(x, bridge)
  // What comes by a patch port was sampled where it came into the network, as in Open vSwitch.
  if (port.kind !== KIND_PATCH) sampleBridge(x, bridge, undefined)
  if (!port.receives) {
    x.drop(DROP_PORT_DOWN)
    return
  }
  walkTables(x, bridge, port.ofport)
}

/** A packet of which a trace says that it came by a port that the bridge does not have. */
export function inputFromNowhere(x: Xlate, bridge: Bridge, ofport: number): void {
  noteInput(x, bridge)
  walkTables(x, bridge, ofport)
}

function noteInput(x: Xlate, bridge: Bridge): void {
  x.look(W_IN_PORT, 0xffffffff)
  noteBridge(x, bridge)
  x.trace?.bridge(x.level, bridge.spec.name)
}

/** @param ofport by which rules see it come: rules know ports by their OpenFlow number in this bridge */
function walkTables(x: Xlate, bridge: Bridge, ofport: number): void {
  const { flow } = x
  const cameBy = flow[W_IN_PORT]
  const { fields } = x
  x.kept.pushBehindKey()
  const mark = flow[W_PKT_MARK]
  const queue = flow[W_SKB_PRIORITY]
  const packetType = flow[W_PACKET_TYPE]
  flow.fill(0, KEY_WORDS, FLOW_WORDS)
  flow[W_PKT_MARK] = mark
  flow[W_SKB_PRIORITY] = queue
  flow[W_PACKET_TYPE] = packetType
  flow[W_ACTSET_OUTPUT] = OFPP_UNSET
  flow[W_IN_PORT] = ofport
  runPipeline(x.contexts.take(bridge))
  x.trace?.final(flow)
  x.kept.popBehindKey()
  x.fields = fields
  flow[W_IN_PORT] = cameBy
}

/** Notes that the decision depends on the bridge's ports and settings. */
export function noteBridge(x: Xlate, bridge: Bridge): void {
  x.tag(tagOf(TAG_BRIDGE, bridge.index, 0, 0))
}
