/**
 * An exporting process, RFC 7011: samples in, messages out. Packets of one flow are counted together until
 * the flow has been in the cache for the active timeout, or the cache is too full. Over UDP templates are sent
 * before they are needed and again every ten minutes (RFC 7011 §8.4), and with them what could not be sent.
 */
import { ByteWriter } from '../openflow/byte-writer.ts'
import { putCounter } from '../openflow/counters.ts'
import { type Duration, type Instant, MINUTE, SECOND } from '../time.ts'
import { END_ACTIVE_TIMEOUT, END_FORCED, END_LACK_OF_RESOURCES, FlowRecord, noCounts } from './flow-record.ts'
import { dataMessage, exporterTemplateMessage, type MessageHeader, templateMessages } from './message.ts'
import { putFlowKey, putText, type Sample, shapeOf } from './sample.ts'
import { EXPORTER_STATS_ID, type Shape, templateId } from './template.ts'

export interface ExporterSettings {
  /** How long a flow is counted before it is exported; 0: each packet is a record of its own. */
  readonly cacheActiveTimeout: Duration
  /** Flows in the cache at the most. */
  readonly cacheMaxFlows: number
  /** Stands in every record; UTF-8, at most 254 bytes. */
  readonly virtualObsId?: Uint8Array
}

/** Where messages go. */
export interface ExporterSink {
  send(message: Uint8Array): void
  /** Messages that could not be sent. */
  readonly errors: number
}

/** What an exporter has been given and what it has made of it; ovs-ofctl(8) dump-ipfix-bridge. */
export interface ExporterStats {
  readonly totalFlows: number
  readonly currentFlows: number
  readonly packets: number
  readonly ipv4Packets: number
  readonly ipv6Packets: number
  /** IP of a protocol that has no template of its own. */
  readonly ipv4ErrorPackets: number
  readonly ipv6ErrorPackets: number
}

const TEMPLATE_INTERVAL: Duration = 10 * MINUTE
/** Observation domain of what concerns the exporter as a whole, RFC 7011 §3.1. */
const NO_DOMAIN = 0
/** Observation domains remembered; one that is forgotten is told the templates again. */
const MAX_DOMAINS = 1024

interface Domain {
  sequence: number
  /** When its collectors were last told the templates. */
  told: Instant
}

export class Exporter {
  readonly #id: number
  readonly #sink: ExporterSink
  #settings: ExporterSettings
  /** By template, domain and key; in order of their beginning. */
  readonly #flows = new Map<string, FlowRecord>()
  readonly #domains = new Map<number, Domain>()
  readonly #totals = noCounts()
  readonly #stats = {
    totalFlows: 0,
    packets: 0,
    ipv4Packets: 0,
    ipv6Packets: 0,
    ipv4ErrorPackets: 0,
    ipv6ErrorPackets: 0,
  }
  #statsTold: Instant = Number.NEGATIVE_INFINITY

  /** @param id of this exporting process among those of the program */
  constructor(id: number, settings: ExporterSettings, sink: ExporterSink) {
    this.#id = id
    this.#settings = settings
    this.#sink = sink
  }

  get stats(): ExporterStats {
    return { ...this.#stats, currentFlows: this.#flows.size }
  }

  configure(now: Instant, settings: ExporterSettings): void {
    const virtual = this.#settings.virtualObsId !== undefined
    this.#settings = settings
    if (virtual !== (settings.virtualObsId !== undefined)) this.tellAgain()
    this.poll(now)
  }

  /** There are collectors that may not know the templates. */
  tellAgain(): void {
    for (const domain of this.#domains.values()) domain.told = Number.NEGATIVE_INFINITY
    this.#statsTold = Number.NEGATIVE_INFINITY
  }

  sample(now: Instant, sample: Sample): void {
    const shape = shapeOf(sample)
    this.#countSample(shape)
    const w = new ByteWriter()
    putFlowKey(w, sample, shape)
    const key = w.finish()
    const name = `${templateId(shape)} ${sample.obsDomainId} ${String.fromCharCode(...key)}`
    let flow = this.#flows.get(name)
    if (flow === undefined) {
      flow = new FlowRecord(now, shape, sample.obsDomainId, key)
      this.#flows.set(name, flow)
      this.#stats.totalFlows++
    }
    flow.count(now, sample, this.#totals)
    if (this.#flows.size > this.#settings.cacheMaxFlows) this.poll(now)
  }

  /** Exports the flows that are due. */
  poll(now: Instant): void {
    const { cacheActiveTimeout, cacheMaxFlows } = this.#settings
    for (const [name, flow] of this.#flows) {
      const timeout = flow.start + cacheActiveTimeout <= now
      if (!timeout && this.#flows.size <= cacheMaxFlows) return
      this.#flows.delete(name)
      this.#export(now, flow, timeout ? END_ACTIVE_TIMEOUT : END_LACK_OF_RESOURCES)
    }
  }

  pollAt(): Instant | undefined {
    for (const { start } of this.#flows.values()) return start + this.#settings.cacheActiveTimeout
    return undefined
  }

  /** Exports all that is in the cache: the exporter is about to go. */
  end(now: Instant): void {
    for (const flow of this.#flows.values()) this.#export(now, flow, END_FORCED)
    this.#flows.clear()
  }

  #countSample({ network, transport }: Shape): void {
    this.#stats.packets++
    if (network === 'other') return
    this.#stats[`${network}${transport === 'other' ? 'Error' : ''}Packets`]++
  }

  #export(now: Instant, flow: FlowRecord, reason: number): void {
    // A flow's times are told as spans before the message's, which is in whole seconds and so must be later.
    const exportTime = Math.ceil(now / SECOND)
    this.#tell(now, exportTime, flow.obsDomainId)
    const { virtualObsId } = this.#settings
    const header = this.#header(exportTime, flow.obsDomainId, 1)
    const message = dataMessage(header, templateId(flow.shape), (w) => {
      w.raw(flow.key)
      if (virtualObsId !== undefined) putText(w, virtualObsId)
      flow.put(w, exportTime, reason)
    })
    this.#sink.send(message)
  }

  /** Sends templates and the exporter's own statistics where it is time to. */
  #tell(now: Instant, exportTime: number, obsDomainId: number): void {
    const domain = this.#domain(obsDomainId)
    if (domain.told + TEMPLATE_INTERVAL <= now) {
      domain.told = now
      const virtual = this.#settings.virtualObsId !== undefined
      const header = this.#header(exportTime, obsDomainId, 0)
      for (const message of templateMessages(header, virtual)) this.#sink.send(message)
    }
    if (this.#statsTold + TEMPLATE_INTERVAL > now) return
    this.#statsTold = now
    this.#sink.send(exporterTemplateMessage(this.#header(exportTime, NO_DOMAIN, 0)))
    const header = this.#header(exportTime, NO_DOMAIN, 1)
    const { errors } = this.#sink
    const message = dataMessage(header, EXPORTER_STATS_ID, (w) => putCounter(w.u32(this.#id), errors))
    this.#sink.send(message)
  }

  /** @param records that the message carries: the domain's sequence number counts them */
  #header(exportTime: number, obsDomainId: number, records: number): MessageHeader {
    const domain = this.#domain(obsDomainId)
    const { sequence } = domain
    domain.sequence = (sequence + records) >>> 0
    return { exportTime, sequence, obsDomainId }
  }

  #domain(id: number): Domain {
    let domain = this.#domains.get(id)
    if (domain === undefined) {
      if (this.#domains.size === MAX_DOMAINS) this.#domains.delete(this.#domains.keys().next().value!)
      domain = { sequence: 0, told: Number.NEGATIVE_INFINITY }
      this.#domains.set(id, domain)
    }
    return domain
  }
}
