/**
 * A translation in progress: from a flow key to an action program, and from there to a megaflow.
 *
 * The translation walks bridges, patch ports and routers with `flow`, the headers as rewritten so far, and
 * remembers in `wc` every bit of the key it looked at. Rewrites are not written out one by one: `base` holds
 * the headers as the program has left them, and `commit` emits the difference when a packet is about to be
 * seen by somebody (an output, the slow path). What it looked at outside the packet it notes as tags.
 *
 * With `sideEffects` off (trace, dump) it must change nothing: learn nothing, create no connection, send
 * nothing.
 */

import {
  FLAG_FRAG,
  FLAG_INNER_AD,
  FLAG_LATER,
  FLAG_OUTER_AD,
  FLOW_WORDS,
  KEY_WORDS,
  VLAN_PRESENT,
  W_NW,
  W_RECIRC,
  W_SKB_PRIORITY,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'
import { FIELDS } from '../../protocols/meta-flow.ts'
import type { OfAction } from '../../protocols/openflow/action.ts'
import { isIp } from '../../protocols/openflow/prerequisites.ts'
import type { Instant } from '../../protocols/time.ts'
import { markSent } from '../actions/mark-sent.ts'
import {
  OP_CHECK_IP,
  OP_CHECK_MTU,
  OP_CHECK_TTL,
  OP_CT,
  OP_DEC_TTL,
  OP_DROP,
  OP_ENQUEUE,
  OP_OUTPUT,
  OP_SLOW,
} from '../actions/ops.ts'
import { ProgramBuilder } from '../actions/program-builder.ts'
import { Footprints } from '../classifier/footprints.ts'
import { DROP_RESUBMITS } from '../drops.ts'
import { nwTtl } from '../flow/fields.ts'
import { ActionContexts } from './action-context.ts'
import { bridgeInput } from './bridge-input.ts'
import { commit } from './commit.ts'
import type { PendingHeader } from './commit-packet-type.ts'
import { FlowStack } from './flow-stack.ts'
import type { PacketCounter } from './packet-counter.ts'
import type { Rule } from './rule.ts'
import { TagNotes } from './tag-notes.ts'
import type { SwitchPort, Topology } from './topology.ts'
import { depthOf, putTagsInKey, tagsOfKey, type VlanStack } from './vlan-stack.ts'

/** Bridges, routers, tables and groups that one packet may pass, as MAX_DEPTH in Open vSwitch. */
export const MAX_DEPTH = 64
/** Bridges, routers and tables that all copies of one packet may pass together, as MAX_RESUBMITS in Open vSwitch. */
export const MAX_RESUBMITS = MAX_DEPTH * MAX_DEPTH

/** The part of a translation that happens inside routers. */
export interface RouterStage {
  /** A packet has reached the router's interface with this index; `x.flow` holds it, untagged. */
  input(x: Xlate, iface: number): void
}

/** Told, step by step, what a translation does; for `trace`. */
export interface TraceSink {
  /** A packet enters a bridge; what is told at its level from then on happens in there. So with `table`, `heading` and `bucket`. */
  bridge(level: number, name: string): void
  /** A table was looked into; undefined: no rule was found. */
  table(level: number, id: number, rule: Rule | undefined): void
  /** A part of its own begins: the action set, a router. */
  heading(level: number, text: string): void
  bucket(level: number, id: number): void
  action(level: number, action: OfAction): void
  /** What the action set has become, or was before it was emptied. */
  actionSet(level: number, verb: 'is' | 'was', actions: readonly OfAction[]): void
  /** A packet leaves a bridge's tables like this. */
  final(flow: Uint32Array): void
  note(level: number, text: string): void
  /** In which state the connection is to be said to be; undefined for what is known of it. */
  connectionState(): number | undefined
}

const TYPE_BITS = 0xffff_0000
/** What `fill` and setting a `length` do is done outside of compiled code, and costs more than a few words copied. */
const NOTHING = new Uint32Array(FLOW_WORDS)

export class Xlate {
  /** The fields as the bridge that the packet is in knows them. */
  fields = FIELDS
  /** FLOW_WORDS words, the key and behind it what a packet carries from table to table. */
  readonly flow = new Uint32Array(FLOW_WORDS)
  readonly base = new Uint32Array(FLOW_WORDS)
  /** Packets as they were where they will be taken up again. */
  readonly kept = new FlowStack(this.flow)
  /** Only the words of the key matter to the megaflow: what is behind them is the same for every packet. */
  readonly wc = new Uint32Array(FLOW_WORDS)
  /** The key as it was at the beginning. */
  readonly origin = new Uint32Array(KEY_WORDS)
  /** Words of the key, by bit, that differed from it at some lookup of a rule. */
  rewritten = 0
  /** What the lookup under way has found. */
  readonly prints = new Footprints()
  /** What counts the packets of this flow; the first `counterCount` are valid. */
  readonly counters: PacketCounter[] = []
  counterCount = 0
  readonly program = new ProgramBuilder()
  /** VLAN tags of the packet as `flow` describes it, and as the program has left it; see vlan-stack.ts. */
  vlans: VlanStack
  baseVlans: VlanStack
  /** The header that was put in front of the packet or taken off it, and that the program has yet to. */
  pending: PendingHeader | undefined
  /** What outside the packet was looked at. */
  readonly notes = new TagNotes()
  /** False when the program holds for this packet only. */
  cacheable = true
  sideEffects = true
  /** The packet itself, or -1 when there is only a key (trace). */
  handle = -1
  now: Instant = 0
  /** How deep the packet is in bridges, routers, groups and tables that led back or nowhere further. */
  depth = 0
  /** How deep what happens now stands in what is told of it; for `trace`. */
  level = 0
  /** Bridges, routers and tables entered so far. */
  resubmits = 0
  /** Why the translation came to no end: nothing is done with the packet but counting it. */
  failure: string | undefined
  /** Outputs and slow-path hand-overs emitted so far. */
  outputs = 0
  /** Samples are taken of the packet; see sampling.ts. */
  sampled = false
  /** Operations emitted that no later one can undo (TTL, connection tracking); see `emitIrreversible`. */
  irreversible = 0
  /** The first reason given for dropping, counted if nothing else becomes of the packet. */
  dropReason = 0
  trace: TraceSink | undefined
  /** What is to be done when the packet has been through everything: rules to learn. */
  readonly afterwards: (() => void)[] = []

  /** Of the bridges that the packet has entered. */
  readonly contexts = new ActionContexts(this)
  readonly topology: Topology
  readonly routers: RouterStage

  constructor(topology: Topology, routers: RouterStage) {
    this.topology = topology
    this.routers = routers
  }

  /** Begins the translation of a key of `words` words. */
  begin(key: Uint32Array, words: number, handle: number, now: Instant): void {
    this.flow.set(NOTHING)
    for (let i = 0; i < words; i++) this.flow[i] = key[i]
    this.base.set(this.flow)
    this.wc.set(NOTHING)
    // Behind a number stands a translation of its own.
    this.wc[W_RECIRC] = 0xffff_ffff
    // As in Open vSwitch, whose flows are dumped and compared, a flow is of one type, and of datagrams or fragments.
    this.wc[W_TYPE] = isIp(key[W_TYPE] >>> 16) ? TYPE_BITS | FLAG_FRAG | FLAG_LATER : TYPE_BITS
    for (let i = 0; i < KEY_WORDS; i++) this.origin[i] = this.flow[i]
    this.rewritten = 0
    this.counterCount = 0
    this.vlans = tagsOfKey(this.flow)
    this.baseVlans = this.vlans
    this.pending = undefined
    this.program.reset()
    this.notes.reset()
    this.cacheable = true
    this.sideEffects = true
    this.handle = handle
    this.now = now
    this.depth = 0
    this.level = 0
    this.resubmits = 0
    this.failure = undefined
    this.outputs = 0
    this.sampled = false
    this.irreversible = 0
    this.dropReason = 0
    this.trace = undefined
    if (this.afterwards.length > 0) this.afterwards.length = 0
    this.contexts.reset()
  }

  /** Ends it: a program that does nothing says why. */
  end(): void {
    for (const action of this.afterwards) action()
    if (this.failed) {
      // What it did before it failed is undone, so that a loop multiplies no frame; as in Open vSwitch.
      this.program.reset()
      this.program.op1(OP_DROP, this.dropReason)
      this.cacheable = true
    } else if (this.outputs === 0 && this.dropReason !== 0) this.program.op1(OP_DROP, this.dropReason)
    if (this.sampled) markSent(this.program)
    if (this.program.overflow || this.notes.overflow) this.cacheable = false
    this.program.end()
  }

  get failed(): boolean {
    return this.failure !== undefined
  }

  /**
   * Gives the translation up.
   * @param report what is told where it happened, unless that has been told
   * @param reason of the drop
   */
  fail(failure: string, report: string | undefined, reason = DROP_RESUBMITS): void {
    if (report !== undefined) this.trace?.note(this.level, ` >>>> ${report} <<<<`)
    this.dropReason = reason
    this.failure = failure
  }

  /** Notes that the decision depends on these bits of the key. */
  look(word: number, mask: number): void {
    this.wc[word] = (this.wc[word] | mask) >>> 0
  }

  /** Notes that the decision depends on the thing behind this tag. */
  tag(tag: number): void {
    this.notes.add(tag)
  }

  /** Notes that packets of this flow count towards something. */
  credit(counter: PacketCounter): void {
    this.counters[this.counterCount++] = counter
  }

  /**
   * Notes that the decision depends on a station, under its tag, and that the packet is one of that station's:
   * as long as flows carry such packets it is being heard.
   * @param station as `stationOf` gives it
   */
  tagStation(tag: number, station: number): void {
    this.notes.addStation(tag, station)
  }

  /** Something behind a tag changed. A decision under way that has already looked at it must not be kept. */
  touched(tag: number): void {
    if (this.notes.has(tag)) this.cacheable = false
  }

  /**
   * Gives the packet other VLAN tags. What they are made of the caller has looked at; but where tags are put on or
   * taken off the others move to other places of the key, so that from then on all of them must be known.
   */
  setVlans(stack: VlanStack): void {
    if (depthOf(stack) !== depthOf(this.vlans)) this.#lookAtTags()
    this.vlans = stack
    putTagsInKey(this.flow, stack)
  }

  /** All tags, or that there is none. */
  #lookAtTags(): void {
    const { origin } = this
    if ((origin[W_VLAN] & (VLAN_PRESENT << 16)) === 0) {
      this.look(W_VLAN, VLAN_PRESENT << 16)
      return
    }
    this.look(W_VLAN, 0xffff_ffff)
    this.look(W_TYPE, FLAG_OUTER_AD | FLAG_INNER_AD)
  }

  /** The packet's way ends here. The first reason counts, and only if no branch went further. */
  drop(reason: number): void {
    if (this.dropReason === 0) this.dropReason = reason
  }

  /** Writes pending rewrites to the program, so that what follows sees the packet as `flow` describes it. */
  commit(): void {
    commit(this)
  }

  /** Sends the packet, as `flow` describes it, out of a datapath port by the queue that was set. */
  output(portNo: number): void {
    commit(this)
    const queue = this.flow[W_SKB_PRIORITY]
    if (queue === 0) this.program.op1(OP_OUTPUT, portNo)
    else this.program.op2(OP_ENQUEUE, portNo, queue)
    this.outputs++
  }

  /** Lends the packet, as `flow` describes it, to the slow path (SLOW_*). */
  slow(reason: number, arg: number): void {
    commit(this)
    this.program.op2(OP_SLOW, reason, arg)
    this.outputs++
  }

  /** A wrong IPv4 header checksum ends the packet's way (RFC 1812 §5.2.2). */
  checkIp(iface: number): void {
    this.program.op1(OP_CHECK_IP, iface)
    this.irreversible++
  }

  /** A TTL about to run out sends the packet, as it is after the last commit, to SLOW_TTL_EXPIRED. */
  checkTtl(iface: number): void {
    this.program.op1(OP_CHECK_TTL, iface)
    this.irreversible++
  }

  /** Counts the TTL, known to be above 1, down by one. */
  decTtl(): void {
    this.program.op(OP_DEC_TTL)
    this.irreversible++
    // Rules further on see it; of what it was nothing is known unless they look.
    if (nwTtl(this.flow) === 0) return
    this.flow[W_NW] = this.flow[W_NW] - 0x0100
    this.base[W_NW] = this.base[W_NW] - 0x0100
  }

  /** A datagram longer than `mtu` goes, as it is after the last commit, to SLOW_TOO_BIG. */
  checkMtu(mtu: number, iface: number): void {
    this.program.op2(OP_CHECK_MTU, mtu, iface)
    this.irreversible++
  }

  /** Shows the packet, as it is after the last commit, to the connection tracker: now, or where the program stood `at`. */
  track(connection: number, direction: number, iface: number, at = this.program.length): void {
    this.program.insert3(at, OP_CT, connection, direction, iface)
    this.irreversible++
  }

  /** The packet enters a bridge by a port: a device, the far end of a patch, or a router's interface. */
  enterBridge(port: SwitchPort): void {
    if (this.depth > 0 && !this.mayEnter()) return
    this.#descend()
    bridgeInput(this, port)
    this.#ascend()
  }

  /** The packet reaches a router's interface. */
  enterRouter(iface: number): void {
    if (!this.mayEnter()) return
    this.resubmits++
    this.#descend()
    this.routers.input(this, iface)
    this.#ascend()
  }

  /** Does something one level deeper in what the packet has entered. */
  deepen(body: () => void): void {
    this.#descend()
    body()
    this.#ascend()
  }

  #descend(): void {
    this.depth++
    this.level++
  }

  #ascend(): void {
    this.level--
    this.depth--
  }

  /** Whether the packet may enter one more bridge, router, table or group; in a loop of those it may not for ever. */
  mayEnter(): boolean {
    if (this.depth > MAX_DEPTH) this.fail('Recursion too deep', `over max translation depth ${MAX_DEPTH}`)
    else if (this.resubmits > MAX_RESUBMITS) {
      this.fail('Too many resubmits', `over ${MAX_RESUBMITS} resubmit actions`)
    }
    return !this.failed
  }
}
