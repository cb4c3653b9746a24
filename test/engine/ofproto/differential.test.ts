/**
 * The engine with its caches against the interpreter of test/reference: random rules, frames by which caches
 * fill, and rules, groups and ports that change in between. What leaves by which port must be the same frame
 * for frame, and in the end every rule must have counted the same.
 */
import { describe, expect, it } from 'vitest'
import { TRUNK_ALL } from '../../../engine/dpif.ts'
import { parseGroup } from '../../../protocols/openflow/text/group-parse.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { RefNetwork } from '../../reference/bridge.ts'
import { type RefFlow, RefOpenflow } from '../../reference/openflow.ts'
import { Unspecified } from '../../reference/openflow-packet.ts'
import { hex } from '../../support/frames.ts'
import { Cases } from '../../support/openflow-cases.ts'
import { OpenflowLab } from '../../support/openflow-lab.ts'
import { actionsText, flowText, ruleText } from '../../support/openflow-text.ts'
import type { LabOptions } from '../../support/switch-lab.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']

class Comparison {
  readonly cases: Cases
  readonly ours: OpenflowLab
  readonly reference = new RefOpenflow()
  readonly #log: string[] = []
  readonly #frames: Uint8Array[] = []
  #priority = 100
  #exact = true
  delivered = 0

  constructor(seed: number, options: LabOptions, normal: boolean, groups: number) {
    this.cases = new Cases(seededRandom(seed), { ports: PORTS.length, tables: 4, normal, groups })
    this.ours = new OpenflowLab(PORTS, options)
    const network = new RefNetwork()
    network.bridge('br0', 300, false)
    for (const [i, name] of PORTS.entries()) {
      network.port(name, 'br0', TRUNK_ALL)
      this.reference.ports.set(i + 1, name)
    }
    this.reference.network = network
    // As many as there are frames to come back, so that caches are hit.
    for (let i = 0; i < 30; i++) this.#frames.push(this.cases.frame())
    for (let id = 1; id <= groups; id++) this.group(id, 'add')
  }

  /** Gives a group, which stays although rules point at it, other buckets. */
  group(id: number, command: 'add' | 'modify'): void {
    const made = this.cases.group()
    const buckets = made.buckets.map((b) => `,bucket=${actionsText(b)}`).join('')
    const line = `group_id=${id},type=${made.type}${buckets}`
    this.#log.push(`group ${command} ${line}`)
    expect(this.ours.lab.commands.groupMod('br0', parseGroup(line, command))).toBeUndefined()
    this.reference.groups.set(id, made)
  }

  /** A port goes, or comes back under its number. */
  port(): void {
    const number = 1 + this.cases.below(PORTS.length)
    const name = PORTS[number - 1]
    this.#log.push(`port ${number}`)
    if (this.reference.ports.delete(number)) {
      this.reference.network?.deletePort(name)
      this.ours.lab.deletePort(name)
    } else {
      this.reference.network?.port(name, 'br0', TRUNK_ALL)
      this.reference.ports.set(number, name)
      this.ours.port(name, number)
    }
  }

  #flow(): RefFlow {
    // No two rules of one priority, but by being the same rule: which of them counts is left open.
    return { ...this.cases.flow(), priority: this.#priority++ }
  }

  #run(line: string, command?: 'delete' | 'delete_strict' | 'modify_strict'): void {
    this.#log.push(`${command ?? 'add'} ${line}`)
    this.ours.flows([line], command)
  }

  add(): void {
    const flow = this.#flow()
    this.#run(flowText(flow))
    this.reference.add(flow)
  }

  change(): void {
    const { cases, reference } = this
    const rule = reference.rules.length > 0 ? cases.pick(reference.rules) : undefined
    const roll = cases.below(10)
    if (rule === undefined || roll < 4) this.add()
    else if (roll < 6) {
      this.#run(ruleText(rule), 'delete_strict')
      reference.deleteStrict(rule)
    } else if (roll < 8) {
      const changed = { ...this.cases.flow(), table: rule.table, priority: rule.priority, match: rule.match }
      // Its actions must fit the match.
      const actions = changed.actions.filter((a) => a.do === 'output')
      const flow = { ...changed, actions }
      this.#run(flowText(flow), 'modify_strict')
      reference.modifyStrict(flow)
    } else if (roll < 9) {
      this.#run(flowText(rule))
      // Added once more: a new rule with old counters.
      const { packets, bytes } = rule
      reference.add(rule)
      Object.assign(reference.rules.find((r) => r.priority === rule.priority && r.table === rule.table)!, {
        packets,
        bytes,
      })
    } else if (rule.match.length > 1) {
      const match = rule.match.filter((f) => f.field === 'in_port' || f.field === 'dl_type')
      const line = ruleText({ ...rule, match }).replace(/priority=\d+,?/, '')
      this.#run(line, 'delete')
      reference.deleteLoose(rule.table, match)
    }
  }

  /** Answers false where the manual leaves open what is to happen, after which the two have parted. */
  frame(): boolean {
    const { cases } = this
    const ports = [...this.reference.ports.keys()]
    if (ports.length === 0) return true
    const port = cases.pick(ports)
    const frame = cases.chance(80) ? cases.pick(this.#frames) : cases.frame()
    const actual = this.ours.send(port, frame)
    try {
      const expected = this.reference.send(port, frame)
      const hint = () =>
        `port ${port}, frame ${hex(frame)}\n${this.reference.rules
          .filter((r) => r.packets > 0)
          .map(flowText)
          .join('\n')}\n${this.#log.slice(-5).join('\n')}`
      expect(actual, hint()).toEqual(expected)
      this.delivered += expected.length
    } catch (error) {
      if (!(error instanceof Unspecified)) throw error
      this.#exact = false
    }
    return this.#exact
  }

  counters(): void {
    if (!this.#exact) return
    const counters = this.ours.counters()
    expect(counters.size).toBe(this.reference.rules.length)
    for (const r of this.reference.rules) {
      expect(counters.get(`${r.table} ${r.priority}`), flowText(r)).toBe(`${r.packets}/${r.bytes}`)
    }
  }
}

const SIZES: [string, LabOptions][] = [
  ['tiny caches', { flowLimit: 8, emcEntries: 2 }],
  ['large caches', { flowLimit: 1 << 14, emcEntries: 1 << 10 }],
]

describe.each(SIZES)('rules with %s agree with the reference interpreter', (_, options) => {
  it.each([
    ['frames, tables and changes of rules', false, 0],
    ['learning too', true, 0],
    ['groups too, and ports that come and go', true, 3],
  ] as const)('%s', (_, normal, groups) => {
    let delivered = 0
    for (let seed = 0; seed < 60; seed++) {
      const c = new Comparison(seed, options, normal, groups)
      for (let i = 0; i < 20; i++) c.add()
      for (let i = 0; i < 100; i++) {
        if (c.cases.chance(15)) c.change()
        if (groups > 0 && c.cases.chance(4)) c.group(1 + c.cases.below(groups), 'modify')
        if (groups > 0 && c.cases.chance(4)) c.port()
        if (!c.frame() && normal) break
      }
      c.counters()
      delivered += c.delivered
    }
    expect(delivered).toBeGreaterThan(1500)
  })
})
