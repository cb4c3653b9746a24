import { parseCollector } from '../../services/collector-address.ts'
import type { BridgeInput } from '../bridges.ts'
import type { Path } from '../config-error.ts'
import { entries, items, type Loose, type Reporter, Unique } from './reporter.ts'

const SET_ID = /^(?:0|[1-9][0-9]{0,9})$/
const MAX_SET_ID = 0xffff_ffff

/** Collectors that have no address or are named twice, and sets that have no number. */
export function checkIpfix(bridge: Loose<BridgeInput>, path: Path, report: Reporter): void {
  checkTargets(bridge.ipfix?.targets, [...path, 'ipfix', 'targets'], report)
  for (const [id, set] of entries(bridge.flowSampleCollectorSets)) {
    const at = [...path, 'flowSampleCollectorSets', id]
    if (!SET_ID.test(id) || Number(id) > MAX_SET_ID) {
      report.key(at, `the number of a set, from 0 to ${MAX_SET_ID}`)
    }
    checkTargets(set.targets, [...at, 'targets'], report)
  }
}

function checkTargets(
  targets: readonly (string | undefined)[] | undefined,
  path: Path,
  report: Reporter,
): void {
  const named = new Unique<string>()
  for (const [i, target] of items(targets)) {
    const at = [...path, i]
    const address = parseCollector(target)
    if (address === undefined) {
      report.value(
        at,
        'the IP address of a collector and its port, such as "10.0.0.9:4739" or "[fd00::9]:4739"',
      )
      continue
    }
    const earlier = named.claim(`${address.host} ${address.port}`, at)
    if (earlier !== undefined) report.value(at, `a collector that is not named yet (it is by ${earlier})`)
  }
}
