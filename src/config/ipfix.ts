import { IPFIX_SAMPLING } from './defaults.ts'
import { flag, integer, list, named, record, text } from './fields.ts'
import type { BridgeIpfix, IpfixProcess } from './network.ts'
import type { z } from './zod.ts'

const TARGET_EXPECTED = 'a collector such as "10.0.0.9:4739" or "[fd00::9]:4739"'

const processShape = () => ({
  targets: list(
    text('[^:\\s]+(?::\\d+)?|\\[[^\\]]+\\](?::\\d+)?', TARGET_EXPECTED, {
      description: 'Address of a collector, and the UDP port it listens at: 4739 unless given.',
    }),
    'collectors',
    { description: 'Collectors that all records are sent to, by UDP.', examples: [['10.0.0.9:4739']] },
  ),
  cacheActiveTimeout: integer(0, 4200, 'a number of seconds', {
    description: 'How long packets of a flow are counted together before a record of it is sent.',
    default: 0,
  }).optional(),
  cacheMaxFlows: integer(0, 1_000_000, 'a number of flows', {
    description: 'Flows that are counted at a time; with more, records of the oldest are sent earlier.',
    default: 0,
  }).optional(),
  virtualObsId: text('.{1,63}', 'a name of at most 63 characters', {
    description: 'A name for the observed network that stands in every record (VMware virtualObsID).',
    examples: ['tenant-7'],
  }).optional(),
})

const id = (description: string) =>
  integer(0, 0xffff_ffff, 'a number', { description, default: 0 }).optional()

const IpfixSchema = record(
  () => ({
    ...processShape(),
    sampling: integer(1, 0xffff_ffff, 'a number of packets', {
      description: 'One packet in so many is sampled, by chance.',
      default: IPFIX_SAMPLING,
    }).optional(),
    obsDomainId: id('Observation domain of the records.'),
    obsPointId: id('Observation point of the records.'),
    inputSampling: flag({
      description: 'Whether packets that come in are sampled.',
      default: true,
    }).optional(),
    outputSampling: flag({
      description: 'Whether packets that go out are sampled, once for each port.',
      default: true,
    }).optional(),
  }),
  {
    description: 'Reports on the flows that cross the bridge, to IPFIX collectors (RFC 7011).',
    examples: [{ targets: ['10.0.0.9:4739'], sampling: 400, cacheActiveTimeout: 60, cacheMaxFlows: 4096 }],
  },
)

const CollectorSetSchema = record(processShape, {
  description: 'Collectors of what flows sample with sample(collector_set_id=…).',
  examples: [{ targets: ['10.0.0.9:4739'] }],
})

/** Numbers of sets, as names in JSON. */
const SET_ID = '0|[1-9][0-9]{0,9}'

/** What a bridge says about IPFIX. */
export const ipfixShape = () => ({
  ipfix: IpfixSchema.optional(),
  flowSampleCollectorSets: named(CollectorSetSchema, {
    description: 'Sets of IPFIX collectors by the number that sample(collector_set_id=…) gives.',
    names: SET_ID,
  }).optional(),
})

type ProcessInput = z.input<z.ZodObject<ReturnType<typeof processShape>>>

function ipfixProcess(input: ProcessInput): IpfixProcess {
  return {
    targets: input.targets,
    cacheActiveTimeout: input.cacheActiveTimeout ?? 0,
    cacheMaxFlows: input.cacheMaxFlows ?? 0,
    ...(input.virtualObsId === undefined ? {} : { virtualObsId: input.virtualObsId }),
  }
}

/** Undefined when there is nobody to send to. */
export function ipfix(input: z.input<z.ZodObject<ReturnType<typeof ipfixShape>>>): BridgeIpfix | undefined {
  const sets = Object.entries(input.flowSampleCollectorSets ?? {})
    .filter(([, set]) => set.targets.length > 0)
    .map(([number, set]) => ({ id: Number(number), ...ipfixProcess(set) }))
  const all = input.ipfix
  if (all === undefined || all.targets.length === 0) return sets.length === 0 ? undefined : { sets }
  return {
    sets,
    all: {
      ...ipfixProcess(all),
      sampling: all.sampling ?? IPFIX_SAMPLING,
      obsDomainId: all.obsDomainId ?? 0,
      obsPointId: all.obsPointId ?? 0,
      input: all.inputSampling ?? true,
      output: all.outputSampling ?? true,
    },
  }
}
