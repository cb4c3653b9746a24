/**
 * An OpenFlow switch in the plainest words: tables are lists of rules sorted by priority, a packet is compared
 * with one after the other, actions change its bytes as they come. Written from ovs-fields(7), ovs-actions(7)
 * and OpenFlow 1.5.1 §5; nothing is cached, hashed or put off. Rules are records of its own and not those of
 * the engine.
 */
import type { RefNetwork } from './bridge.ts'
import { RefPacket } from './openflow-packet.ts'

export interface RefField {
  readonly field: string
  readonly value: bigint
  readonly mask: bigint
}
export interface RefSubfield {
  readonly field: string
  readonly ofs: number
  readonly bits: number
}
export type RefPort = number | 'IN_PORT' | 'NORMAL' | 'ALL' | 'FLOOD'
export type RefAction =
  | { readonly do: 'output'; readonly port: RefPort }
  | { readonly do: 'output_reg'; readonly src: RefSubfield }
  | ({ readonly do: 'set' } & RefField)
  | { readonly do: 'move'; readonly src: RefSubfield; readonly dst: RefSubfield }
  | { readonly do: 'push' | 'pop'; readonly at: RefSubfield }
  | { readonly do: 'mod_vlan_vid' | 'mod_vlan_pcp'; readonly value: number }
  | { readonly do: 'push_vlan'; readonly tpid: number }
  | { readonly do: 'strip_vlan' | 'dec_ttl' | 'clear_actions' | 'exit' }
  | { readonly do: 'resubmit'; readonly port: number | undefined; readonly table: number }
  | { readonly do: 'goto_table'; readonly table: number }
  | { readonly do: 'write_actions' | 'clone'; readonly actions: readonly RefAction[] }
  | { readonly do: 'write_metadata'; readonly value: bigint; readonly mask: bigint }
  | { readonly do: 'group'; readonly group: number }

export interface RefFlow {
  readonly table: number
  readonly priority: number
  readonly match: readonly RefField[]
  readonly actions: readonly RefAction[]
}
export interface RefRule extends RefFlow {
  packets: number
  bytes: number
}
export interface RefGroup {
  readonly type: 'all' | 'indirect'
  readonly buckets: readonly (readonly RefAction[])[]
}

/** Thrown to end a translation that went too deep: the packet is dropped whole. */
class TooDeep extends Error {}

const SETS: ReadonlySet<string> = new Set(['set', 'move', 'mod_vlan_vid', 'mod_vlan_pcp'])

const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n

/** Whether two matches are the same one, whatever the order. */
export function sameMatch(a: readonly RefField[], b: readonly RefField[]): boolean {
  const canonical = (m: readonly RefField[]) =>
    m
      .filter((f) => f.mask !== 0n)
      .map((f) => `${f.field}=${f.value & f.mask}/${f.mask}`)
      .sort()
      .join()
  return canonical(a) === canonical(b)
}

/** One packet on its way. */
class Journey {
  readonly #bridge: RefOpenflow
  readonly #length: number
  packet: RefPacket
  actionSet: RefAction[] = []
  #stack: bigint[] = []
  #exited = false
  #steps = 0
  readonly out: string[] = []

  constructor(bridge: RefOpenflow, packet: RefPacket) {
    this.#bridge = bridge
    this.packet = packet
    this.#length = packet.bytes.length
  }

  run(): void {
    this.table(0, this.packet.inPort, 0)
    if (!this.#exited) this.#runSet(this.actionSet, 0)
  }

  table(table: number, inPort: number, depth: number): void {
    if (depth > 64 || ++this.#steps > 4096) throw new TooDeep()
    const rule = this.#bridge.lookup(table, this.packet, inPort)
    if (rule === undefined) return
    rule.packets++
    rule.bytes += this.#length
    this.list(rule.actions, table, depth)
  }

  list(actions: readonly RefAction[], table: number, depth: number): void {
    for (const action of actions) {
      if (this.#exited) return
      if (!this.#one(action, table, depth)) return
    }
  }

  /** false: the rest of the list is not carried out. */
  #one(a: RefAction, table: number, depth: number): boolean {
    const p = this.packet
    switch (a.do) {
      case 'output':
        this.#output(a.port)
        break
      case 'output_reg':
        this.#output(Number(this.#read(a.src)))
        break
      case 'set':
        p.set(a.field, a.value, a.mask)
        break
      case 'move':
        this.#write(a.dst, this.#read(a.src))
        break
      case 'push':
        this.#stack.push(this.#read(a.at))
        break
      case 'pop': {
        const value = this.#stack.pop()
        if (value !== undefined) this.#write(a.at, value)
        break
      }
      case 'mod_vlan_vid':
      case 'mod_vlan_pcp':
        // "Adds an 802.1Q header if the packet has none."
        if (!p.tagged) p.pushVlan(0x8100)
        if (a.do === 'mod_vlan_vid') p.set('vlan_vid', BigInt(a.value), 0xfffn)
        else p.set('vlan_pcp', BigInt(a.value), 7n)
        break
      case 'push_vlan':
        p.pushVlan(a.tpid)
        break
      case 'strip_vlan':
        p.popVlan()
        break
      case 'dec_ttl': {
        const ttl = p.get('nw_ttl')
        if (ttl === undefined) break
        if (ttl <= 1n) return false
        p.set('nw_ttl', ttl - 1n, 0xffn)
        break
      }
      case 'resubmit':
        this.table(a.table, a.port ?? p.inPort, depth + 1)
        break
      case 'goto_table':
        this.table(a.table, p.inPort, depth)
        break
      case 'write_actions':
        for (const action of a.actions) this.#writeAction(action)
        break
      case 'clear_actions':
        this.actionSet = []
        break
      case 'write_metadata':
        p.set('metadata', a.value, a.mask)
        break
      case 'clone': {
        // Open vSwitch: the copy has the action set too, and carries it out when its own actions are done; an
        // exit ends what is outside as well.
        let exited = false
        this.#aside(() => {
          this.list(a.actions, table, depth)
          if (!this.#exited) this.#runSet(this.actionSet, depth)
          exited = this.#exited
        })
        this.#exited = exited
        break
      }
      case 'group': {
        const group = this.#bridge.groups.get(a.group)
        for (const bucket of group?.buckets ?? []) this.#aside(() => this.#runSet(bucket, depth))
        break
      }
      case 'exit':
        this.#exited = true
        break
    }
    return true
  }

  /** What is done in here has no effect on the packet outside. */
  #aside(what: () => void): void {
    const saved = [this.packet, this.actionSet, this.#stack, this.#exited] as const
    this.packet = this.packet.copy()
    this.actionSet = [...this.actionSet]
    this.#stack = [...this.#stack]
    what()
    ;[this.packet, this.actionSet, this.#stack, this.#exited] = saved
  }

  /** One action of each kind; fields are kinds of their own. */
  #writeAction(action: RefAction): void {
    this.actionSet.push(action)
  }

  /** OpenFlow 1.5.1 §5.6; a set without output does nothing. */
  #runSet(set: readonly RefAction[], depth: number): void {
    const last = (kind: string) => set.filter((a) => a.do === kind).slice(-1)
    const group = last('group')
    const final = group.length > 0 ? group : last('output').length > 0 ? last('output') : last('resubmit')
    if (final.length === 0) return
    const sets = set.filter((a) => SETS.has(a.do))
    this.list([...last('strip_vlan'), ...last('push_vlan'), ...last('dec_ttl'), ...sets, ...final], 0, depth)
  }

  #read({ field, ofs, bits }: RefSubfield): bigint {
    return ((this.packet.get(field) ?? 0n) >> BigInt(ofs)) & ones(bits)
  }

  #write({ field, ofs, bits }: RefSubfield, value: bigint): void {
    this.packet.set(field, (value & ones(bits)) << BigInt(ofs), ones(bits) << BigInt(ofs))
  }

  #output(port: RefPort): void {
    const { packet } = this
    if (port === 'NORMAL') this.out.push(...this.#bridge.normal(packet))
    else if (port === 'IN_PORT') this.#leave(packet.inPort)
    else if (typeof port === 'number') {
      // "output to the packet's input port is ignored" but for IN_PORT.
      if (port !== packet.inPort) this.#leave(port)
    } else for (const other of this.#bridge.ports.keys()) if (other !== packet.inPort) this.#leave(other)
  }

  #leave(port: number): void {
    const name = this.#bridge.ports.get(port)
    if (name !== undefined) this.out.push(`${name} ${Buffer.from(this.packet.bytes).toString('hex')}`)
  }
}

export class RefOpenflow {
  /** Sorted: of rules that match, the first counts. */
  rules: RefRule[] = []
  readonly groups = new Map<number, RefGroup>()
  /** Names by OpenFlow port number. */
  readonly ports = new Map<number, string>()
  /** What NORMAL does; undefined where no flow uses it. */
  network: RefNetwork | undefined
  now = 0

  add(flow: RefFlow): void {
    this.rules = this.rules.filter((r) => !this.#same(r, flow))
    this.rules.push({ ...flow, packets: 0, bytes: 0 })
    this.rules.sort((a, b) => b.priority - a.priority)
  }

  #same(a: RefFlow, b: RefFlow): boolean {
    return a.table === b.table && a.priority === b.priority && sameMatch(a.match, b.match)
  }

  deleteStrict(flow: RefFlow): void {
    this.rules = this.rules.filter((r) => !this.#same(r, flow))
  }

  /** New actions, old counters. */
  modifyStrict(flow: RefFlow): void {
    this.rules = this.rules.map((r) => (this.#same(r, flow) ? { ...r, actions: flow.actions } : r))
  }

  /** All rules of a table that are about no other packets than the match. */
  deleteLoose(table: number, match: readonly RefField[]): void {
    this.rules = this.rules.filter((r) => r.table !== table || !match.every((f) => covered(r, f)))
  }

  lookup(table: number, packet: RefPacket, inPort: number): RefRule | undefined {
    const value = (f: RefField) => (f.field === 'in_port' ? BigInt(inPort) : packet.seen(f.field))
    return this.rules.find(
      (r) => r.table === table && r.match.every((f) => (value(f) & f.mask) === (f.value & f.mask)),
    )
  }

  normal(packet: RefPacket): string[] {
    return this.network!.send(this.ports.get(packet.inPort)!, packet.bytes, this.now)
  }

  /** What leaves by which port ("name hex", sorted) when a frame comes in by a port. */
  send(inPort: number, frame: Uint8Array): string[] {
    const journey = new Journey(this, new RefPacket(frame, inPort))
    try {
      journey.run()
    } catch (error) {
      if (error instanceof TooDeep) return []
      throw error
    }
    return journey.out.sort()
  }
}

function covered(rule: RefFlow, f: RefField): boolean {
  const own = rule.match.filter((o) => o.field === f.field)
  const mask = own.reduce((m, o) => m | o.mask, 0n)
  const value = own.reduce((v, o) => v | (o.value & o.mask), 0n)
  return (mask & f.mask) === f.mask && (value & f.mask) === (f.value & f.mask)
}
