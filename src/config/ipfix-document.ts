import { IPFIX_SAMPLING } from './defaults.ts'
import { given } from './given.ts'
import type { BridgeIpfix, IpfixProcess } from './network.ts'

/** The keys of a bridge for IPFIX. */
export function ipfixDocument(ipfix: BridgeIpfix | undefined) {
  if (ipfix === undefined) return {}
  const { all, sets } = ipfix
  const collectors = Object.fromEntries(sets.map((set) => [String(set.id), processDocument(set)]))
  return given({
    ipfix: all && {
      ...processDocument(all),
      ...given({
        sampling: all.sampling === IPFIX_SAMPLING ? undefined : all.sampling,
        obsDomainId: all.obsDomainId || undefined,
        obsPointId: all.obsPointId || undefined,
        inputSampling: all.input ? undefined : false,
        outputSampling: all.output ? undefined : false,
      }),
    },
    flowSampleCollectorSets: sets.length === 0 ? undefined : collectors,
  })
}

function processDocument({ targets, cacheActiveTimeout, cacheMaxFlows, virtualObsId }: IpfixProcess) {
  return {
    targets: [...targets],
    ...given({
      cacheActiveTimeout: cacheActiveTimeout || undefined,
      cacheMaxFlows: cacheMaxFlows || undefined,
      virtualObsId,
    }),
  }
}
