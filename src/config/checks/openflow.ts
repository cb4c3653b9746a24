import { TABLE_INTERNAL } from '../../../engine/ofproto/table-numbers.ts'
import { parseOfAddress } from '../../openflow/address.ts'
import type { BridgeInput } from '../bridges.ts'
import type { Path } from '../config-error.ts'
import { entries, type Loose, type LooseConfig, type Reporter, Unique } from './reporter.ts'

const TABLE = /^(?:0|[1-9]\d{0,2})$/

/** Addresses that are none, two controllers of one address, and TLS without keys. */
export function checkControllers(
  config: LooseConfig,
  bridge: Loose<BridgeInput>,
  path: Path,
  report: Reporter,
): void {
  if (!Array.isArray(bridge.controllers)) return
  const targets = new Unique<string>()
  for (const [i, controller] of bridge.controllers.entries()) {
    const plain = typeof controller === 'string'
    const target = plain ? controller : (controller as { target?: unknown } | undefined)?.target
    if (typeof target !== 'string') continue
    const at = [...path, 'controllers', i, ...(plain ? [] : ['target'])]
    const address = parseOfAddress(target)
    if (address === undefined) {
      report.value(at, 'an address such as "tcp:10.0.0.9:6653", "ssl:[fd00::9]:6653" or "ptcp:6653"')
      continue
    }
    const earlier = targets.claim(target, at)
    if (earlier !== undefined) report.value(at, `a controller that is not named yet (it is by ${earlier})`)
    if (address.method === 'ssl' && config.ssl === undefined) {
      report.value(at, 'keys for TLS in "ssl", or a controller that is reached without')
    }
  }
}

/** Flow tables that there are none of. */
export function checkFlowTables(bridge: Loose<BridgeInput>, path: Path, report: Reporter): void {
  for (const [table] of entries(bridge.flowTables)) {
    if (TABLE.test(table) && Number(table) < TABLE_INTERNAL) continue
    report.key([...path, 'flowTables', table], 'the number of a table, from 0 to 253')
  }
}
