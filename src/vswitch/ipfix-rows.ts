import { IPFIX_SAMPLING } from '../config/defaults.ts'
import type { Bridge, BridgeIpfix, IpfixProcess } from '../config/network.ts'
import { unless } from '../config/unless.ts'
import {
  optional,
  type Reference,
  scalar,
  setOf,
  type WantedRow,
  type WantedRows,
  wordsOf,
} from './wanted-row.ts'

/** Adds what a bridge exports, and answers the row of what it exports of all packets. */
export function ipfixRows(rows: WantedRows, { name, ipfix }: Bridge): Reference | undefined {
  if (ipfix === undefined) return undefined
  for (const set of ipfix.sets) {
    rows.add('Flow_Sample_Collector_Set', `${name}/${set.id}`, {
      id: scalar(set.id),
      bridge: scalar({ row: `Bridge/${name}` }),
      ipfix: optional(rows.add('IPFIX', `${name}/${set.id}`, processColumns(set))),
    })
  }
  return ipfix.all === undefined
    ? undefined
    : rows.add('IPFIX', name, { ...processColumns(ipfix.all), ...allColumns(ipfix.all) })
}

function processColumns(process: IpfixProcess): WantedRow['columns'] {
  return {
    targets: setOf(process.targets),
    cache_active_timeout: optional(unless(0, process.cacheActiveTimeout)),
    cache_max_flows: optional(unless(0, process.cacheMaxFlows)),
    other_config: wordsOf({ virtual_obs_id: process.virtualObsId }),
  }
}

function allColumns(all: NonNullable<BridgeIpfix['all']>): WantedRow['columns'] {
  return {
    sampling: optional(unless(IPFIX_SAMPLING, all.sampling)),
    obs_domain_id: optional(unless(0, all.obsDomainId)),
    obs_point_id: optional(unless(0, all.obsPointId)),
    other_config: wordsOf({
      virtual_obs_id: all.virtualObsId,
      'enable-input-sampling': all.input ? undefined : 'false',
      'enable-output-sampling': all.output ? undefined : 'false',
    }),
  }
}
