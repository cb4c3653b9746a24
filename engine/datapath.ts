/**
 * The switch itself: frames in, frames out, on one thread, with no idea of threads, files or clocks. Who runs
 * it (the worker's loop, or a simulation) sets `now`, hands it received frames and polls it.
 *
 * A frame costs one key extraction, one lookup and one program in the steady state. What the caches do not
 * know is translated here and cached; what a program cannot do is lent to the slow path. Slow-path code may
 * send packets of its own, which are translated and run at once, nested in the packet that caused them; the
 * nesting is bounded.
 */

import { KEY_WORDS, PT_ETHERNET, W_IN_PORT, W_L4, W_RECIRC } from '../protocols/flow-key.ts'
import type { FlowRemovedReason } from '../protocols/openflow/flow-removed.ts'
import type { Match } from '../protocols/openflow/match.ts'
import type { Random } from '../protocols/random.ts'
import { earlier, type Instant } from '../protocols/time.ts'
import { type ExecutionHost, execute } from './actions/execute.ts'
import { MAX_PROGRAM } from './actions/program-builder.ts'
import { Captures } from './capture.ts'
import { BurstKeys } from './classifier/burst-keys.ts'
import { FlowCache } from './classifier/flow-cache.ts'
import { MegaflowTable, type StationListener } from './classifier/megaflow-table.ts'
import type { MiniMatch } from './classifier/mini-match.ts'
import { CtSlowPath } from './conntrack/ct-slow-path.ts'
import { type DatapathOptions, FLOW_LIMIT } from './datapath-options.ts'
import type { DpifEvent } from './dpif.ts'
import { DROP_PORT_DOWN, DROP_RECIRC, DROP_RX_SHORT, DROP_SLOW_BUSY, DropCounters } from './drops.ts'
import { extract } from './flow/extract.ts'
import { keepTranslation } from './keep-translation.ts'
import type { PacketPool } from './memory/packet-pool.ts'
import type { Netdev } from './netdev/netdev.ts'
import { transmit } from './netdev/offload.ts'
import { packetCount } from './netdev/segmentation.ts'
import { newTopology } from './new-topology.ts'
import { CT_FINE } from './ofproto/connection-tracker.ts'
import type { FlowTable } from './ofproto/flow-table.ts'
import type { FlowTablesListener } from './ofproto/flow-tables.ts'
import { packetTypeOf } from './ofproto/frozen-state.ts'
import { MeterRuntime } from './ofproto/meter-runtime.ts'
import { MAX_METERS } from './ofproto/meter-table.ts'
import { resume, resumeWhole } from './ofproto/resume.ts'
import type { Rule } from './ofproto/rule.ts'
import { bridgeOfStation, TAG_BRIDGE, tagOf, vlanOfStation } from './ofproto/tags.ts'
import { type Bridge, MAX_PORTS, type Topology } from './ofproto/topology.ts'
import { Xlate } from './ofproto/xlate.ts'
import { PacketIns } from './packet-ins.ts'
import { Qos, type QosHost } from './qos/qos.ts'
import type { RouterDomain } from './router/router-domain.ts'
import type { RouterHost } from './router/router-host.ts'
import { announceRemoval, announceVacancy } from './rule-events.ts'
import { Samples } from './samples.ts'
import type { ServiceSink } from './service-frames.ts'
import { Sweep } from './sweep.ts'
import type { StationWatch } from './tables/fdb.ts'

/** Packets that may be translated and run inside one another. */
const MAX_NESTING = 8
/** How often one packet's headers may be read anew, as MAX_RECIRC_DEPTH in Open vSwitch. */
const MAX_RECIRCULATIONS = 6
/**
 * Cached flows that may be compared with changed rules in a second; beyond that, all under a tag go, so that
 * floods of changes cost no more than translating the flows in use again.
 */
const COMPARISONS = 1 << 21

export class Datapath
  implements RouterHost, ExecutionHost, QosHost, StationWatch, StationListener, FlowTablesListener
{
  readonly pool: PacketPool
  readonly random: Random
  readonly drops = new DropCounters()
  readonly topology: Topology
  readonly meters = new MeterRuntime(MAX_METERS)
  readonly flows: MegaflowTable
  readonly cache: FlowCache
  readonly routers: RouterDomain
  readonly captures: Captures
  readonly qos: Qos
  readonly samples: Samples
  readonly ctOperations: CtSlowPath
  readonly emit: (event: DpifEvent) => void
  readonly service: ServiceSink
  /** The time of the present burst. */
  now: Instant = 0
  upcalls = 0
  recirculations = 0

  readonly #xlate: Xlate
  readonly #key = new Uint32Array(KEY_WORDS)
  readonly #burst = new BurstKeys()
  readonly #injectedKey = new Uint32Array(KEY_WORDS)
  /** Devices by datapath port number. */
  readonly #devices: (Netdev | undefined)[] = []
  /** Programs of packets that are not cached, one piece for each depth of nesting. */
  readonly #scratch = new Int32Array(MAX_NESTING * MAX_PROGRAM)
  readonly #packetIns: PacketIns
  readonly #sweep: Sweep
  #nesting = 0
  #recirculations = 0
  #comparisons = COMPARISONS

  constructor(options: DatapathOptions) {
    this.pool = options.pool
    this.random = options.random
    this.emit = options.emit
    this.service = options.service
    const { flowLimit = FLOW_LIMIT, emcEntries = flowLimit } = options
    this.flows = new MegaflowTable(flowLimit, options.random() | 0, this)
    this.cache = new FlowCache(emcEntries, this.flows, options.random() | 0)
    this.captures = new Captures(this)
    this.qos = new Qos(this, MAX_PORTS)
    this.samples = new Samples(this)
    this.routers = options.routers(this)
    this.topology = newTopology(this, this.routers.conntrack, this.random)
    this.#sweep = new Sweep(this.flows, this.topology)
    this.#packetIns = new PacketIns(this, options.packetIn)
    this.ctOperations = new CtSlowPath(this, this.routers.conntrack, this.topology.tracker)
    this.#xlate = new Xlate(this.topology, this.routers)
  }

  /** Joins a device to a port number, or parts them. */
  setDevice(portNo: number, device: Netdev | undefined): void {
    this.#devices[portNo] = device
  }

  device(portNo: number): Netdev | undefined {
    return this.#devices[portNo]
  }

  /** Forwards the first `count` packets of a burst that came in by a port, and frees them. */
  receive(burst: Uint32Array, count: number, portNo: number): void {
    if (this.captures.active[portNo] === 1) {
      for (let i = 0; i < count; i++) this.captures.record(portNo, burst[i], 'in')
    }
    const admitted = this.qos.ingress[portNo] === 1 ? this.qos.admit(portNo, burst, count) : count
    const { cache, flows, pool } = this
    const { keys, words, hashes, again } = this.#burst
    this.#burst.read(pool, burst, admitted, portNo, cache)
    let f = -1
    let generation = 0
    for (let i = 0; i < admitted; i++) {
      const h = burst[i]
      if (again[i] === 1 && f >= 0 && flows.records.generation(f) === generation) cache.emcHits++
      else {
        f = this.#flowOf(h, keys, i * KEY_WORDS, words[i], hashes[i])
        if (f >= 0) generation = flows.records.generation(f)
      }
      if (f >= 0) this.#run(h, f, keys[i * KEY_WORDS + W_L4] >>> 16)
      pool.free(h)
    }
    flows.programs.release()
  }

  /** Looks up a single packet, fresh from a port or (`id`) of a translation that goes on, and does what its flow says. */
  #forward(h: number, portNo: number, id: number, packetType: number): void {
    const key = this.#key
    const words = extract(this.pool, h, portNo, key, 0, packetType)
    key[W_RECIRC] = id
    const f = this.#flowOf(h, key, 0, words, this.cache.hash(key, 0, words))
    if (f >= 0) this.#run(h, f, key[W_L4] >>> 16)
  }

  /** The megaflow of a packet whose key of `words` words stands at `at`, or -1 when it has been dealt with. */
  #flowOf(h: number, keys: Uint32Array, at: number, words: number, hash: number): number {
    if (words === 0) {
      this.drop(DROP_RX_SHORT, h)
      return -1
    }
    const known = this.cache.lookup(keys, at, words, hash)
    if (known >= 0) return known
    if (keys !== this.#key) for (let i = 0; i < KEY_WORDS; i++) this.#key[i] = keys[at + i]
    const f = this.#upcall(h, words)
    if (f >= 0) this.cache.remember(keys, at, words, hash, f)
    return f
  }

  /** Does what its flow says to a packet. */
  #run(h: number, f: number, tcpFlags: number): void {
    const flows = this.flows
    const program = flows.records.use(f, this.pool.len[h], this.now)
    if (tcpFlags !== 0) flows.records.noteFlags(f, tcpFlags)
    // What it does, or leads to, may end its flow while it has more to do.
    flows.programs.held = true
    execute(this, flows.code, program, h)
  }

  /** Translates the packet whose key stands in `#key`; its new megaflow, or -1 when it has been dealt with. */
  #upcall(h: number, words: number): number {
    this.upcalls++
    const x = this.#xlate
    x.begin(this.#key, words, h, this.now)
    const id = this.#key[W_RECIRC]
    if (id !== 0) resume(x, id, CT_FINE)
    else {
      const port = this.topology.port(this.#key[W_IN_PORT])
      if (port === undefined) {
        this.drop(DROP_PORT_DOWN, h)
        return -1
      }
      x.enterBridge(port)
    }
    x.end()
    const f = keepTranslation(this.flows, this.#key, x, this.now)
    if (f >= 0) this.flows.discount(f, this.pool.len[h])
    else this.#runUncached(h)
    return f
  }

  /** Runs the program the translation has just written, from a piece of scratch that nobody else uses. */
  #runUncached(h: number): void {
    if (this.#nesting === MAX_NESTING) {
      this.drop(DROP_SLOW_BUSY, h)
      return
    }
    const { counters, counterCount } = this.#xlate
    for (let i = 0; i < counterCount; i++) counters[i].credit(1, this.pool.len[h], this.now)
    const { code, length } = this.#xlate.program
    const at = this.#nesting * MAX_PROGRAM
    for (let i = 0; i < length; i++) this.#scratch[at + i] = code[i]
    this.#nesting++
    execute(this, this.#scratch, at, h)
    this.#nesting--
  }

  /** Begins the translation of a packet that did not come by a port; false when it cannot be. */
  #beginInjected(h: number, portNo: number, packetType = PT_ETHERNET): boolean {
    // The key of the packet under way may still be wanted; this one is copied before anything else happens.
    const key = this.#injectedKey
    const words = extract(this.pool, h, portNo, key, 0, packetType)
    if (words === 0) {
      this.drop(DROP_RX_SHORT, h)
      return false
    }
    this.#xlate.begin(key, words, h, this.now)
    return true
  }

  enterRouter(h: number, iface: number): void {
    if (!this.#beginInjected(h, this.pool.inPort[h])) return
    this.#xlate.enterRouter(iface)
    this.#xlate.end()
    this.#runUncached(h)
  }

  leaveRouter(h: number, iface: number): void {
    const port = this.routers.portOf(iface)
    if (port === undefined) this.drop(DROP_PORT_DOWN, h)
    else if (this.#nesting === MAX_NESTING) this.drop(DROP_SLOW_BUSY, h)
    else {
      this.pool.inPort[h] = port.portNo
      this.#nesting++
      this.#forward(h, port.portNo, 0, PT_ETHERNET)
      this.#nesting--
    }
  }

  output(portNo: number, h: number): void {
    this.enqueue(portNo, 0, h)
  }

  enqueue(portNo: number, queue: number, h: number): void {
    if (this.qos.egress[portNo] === 1) this.qos.enqueue(portNo, queue, h)
    else this.send(portNo, h)
  }

  send(portNo: number, h: number): number {
    const device = this.#devices[portNo]
    if (device !== undefined && this.captures.active[portNo] === 1) this.captures.record(portNo, h, 'out')
    const reason = device === undefined ? DROP_PORT_DOWN : transmit(this.pool, device, h)
    if (reason !== 0) this.drop(reason, h)
    return reason
  }

  drop(reason: number, h: number): void {
    this.drops.counts[reason]++
    const portNo = this.pool.inPort[h]
    if (this.captures.active[portNo] === 1) this.captures.recordDrop(portNo, h, reason)
  }

  slow(reason: number, arg: number, h: number): void {
    this.routers.slow(reason, arg, h)
  }

  track(connection: number, direction: number, h: number): boolean {
    return this.routers.track(connection, direction, h)
  }

  bridgeChanged(bridge: Bridge): void {
    this.touch(tagOf(TAG_BRIDGE, bridge.index, 0, 0))
  }

  trackInZone(connection: number, direction: number, h: number): boolean {
    return this.routers.track(connection, direction, h) && !this.routers.conntrack.ignored
  }

  meter(slot: number, h: number): boolean {
    return this.meters.pass(slot, packetCount(this.pool, h), this.pool.len[h], this.now)
  }

  controller(id: number, h: number): void {
    this.#packetIns.send(id, h)
  }

  sample(code: Int32Array, pc: number, h: number): void {
    this.samples.take(code, pc, h)
  }

  /** A second look at the packet. */
  recirculate(id: number, packetType: number, h: number): void {
    if (this.#recirculations === MAX_RECIRCULATIONS) {
      this.drop(DROP_RECIRC, h)
      return
    }
    this.#recirculations++
    this.recirculations++
    this.#forward(h, this.pool.inPort[h], id, packetType)
    this.#recirculations--
  }

  resume(id: number, h: number, ctInvalid: number, ctWhole?: Uint32Array): void {
    if (!this.#beginInjected(h, this.pool.inPort[h], packetTypeOf(this.topology.frozen.get(id)))) return
    resume(this.#xlate, id, ctInvalid, ctWhole)
    this.#xlate.end()
    this.#runUncached(h)
  }

  trackWhole(id: number, h: number): Uint32Array | undefined {
    if (!this.#beginInjected(h, this.pool.inPort[h])) return undefined
    return resumeWhole(this.#xlate, id)
  }

  /**
   * Translates a packet of the control side's, which stays the caller's.
   * @param portNo by which it is said to have come
   * @param translate whether what it has made of the packet is to be run
   */
  inject(h: number, portNo: number, translate: (x: Xlate) => boolean, packetType = PT_ETHERNET): void {
    this.pool.inPort[h] = portNo
    if (!this.#beginInjected(h, portNo, packetType)) return
    const runs = translate(this.#xlate)
    this.#xlate.end()
    if (runs) this.#runUncached(h)
  }

  touch(tag: number): void {
    // A translation under way may have looked at it (the first calls come before there is one).
    this.#xlate?.touched(tag)
    this.flows.touch(tag)
  }

  rulesChanged(tag: number, match: Match): void {
    this.#xlate.touched(tag)
    if (this.#comparisons > 0) this.#comparisons -= this.flows.touchMatching(tag, match)
    else this.flows.touch(tag)
  }

  ruleRemoved(bridge: number, rule: Rule, match: MiniMatch, reason: FlowRemovedReason): void {
    const from = this.topology.bridgesByIndex[bridge]
    if (from !== undefined) announceRemoval(this, from.spec.name, rule, match, reason, from.tables.tlv)
  }

  vacancyChanged(bridge: number, table: FlowTable, reason: 'vacancy_down' | 'vacancy_up'): void {
    const name = this.topology.bridgesByIndex[bridge]?.spec.name
    if (name !== undefined) announceVacancy(this, name, table, reason)
  }

  lastUsed(tag: number): Instant {
    return this.flows.lastUsed(tag)
  }

  stationChanged(tag: number): void {
    this.touch(tag)
  }

  stationHeard(station: number, mac: number, at: Instant): void {
    const bridge = this.topology.bridgesByIndex[bridgeOfStation(station)]
    bridge?.fdb.heard(vlanOfStation(station), mac, at)
  }

  lastHeard(tag: number, station: number, mac: number): Instant {
    return this.flows.lastHeard(tag, station, mac)
  }

  /** Does what is due: ageing of stations and flows, and all that routers wait for. */
  poll(now: Instant): void {
    this.now = now
    this.qos.poll(now)
    if (this.#sweep.poll(now)) this.#comparisons = COMPARISONS
    this.routers.poll(now)
    this.ctOperations.poll(now)
    this.captures.flush()
    this.samples.flush()
  }

  /** When `poll` is to be called next. */
  pollAt(): Instant {
    const ours = earlier(earlier(this.#sweep.next, this.routers.pollAt()), this.ctOperations.pollAt())!
    return Math.min(ours, this.qos.pollAt())
  }
}
