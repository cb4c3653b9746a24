/**
 * A packet enters a bridge: look up its rule, run the rule's actions. Where Open vSwitch has a pipeline of
 * tables, this is its table 0.
 */

import { W_IN_PORT } from '../../protocols/flow-key.ts'
import type { OfAction } from '../../protocols/openflow/action.ts'
import { OFPP_FLOOD, OFPP_NORMAL } from '../../protocols/openflow/port.ts'
import { DROP_ACTION, DROP_BRIDGE_HAIRPIN, DROP_TABLE_MISS } from '../drops.ts'
import { normal } from './normal.ts'
import { onCopy, outputCopyToPort, outputToPort } from './output.ts'
import { lookupRule } from './rule-lookup.ts'
import { TAG_BRIDGE, tagOf } from './tags.ts'
import type { Bridge, SwitchPort } from './topology.ts'
import type { Xlate } from './xlate.ts'

export function bridgeInput(x: Xlate, port: SwitchPort): void {
  const bridge = port.bridge
  const cameBy = x.flow[W_IN_PORT]
  x.look(W_IN_PORT, 0xffffffff)
  x.tag(tagOf(TAG_BRIDGE, bridge.index, 0, 0))
  // Rules know ports by their OpenFlow number in this bridge.
  x.flow[W_IN_PORT] = port.ofport
  x.trace?.note(x.depth, `bridge("${bridge.spec.name}") in_port=${port.ofport} ("${port.spec.name}")`)
  const rule = lookupRule(x, bridge, 0)
  if (rule === undefined) x.drop(DROP_TABLE_MISS)
  else if (rule.actions.length === 0) x.drop(DROP_ACTION)
  else {
    x.trace?.note(x.depth, `priority ${rule.priority}, cookie 0x${rule.cookie.toString(16)}`)
    const last = rule.actions.length - 1
    for (let i = 0; i < last; i++) onCopy(x, () => run(x, bridge, port, rule.actions[i]))
    run(x, bridge, port, rule.actions[last])
  }
  x.flow[W_IN_PORT] = cameBy
}

function run(x: Xlate, bridge: Bridge, port: SwitchPort, action: OfAction): void {
  if (action.type !== 'output') return
  if (action.port === OFPP_NORMAL) normal(x, bridge, port)
  else if (action.port === OFPP_FLOOD) floodUnswitched(x, bridge, port)
  else {
    const to = bridge.ports.find((p) => p.ofport === action.port)
    if (to === undefined || to === port) x.drop(DROP_BRIDGE_HAIRPIN)
    else outputToPort(x, to)
  }
}

/** By every port but the one it came by, as it is: what ports do with VLANs concerns NORMAL only. */
function floodUnswitched(x: Xlate, bridge: Bridge, port: SwitchPort): void {
  let last: SwitchPort | undefined
  for (const to of bridge.ports) {
    if (to === port) continue
    if (last !== undefined) outputCopyToPort(x, last)
    last = to
  }
  if (last === undefined) x.drop(DROP_BRIDGE_HAIRPIN)
  else outputToPort(x, last)
}
