/**
 * What the actions of one bridge share while a packet is in it: where in the tables the packet is, the stack,
 * the action set, and whether it goes on.
 */
import type { ControllerAction, OfAction } from '../../protocols/openflow/action.ts'
import { CT_FINE } from './connection-tracker.ts'
import type { Rule } from './rule.ts'
import type { Bridge } from './topology.ts'
import type { Xlate } from './xlate.ts'

/** The table of packets that no table has seen yet: packet-outs. */
export const NO_TABLE = 0xff
/** The cookie of packets that no rule has sent to the controller. */
export const NO_COOKIE = 0xffff_ffff_ffff_ffffn
/** Subfields on the stack at the most; Open vSwitch allows 64 KiB. */
export const MAX_STACK = 4096

/** A subfield's value as it lies on the stack: 32-bit words, the most significant first. */
export interface StackFrame {
  readonly nBits: number
  readonly words: Uint32Array
}

/** What is left of a list of actions when the packet's headers must be read anew. */
export interface Remainder {
  readonly table: number
  readonly cookie: bigint
  readonly actions: readonly OfAction[]
}

export class ActionContext {
  readonly x: Xlate
  bridge!: Bridge
  table = 0
  /** Whose actions are carried out; none for a packet-out. */
  rule: Rule | undefined
  cookie = NO_COOKIE
  stack: StackFrame[] = []
  /** In order of arrival; see action-set.ts. */
  actionSet: OfAction[] = []
  /** An exit action was met. */
  exited = false
  inActionSet = false
  inGroup = false
  inPacketOut = false
  /** The last label was popped: what follows Ethernet has not been read. */
  mplsPopped = false
  /** What the tracker has found wrong with this packet (CT_*); the next ct() says so. */
  ctInvalid = CT_FINE
  /** The flow of the whole datagram as the next ct() has left it, of which the packet is a fragment. */
  ctWhole: Uint32Array | undefined
  /** The packet is a fragment: what remains waits until all are there, in this zone. */
  collectIn: number | undefined
  /** Headers must be read anew before anything else: what remains is collected here. */
  frozen: Remainder[] | undefined
  /** Not only that: a controller is to say when what remains is to be done. */
  pause: ControllerAction | undefined

  constructor(x: Xlate) {
    this.x = x
  }

  /** A packet has entered a bridge; nothing is left of what was known of another. */
  begin(bridge: Bridge): void {
    this.bridge = bridge
    this.x.fields = bridge.tables.tlv.fields
    this.table = 0
    this.rule = undefined
    this.cookie = NO_COOKIE
    if (this.stack.length > 0) this.stack = []
    if (this.actionSet.length > 0) this.actionSet = []
    this.exited = false
    this.inActionSet = false
    this.inGroup = false
    this.inPacketOut = false
    this.mplsPopped = false
    this.ctInvalid = CT_FINE
    this.ctWhole = undefined
    this.collectIn = undefined
    this.frozen = undefined
    this.pause = undefined
  }

  /** A line of the trace, below the action that it is about. */
  note(text: string): void {
    this.x.trace?.note(this.x.level, text)
  }
}

/** The contexts of a translation, which the next one uses again. */
export class ActionContexts {
  readonly #x: Xlate
  readonly #all: ActionContext[] = []
  #taken = 0

  constructor(x: Xlate) {
    this.#x = x
  }

  reset(): void {
    this.#taken = 0
  }

  /** For a bridge that the packet has entered; good until the next translation begins. */
  take(bridge: Bridge): ActionContext {
    if (this.#taken === this.#all.length) this.#all.push(new ActionContext(this.#x))
    const context = this.#all[this.#taken++]
    context.begin(bridge)
    return context
  }
}
