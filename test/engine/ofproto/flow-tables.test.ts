/**
 * The cached switch against tables of rules that are searched one by one: random flow-mods, random packets,
 * time that passes; the same packets leave, the same rules stay, with the same counters, and the same rules are
 * reported gone.
 */
import { expect, test } from 'vitest'
import type { DpifEvent } from '../../../engine/dpif.ts'
import { FLOW_WORDS, W_IN_PORT, W_NW, W_NW_DST, W_NW_SRC, W_TP, W_TYPE } from '../../../protocols/flow-key.ts'
import {
  COOKIE_UNCHANGED,
  FF_CHECK_OVERLAP,
  FF_RESET_COUNTS,
  FF_SEND_FLOW_REM,
  type FlowMod,
  OFPTT_ALL,
} from '../../../protocols/openflow/flow-mod.ts'
import type { Match } from '../../../protocols/openflow/match.ts'
import { OFPP_ANY } from '../../../protocols/openflow/port.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { referenceKey } from '../../reference/flow-key.ts'
import { RefFlowTables, type RefRule } from '../../reference/flow-table.ts'
import { flowMod, matchOf, output, statsRequest } from '../../support/flow-mods.ts'
import { makeFrame } from '../../support/frames.ts'
import { SwitchLab } from '../../support/switch-lab.ts'

const SOURCES = [0x0a000001, 0x0a000002, 0x0a010001, 0xc0000201]
const DESTINATIONS = [0x0a000001, 0x0a000003, 0x0aff0001, 0xe0000001]
const PORTS = [53, 80, 81, 443]
const IN = ['a', 'b']
const OUT = ['c', 'd']

function udp(src: number, dst: number, sport: number, dport: number): Uint8Array {
  const b = new Uint8Array(30)
  const v = new DataView(b.buffer)
  v.setUint8(0, 0x45)
  v.setUint16(2, 30)
  v.setUint8(8, 64)
  v.setUint8(9, 17)
  v.setUint32(12, src)
  v.setUint32(16, dst)
  v.setUint16(20, sport)
  v.setUint16(22, dport)
  v.setUint16(24, 10)
  return makeFrame({ dst: 0x020000000002, src: 0x020000000001, type: 0x0800, payload: b })
}

class Differential {
  readonly lab: SwitchLab
  readonly ref = new RefFlowTables()
  readonly events: DpifEvent[] = []
  readonly #random: () => number
  /** Pairs of match and priority, each priority once, so that no two rules of one priority overlap. */
  readonly #kinds: { match: Match; priority: number }[] = []
  packets = 0
  failures = 0

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.lab = new SwitchLab({ seed, flowLimit: 64, emcEntries: 16 })
    this.lab.bridge('br', { failMode: 'secure' })
    for (const name of [...IN, ...OUT]) this.lab.port(name, 'br')
    this.lab.local.onEvent((event) => this.events.push(event))
    for (let i = 0; i < 24; i++) this.#kinds.push({ match: this.#match(), priority: 100 + i })
  }

  below(n: number): number {
    return this.#random() % n
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]
  }

  #match(): Match {
    const bits: [number, number, number][] = []
    if (this.below(3) === 0) bits.push([W_IN_PORT, 1 + this.below(2), 0xffffffff])
    if (this.below(6) !== 0) {
      bits.push([W_TYPE, 0x0800_0000, 0xffff_0000])
      const prefix = () => this.pick([0xff000000, 0xffff0000, 0xffffff00, 0xffffffff, 0x80000000])
      if (this.below(2) === 0) bits.push([W_NW_SRC, this.pick(SOURCES), prefix()])
      if (this.below(2) === 0) bits.push([W_NW_DST, this.pick(DESTINATIONS), prefix()])
      if (this.below(2) === 0) {
        bits.push([W_NW, 17 << 24, 0xff000000])
        if (this.below(2) === 0) bits.push([W_TP, this.pick(PORTS) << 16, 0xffff0000])
        if (this.below(2) === 0) bits.push([W_TP, this.pick(PORTS), this.pick([0xffff, 0xfff0, 0xfffe])])
      }
    }
    return matchOf(...bits)
  }

  #flowMod(): FlowMod {
    const command = this.pick([
      'add',
      'add',
      'add',
      'modify',
      'modify_strict',
      'delete',
      'delete_strict',
    ] as const)
    const kind = this.pick(this.#kinds)
    const loose = (command === 'modify' || command === 'delete') && this.below(2) === 0
    const flags = this.pick([0, FF_SEND_FLOW_REM, FF_SEND_FLOW_REM | FF_RESET_COUNTS, FF_CHECK_OVERLAP])
    return flowMod(command, {
      match: loose ? this.#match() : kind.match,
      priority: kind.priority,
      table: this.pick([0, 0, 0, 0, 1, command === 'add' ? 0 : OFPTT_ALL]),
      cookie: BigInt(this.below(4)),
      cookieMask: command === 'add' ? 0n : this.pick([0n, 0n, 1n, 3n]),
      // A modification that finds nothing adds; of one priority there is one match.
      newCookie: loose
        ? COOKIE_UNCHANGED
        : this.pick([0n, 1n, 2n, 3n, COOKIE_UNCHANGED - 1n, COOKIE_UNCHANGED]),
      modifyCookie: this.below(2) === 0,
      idleTimeout: this.pick([0, 0, 2, 5]),
      hardTimeout: this.pick([0, 0, 3, 8]),
      importance: this.below(65_536),
      outPort: this.pick([OFPP_ANY, OFPP_ANY, 3]),
      flags,
      actions: this.pick([[], [output(3)], [output(4)], [output(3), output(4)]]),
    })
  }

  change(): void {
    const count = this.pick([1, 1, 1, 4])
    const mods = Array.from({ length: count }, () => this.#flowMod())
    const atomic = this.below(2) === 0
    const failures = this.lab.commands.flowMod('br', structuredClone(mods), atomic)
    const expected: { index: number; error: string }[] = []
    const before = { rules: this.ref.rules.map((r) => ({ ...r })), removed: [...this.ref.removed] }
    for (const [index, fm] of mods.entries()) {
      const error = this.ref.apply(fm, this.lab.now)
      if (error === undefined) continue
      expected.push({ index, error })
      if (!atomic) continue
      this.ref.rules = before.rules
      this.ref.removed = before.removed
      break
    }
    this.failures += expected.length
    expect(failures).toEqual(expected)
  }

  send(): void {
    const from = this.below(2)
    const frame = udp(this.pick(SOURCES), this.pick(DESTINATIONS), this.pick(PORTS), this.pick(PORTS))
    const flow = new Uint32Array(FLOW_WORDS)
    flow.set(referenceKey(frame, from + 1)!.words)
    const rules = this.ref.lookup(0, flow)
    expect(rules.length).toBeLessThanOrEqual(1)
    const sent = this.lab.ports(IN[from], frame)
    this.packets++
    const ports = (rules[0]?.actions ?? []).map((a) => (a.type === 'output' ? OUT[a.port - 3] : ''))
    expect(sent).toEqual(ports)
    for (const r of rules) {
      r.packets++
      r.bytes += frame.length
      r.used = this.lab.now
    }
  }

  pass(): void {
    this.lab.pass(1)
    this.ref.expire(this.lab.now)
  }

  compare(): void {
    const { rows, next } = this.lab.commands.flowStats('br', statsRequest(), 0)
    expect(next).toBeUndefined()
    const now = this.lab.now
    const mine = rows.map((r) => ({
      ...describe(r),
      cookie: r.cookie,
      packets: r.packetCount,
      bytes: r.byteCount,
      idleAge: r.idleAge,
      hardAge: r.hardAge,
      duration: r.durationSec * 1000 + r.durationNsec / 1e6,
    }))
    const theirs = this.ref.rules.map((r) => ({
      ...describe(r),
      cookie: r.newCookie,
      packets: r.packets,
      bytes: r.bytes,
      idleAge: Math.floor((now - r.used) / 1000),
      hardAge: Math.floor((now - r.modified) / 1000),
      duration: now - r.created,
    }))
    expect(sorted(mine)).toEqual(sorted(theirs))
    const gone = this.events.splice(0).flatMap((e) => (e.type === 'flow-removed' ? [e.removed] : []))
    expect(
      sorted(
        gone.map((r) => ({ ...names(r), reason: r.reason, packets: r.packetCount, bytes: r.byteCount })),
      ),
    ).toEqual(
      sorted(
        this.ref.removed.splice(0).map(({ rule, reason }) => {
          return { ...names(rule), reason, packets: rule.packets, bytes: rule.bytes }
        }),
      ),
    )
  }
}

function names(r: { table: number; priority: number }) {
  return { table: r.table, priority: r.priority }
}

function describe(
  r: Pick<RefRule, 'table' | 'priority' | 'match' | 'actions' | 'idleTimeout' | 'hardTimeout' | 'importance'>,
) {
  const { idleTimeout, hardTimeout, importance, actions } = r
  const match = [...r.match.mask.keys()].filter((w) => r.match.mask[w] !== 0)
  return {
    ...names(r),
    match: match.map((w) => [w, r.match.value[w], r.match.mask[w]].join()).join(' '),
    actions,
    idleTimeout,
    hardTimeout,
    importance,
  }
}

function sorted<T extends { table: number; priority: number }>(rows: T[]): T[] {
  const key = (r: T) =>
    `${r.table} ${r.priority} ${'match' in r ? r.match : ''} ${'reason' in r ? r.reason : ''} ${'packets' in r ? r.packets : ''}`
  return rows.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}

for (let seed = 1; seed <= 6; seed++) {
  test(`rules come and go under traffic (${seed})`, () => {
    const d = new Differential(seed)
    if (seed % 2 === 0) {
      d.lab.commands.flowTablePut('br', 0, { name: 'first', maxFlows: 8, eviction: seed % 4 === 0 })
      d.ref.limits.set(0, { max: 8, eviction: seed % 4 === 0 })
    }
    for (let i = 0; i < 400; i++) {
      d.change()
      for (let n = d.below(12); n > 0; n--) d.send()
      if (d.below(4) === 0) d.pass()
      if (d.below(4) === 0) d.compare()
    }
    d.compare()
    const { upcalls, megaflowHits, emcHits } = d.lab.commands.stats()
    expect(megaflowHits + emcHits).toBeGreaterThan(d.packets / 10)
    expect(upcalls + megaflowHits + emcHits).toBe(d.packets)
    if (seed % 4 === 2) expect(d.failures).toBeGreaterThan(0)
  })
}
