/**
 * A packet enters a bridge: look up its rule, run the rule's actions. Where Open vSwitch has a pipeline of
 * tables, this is its table 0.
 */
import { DROP_ACTION, DROP_TABLE_MISS } from '../drops.ts'
import { W_IN_PORT } from '../flow/flow-key.ts'
import { flood, normal } from './normal.ts'
import { outputToPort } from './output.ts'
import { TAG_BRIDGE, tagOf } from './tags.ts'
import type { SwitchPort } from './topology.ts'
import type { Xlate } from './xlate.ts'

export function bridgeInput(x: Xlate, port: SwitchPort): void {
  const bridge = port.bridge
  const cameBy = x.flow[W_IN_PORT]
  x.look(W_IN_PORT, 0xffffffff)
  x.tag(tagOf(TAG_BRIDGE, bridge.index, 0, 0))
  // Rules know ports by their OpenFlow number in this bridge.
  x.flow[W_IN_PORT] = port.ofport
  x.trace?.note(x.depth, `bridge("${bridge.spec.name}") in_port=${port.ofport} ("${port.spec.name}")`)
  const rule = bridge.rules.lookup(x.flow, x.wc)
  if (rule === undefined) x.drop(DROP_TABLE_MISS)
  else if (rule.actions.length === 0) x.drop(DROP_ACTION)
  else {
    x.trace?.note(x.depth, `priority ${rule.priority}, cookie 0x${rule.cookie.toString(16)}`)
    for (const action of rule.actions) {
      if (action.type === 'normal') normal(x, bridge, port)
      else if (action.type === 'flood') flood(x, bridge, port, -1)
      else {
        const out = bridge.ports.find((p) => p.ofport === action.ofport)
        if (out !== undefined && out !== port) outputToPort(x, out)
      }
    }
  }
  x.flow[W_IN_PORT] = cameBy
}
