/**
 * The part of the door for samples of packets (IPFIX): what is to be sampled goes in, samples come out, so many
 * at a time and no more.
 */
import { KEY_WORDS } from '../protocols/flow-key.ts'

/** What is sampled on a bridge besides what its flows say. */
export interface SamplingSpec {
  /** Undefined: only what flows say. */
  readonly all?: {
    /** Of 2^32 packets; all ones for every one. */
    readonly chance: number
    readonly obsDomainId: number
    readonly obsPointId: number
    /** Packets that enter the bridge, but by a patch port. */
    readonly input: boolean
    /** Packets that leave it by a port, but a patch port; once for each. */
    readonly output: boolean
  }
}

/** Words of a sample: the operands of OP_SAMPLE (engine/actions/ops.ts) first. */
export const SAMPLE_CHANCE = 0
/** A number that stands for the bridge in this event. */
export const SAMPLE_BRIDGE_NO = 1
export const SAMPLE_SET = 2
export const SAMPLE_DOMAIN = 3
export const SAMPLE_POINT = 4
/** Datapath port that the packet leaves by; NO_PORT as 32 bits for none. */
export const SAMPLE_PORT = 5
/** SAMPLE_* flags. */
export const SAMPLE_FLAGS = 6
/** Bytes of the frame; of a GSO frame, those of the segment. */
export const SAMPLE_LENGTH = 7
/** Datapath port that the packet came in by. */
export const SAMPLE_IN_PORT = 8
/** KEY_WORDS words: the headers as they were when the sample was taken. */
export const SAMPLE_KEY = 9
/** Words of a sample. */
export const SAMPLE_WORDS = SAMPLE_KEY + KEY_WORDS

export interface SamplesEvent {
  readonly type: 'samples'
  /** SAMPLE_WORDS words for each. */
  readonly samples: Uint32Array
  /** Names of the bridges and ports in them, by number. */
  readonly bridges: ReadonlyMap<number, string>
  readonly ports: ReadonlyMap<number, string>
}

export interface SamplingCommands {
  /** Begins, changes or ends (undefined) the sampling on a bridge; without it sample() does nothing. */
  samplingPut(bridge: string, spec: SamplingSpec | undefined): void
  /** A `samples` event has been dealt with. Only a few may be on their way at a time; see engine/samples.ts. */
  samplesTaken(): void
}

export const SAMPLING_COMMANDS = [
  'samplingPut',
  'samplesTaken',
] as const satisfies readonly (keyof SamplingCommands)[]
