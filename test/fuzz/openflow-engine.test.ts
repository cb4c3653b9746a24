/**
 * Flow-mods and groups of any kind, mutated and mixed with frames: the engine refuses with OpenFlow's errors and
 * nothing else, loops end, tables stay within their limits, no packet is lost for good.
 */
import { describe, expect, it } from 'vitest'
import { DpifError } from '../../engine/dpif.ts'
import type { FlowMod } from '../../protocols/openflow/flow-mod.ts'
import { parseFlowLine } from '../../protocols/openflow/text/flow-parse.ts'
import { parseGroup } from '../../protocols/openflow/text/group-parse.ts'
import { seededRandom } from '../../protocols/random.ts'
import { Cases } from '../support/openflow-cases.ts'
import { FAMILIES } from '../support/openflow-families.ts'
import { OpenflowLab } from '../support/openflow-lab.ts'
import { actionsText, flowText } from '../support/openflow-text.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']
const COMMANDS: readonly FlowMod['command'][] = ['add', 'modify', 'modify_strict', 'delete', 'delete_strict']
const OPTIONS = { ports: PORTS.length, tables: 8, normal: true, groups: 4 }

/** Another record of the same shape: numbers, bytes and bits of it changed at random. */
function mutated(value: unknown, cases: Cases): unknown {
  if (value instanceof Uint32Array || value instanceof Uint8Array) {
    const copy = value.slice()
    if (copy.length > 0 && cases.chance(40)) copy[cases.below(copy.length)] = cases.below(0xffffffff)
    return copy
  }
  if (Array.isArray(value)) {
    const items = value.map((v) => mutated(v, cases))
    return cases.chance(5) ? [...items, ...items] : items
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mutated(v, cases)]))
  }
  return value
}

/** A match that is canonical again: no value outside the mask. */
function canonical(mod: FlowMod): FlowMod {
  const { value, mask } = mod.match
  for (let i = 0; i < value.length; i++) value[i] &= mask[i]
  return mod
}

describe('random flow-mods amid frames', () => {
  it.each([1, 2, 3, 4])('seed %i', (seed) => {
    const cases = new Cases(seededRandom(seed), OPTIONS)
    const ours = new OpenflowLab(PORTS, { flowLimit: 64, emcEntries: 16, cells: 128, seed })
    const { commands } = ours.lab
    const free = ours.lab.local.datapath.pool.available
    expect(free).toBeGreaterThan(0)
    const lines = FAMILIES.flatMap((f) => f.flows)
    for (let i = 0; i < 3000; i++) {
      const roll = cases.below(10)
      if (roll < 3) {
        const line = cases.chance(50)
          ? cases.pick(lines)
          : flowText({ ...cases.flow(), priority: cases.below(9) })
        const mod = { ...parseFlowLine(line), command: cases.pick(COMMANDS) }
        const sent = cases.chance(50) ? canonical(mutated(mod, cases) as FlowMod) : mod
        for (const { error } of commands.flowMod('br0', [sent, mod], cases.chance(50))) {
          expect(error).toMatch(/^(OFP|NX)/)
        }
      } else if (roll < 4) {
        const group = cases.group()
        const buckets = group.buckets.map((b) => `,bucket=${actionsText(b)}`).join('')
        const command = cases.pick(['add', 'modify', 'delete', 'add_or_modify'] as const)
        const text = `group_id=${1 + cases.below(4)}`
        const rest = command === 'delete' ? '' : `,type=${group.type}${buckets}`
        const error = commands.groupMod('br0', parseGroup(text + rest, command))
        if (error !== undefined) expect(error).toMatch(/^OFP/)
      } else ours.send(1 + cases.below(PORTS.length), cases.frame())
    }
    expect(ours.lab.local.datapath.pool.available).toBe(free)
    // It still does what it is told.
    commands.flowFlush('br0', false)
    ours.flows(['in_port=1,actions=output:2'])
    expect(ours.send(1, cases.frame())).toHaveLength(1)
  })
})

describe('loops end', () => {
  const frame = new Cases(seededRandom(1), OPTIONS).frame()

  it('a resubmit to the same table, alone and twofold', () => {
    const ours = new OpenflowLab(PORTS)
    ours.flows(['actions=output:2,resubmit(,0)'])
    expect(ours.send(1, frame)).toEqual([])
    ours.flows(['actions=resubmit(,0),resubmit(,0),output:2'])
    expect(ours.send(1, frame)).toEqual([])
    ours.flows(['actions=clone(resubmit(,0)),output:2'])
    expect(ours.send(1, frame)).toEqual([])
  })

  it('a tree of resubmits, each level twice the one before', () => {
    const ours = new OpenflowLab(PORTS)
    const flows = Array.from(
      { length: 40 },
      (_, t) => `table=${t},actions=resubmit(,${t + 1}),resubmit(,${t + 1})`,
    )
    ours.flows([...flows, 'table=40,actions=output:2'])
    expect(ours.send(1, frame)).toEqual([])
  })

  it('a chain as deep as it may be', () => {
    const ours = new OpenflowLab(PORTS)
    const flows = Array.from({ length: 50 }, (_, t) => `table=${t},actions=resubmit(,${t + 1})`)
    ours.flows([...flows, 'table=50,actions=output:2'])
    expect(ours.send(1, frame)).toHaveLength(1)
  })

  it('a group that is made to point at itself', () => {
    const ours = new OpenflowLab(PORTS)
    ours.groups(['group_id=1,type=indirect,bucket=output:2', 'group_id=2,type=indirect,bucket=group:1'])
    ours.flows(['actions=group:2'])
    const { commands } = ours.lab
    const around = parseGroup('group_id=1,type=indirect,bucket=group:2', 'modify')
    expect(commands.groupMod('br0', around)).toBe('OFPGMFC_LOOP')
    const itself = parseGroup('group_id=3,type=all,bucket=group:3,bucket=group:3')
    expect(commands.groupMod('br0', itself)).toBe('OFPGMFC_LOOP')
    expect(ours.send(1, frame)).toHaveLength(1)
  })
})

it('a full table refuses, or evicts where it is told to', () => {
  const ours = new OpenflowLab(PORTS)
  const { commands } = ours.lab
  commands.flowTablePut('br0', 0, { name: '', maxFlows: 10, eviction: false })
  const mods = Array.from({ length: 50 }, (_, i) =>
    parseFlowLine(`priority=${i},idle_timeout=60,ip,actions=output:2`),
  )
  const failures = commands.flowMod('br0', mods, false)
  expect(failures).toHaveLength(40)
  expect(new Set(failures.map((f) => f.error))).toEqual(new Set(['OFPFMFC_TABLE_FULL']))
  expect(() => commands.flowMod('nowhere', mods, false)).toThrow(DpifError)
  commands.flowTablePut('br0', 0, { name: '', maxFlows: 10, eviction: true })
  expect(commands.flowMod('br0', mods, false)).toEqual([])
  expect(commands.tableStats('br0')[0].activeCount).toBe(10)
})

it('learning from a flood of addresses stays within the limit', () => {
  const ours = new OpenflowLab(PORTS)
  ours.flows([
    'actions=learn(table=1,limit=100,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),output:2',
  ])
  for (let i = 0; i < 2000; i++) {
    const frame = new Uint8Array(64)
    frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, i >> 8, i & 0xff, 0x88, 0xb5])
    ours.send(1, frame)
  }
  expect(ours.lab.commands.tableStats('br0')[1].activeCount).toBe(100)
})
