/**
 * IPFIX for all bridges of the daemon: samples come from the dataplane, are counted by the exporters of their
 * bridge, and leave to collectors.
 */
import {
  NO_PORT,
  SAMPLE_BRIDGE,
  SAMPLE_EGRESS,
  SAMPLE_INGRESS,
  SAMPLE_SENT,
} from '../../engine/actions/ops.ts'
import type { Dpif } from '../../engine/dpif.ts'
import {
  SAMPLE_BRIDGE_NO,
  SAMPLE_CHANCE,
  SAMPLE_DOMAIN,
  SAMPLE_FLAGS,
  SAMPLE_IN_PORT,
  SAMPLE_KEY,
  SAMPLE_LENGTH,
  SAMPLE_POINT,
  SAMPLE_PORT,
  SAMPLE_SET,
  SAMPLE_WORDS,
  type SamplesEvent,
  type SamplingSpec,
} from '../../engine/dpif-sampling.ts'
import { ETH_IPV4, ETH_IPV6, W_NW, W_TP, W_TYPE } from '../../protocols/flow-key.ts'
import { Exporter, type ExporterSettings } from '../../protocols/ipfix/exporter.ts'
import { MAX_NAME, type Sample, type SampledInterface } from '../../protocols/ipfix/sample.ts'
import type { IpfixStats } from '../../protocols/openflow/ipfix.ts'
import { SECOND } from '../../protocols/time.ts'
import { encodeUtf8 } from '../../protocols/wire/utf8.ts'
import type { IpfixProcess } from '../config/network.ts'
import type { IpfixSpec } from '../reconcile/element.ts'
import { type CollectorLog, Collectors } from './collectors.ts'
import { type Clock, MachineTimer } from './scheduler.ts'

export interface IpfixOptions {
  readonly dpif: Dpif
  readonly clock: Clock
  /** ifIndex of a port's device; 0 for none in the machine's own namespace. */
  readonly indexOf: (port: string) => number
  readonly log: CollectorLog
}

interface Process {
  readonly exporter: Exporter
  readonly timer: MachineTimer
  readonly collectors: Collectors
}

interface Served {
  all: Process | undefined
  /** By number of the set. */
  readonly sets: Map<number, Process>
}

const ALL_ONES = 0xffff_ffff
const UDP = 17
/** RFC 5881 §4, RFC 5883: sessions that watch links are no traffic, as in Open vSwitch. */
const BFD_PORTS = [3784, 3785]

export class Ipfix {
  readonly #options: IpfixOptions
  readonly #bridges = new Map<string, Served>()
  /** By name of the port, as far as they have been asked for. */
  readonly #interfaces = new Map<string, SampledInterface>()
  #exporters = 0

  constructor(options: IpfixOptions) {
    this.#options = options
    options.dpif.onEvent((event) => {
      if (event.type === 'samples') this.#receive(event)
    })
  }

  /** Begins or changes what is exported of a bridge. */
  async put({ bridge, all, sets }: IpfixSpec): Promise<void> {
    const served = this.#bridges.get(bridge) ?? { all: undefined, sets: new Map() }
    this.#bridges.set(bridge, served)
    const gone = [...served.sets].filter(([id]) => !sets.some((set) => set.id === id))
    for (const [id] of gone) served.sets.delete(id)
    const ending = gone.map(([, process]) => process)
    if (all === undefined && served.all !== undefined) ending.push(served.all)
    served.all = all && (await this.#process(served.all, all))
    for (const set of sets) served.sets.set(set.id, await this.#process(served.sets.get(set.id), set))
    await this.#options.dpif.samplingPut(bridge, samplingOf(all))
    for (const process of ending) await this.#end(process)
  }

  async remove(bridge: string): Promise<void> {
    const served = this.#bridges.get(bridge)
    if (served === undefined) return
    // Samples that have been taken come before the answer.
    await this.#options.dpif.samplingPut(bridge, undefined)
    this.#bridges.delete(bridge)
    for (const process of processes(served)) await this.#end(process)
  }

  /** Ports may stand for other devices. */
  portsChanged(): void {
    this.#interfaces.clear()
  }

  /** Undefined where nothing is exported of all that a bridge carries. */
  bridgeStats(bridge: string): IpfixStats | undefined {
    const process = this.#bridges.get(bridge)?.all
    return process && statsOf(process, 0)
  }

  /** Of the sets that flows name, in order of their numbers. */
  flowStats(bridge: string): IpfixStats[] {
    const sets = [...(this.#bridges.get(bridge)?.sets ?? [])].sort(([a], [b]) => a - b)
    return sets.map(([id, process]) => statsOf(process, id))
  }

  async #process(before: Process | undefined, wanted: IpfixProcess): Promise<Process> {
    const process = before ?? this.#open(wanted)
    const { exporter, timer, collectors } = process
    if (await collectors.configure(wanted.targets)) exporter.tellAgain()
    exporter.configure(this.#options.clock.now(), settingsOf(wanted))
    timer.update()
    return process
  }

  #open(wanted: IpfixProcess): Process {
    const collectors = new Collectors(this.#options.log)
    const exporter = new Exporter(++this.#exporters, settingsOf(wanted), collectors)
    return { exporter, collectors, timer: new MachineTimer(this.#options.clock, exporter) }
  }

  async #end({ exporter, timer, collectors }: Process): Promise<void> {
    timer.stop()
    exporter.end(this.#options.clock.now())
    await collectors.close()
  }

  #receive({ samples, bridges, ports }: SamplesEvent): void {
    const { dpif, clock } = this.#options
    const now = clock.now()
    const touched = new Set<Process>()
    for (let at = 0; at < samples.length; at += SAMPLE_WORDS) {
      const words = samples.subarray(at, at + SAMPLE_WORDS)
      const served = this.#bridges.get(bridges.get(words[SAMPLE_BRIDGE_NO]) ?? '')
      const ofBridge = (words[SAMPLE_FLAGS] & SAMPLE_BRIDGE) !== 0
      const process = ofBridge ? served?.all : served?.sets.get(words[SAMPLE_SET])
      if (process === undefined || (ofBridge && isBfd(words.subarray(SAMPLE_KEY)))) continue
      process.exporter.sample(now, this.#sampleOf(words, ports))
      touched.add(process)
    }
    for (const { timer } of touched) timer.update()
    dpif.samplesTaken().catch(() => {
      // The dataplane has ended.
    })
  }

  #sampleOf(words: Uint32Array, ports: ReadonlyMap<number, string>): Sample {
    const flags = words[SAMPLE_FLAGS]
    const leaves = words[SAMPLE_PORT] !== NO_PORT >>> 0
    const said = (flags & (SAMPLE_INGRESS | SAMPLE_EGRESS)) !== 0
    return {
      key: words.subarray(SAMPLE_KEY),
      length: words[SAMPLE_LENGTH],
      packets: Math.floor(ALL_ONES / words[SAMPLE_CHANCE]),
      obsDomainId: words[SAMPLE_DOMAIN],
      obsPointId: words[SAMPLE_POINT],
      egress: said ? (flags & SAMPLE_EGRESS) !== 0 : leaves,
      input: this.#interface(ports.get(words[SAMPLE_IN_PORT])),
      output: this.#interface(ports.get(words[SAMPLE_PORT])),
      dropped: (flags & SAMPLE_SENT) === 0,
    }
  }

  #interface(port: string | undefined): SampledInterface | undefined {
    if (port === undefined) return undefined
    let known = this.#interfaces.get(port)
    if (known === undefined) {
      known = { index: this.#options.indexOf(port), name: encodeUtf8(port).subarray(0, MAX_NAME) }
      this.#interfaces.set(port, known)
    }
    return known
  }
}

function processes({ all, sets }: Served): Process[] {
  return [...(all === undefined ? [] : [all]), ...sets.values()]
}

function settingsOf({ cacheActiveTimeout, cacheMaxFlows, virtualObsId }: IpfixProcess): ExporterSettings {
  return {
    cacheActiveTimeout: cacheActiveTimeout * SECOND,
    cacheMaxFlows,
    ...(virtualObsId === undefined ? {} : { virtualObsId: encodeUtf8(virtualObsId) }),
  }
}

function samplingOf(all: IpfixSpec['all']): SamplingSpec {
  if (all === undefined) return {}
  const { sampling, obsDomainId, obsPointId, input, output } = all
  return { all: { chance: Math.floor(ALL_ONES / sampling), obsDomainId, obsPointId, input, output } }
}

function isBfd(key: Uint32Array): boolean {
  const type = key[W_TYPE] >>> 16
  if (type !== ETH_IPV4 && type !== ETH_IPV6) return false
  return key[W_NW] >>> 24 === UDP && BFD_PORTS.includes(key[W_TP] & 0xffff)
}

function statsOf({ exporter, collectors }: Process, collectorSetId: number): IpfixStats {
  const stats = exporter.stats
  return {
    ...stats,
    errorPackets: stats.ipv4ErrorPackets + stats.ipv6ErrorPackets,
    transmittedPackets: collectors.transmitted,
    transmitErrors: collectors.errors,
    collectorSetId,
  }
}
