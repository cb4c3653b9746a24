import { IPFIX_SAMPLING } from '../config/defaults.ts'
import type { BridgeIpfix, IpfixProcess } from '../config/network.ts'
import { parseCollector } from '../services/collector-address.ts'
import type { DatabaseReader, RowReader } from './row-reader.ts'

/** What a bridge's IPFIX row and the Flow_Sample_Collector_Set rows of the bridge say. */
export function bridgeIpfix(ovs: DatabaseReader, bridge: RowReader): BridgeIpfix | undefined {
  const row = ovs.get('IPFIX', bridge.text('ipfix'))
  const process = row === undefined ? undefined : processOf(row)
  const sets = ovs
    .all('Flow_Sample_Collector_Set')
    .filter((set) => set.text('bridge') === bridge.uuid)
    .flatMap((set) => {
      const ipfix = ovs.get('IPFIX', set.text('ipfix'))
      const collectors = ipfix === undefined ? undefined : processOf(ipfix)
      return collectors === undefined ? [] : [{ id: set.number('id'), ...collectors }]
    })
    .sort((a, b) => a.id - b.id)
  if (process === undefined || row === undefined) return sets.length === 0 ? undefined : { sets }
  const config = row.words('other_config')
  return {
    sets,
    all: {
      ...process,
      sampling: row.optionalNumber('sampling') ?? IPFIX_SAMPLING,
      obsDomainId: row.number('obs_domain_id'),
      obsPointId: row.number('obs_point_id'),
      input: config.get('enable-input-sampling') !== 'false',
      output: config.get('enable-output-sampling') !== 'false',
    },
  }
}

/** Undefined when there is nobody to send to. */
function processOf(row: RowReader): IpfixProcess | undefined {
  const targets = row.texts('targets').filter((target) => {
    const known = parseCollector(target) !== undefined
    if (!known) row.problem(`targets: "${target}" is no address of a collector`)
    return known
  })
  if (targets.length === 0) return undefined
  const virtualObsId = row.words('other_config').get('virtual_obs_id')
  return {
    targets,
    cacheActiveTimeout: row.number('cache_active_timeout'),
    cacheMaxFlows: row.number('cache_max_flows'),
    ...(virtualObsId === undefined ? {} : { virtualObsId }),
  }
}
