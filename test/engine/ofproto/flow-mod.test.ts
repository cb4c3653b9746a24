/** What flow-mods do, case by case; the differential test beside this one has the rest. */
import { expect, test } from 'vitest'
import type { DpifEvent } from '../../../engine/dpif.ts'
import { W_NW_SRC, W_TYPE } from '../../../protocols/flow-key.ts'
import {
  FF_CHECK_OVERLAP,
  FF_RESET_COUNTS,
  FF_SEND_FLOW_REM,
  type FlowMod,
} from '../../../protocols/openflow/flow-mod.ts'
import { OFPP_NORMAL } from '../../../protocols/openflow/port.ts'
import type { TableMod } from '../../../protocols/openflow/table-mod.ts'
import { parseFlowLine } from '../../../protocols/openflow/text/flow-parse.ts'
import { parseActionSubfield } from '../../../protocols/openflow/text/subfield-text.ts'
import { flowMod, matchOf, output, statsRequest } from '../../support/flow-mods.ts'
import { makeFrame } from '../../support/frames.ts'
import { SwitchLab } from '../../support/switch-lab.ts'

const IP: [number, number, number] = [W_TYPE, 0x0800_0000, 0xffff_0000]
const FRAME = makeFrame({ dst: 0x020000000002, src: 0x020000000001 })

function tableMod(change: Partial<TableMod>): TableMod {
  return {
    table: 0,
    miss: undefined,
    eviction: undefined,
    evictionFlags: undefined,
    vacancyEvents: undefined,
    vacancy: { down: 0, up: 0, vacancy: 0 },
    ...change,
  }
}

class Lab extends SwitchLab {
  readonly events: DpifEvent[] = []
  constructor(failMode: 'secure' | 'standalone' = 'secure') {
    super()
    this.bridge('br', { failMode })
    this.port('a', 'br')
    this.port('b', 'br')
    this.local.onEvent((event) => this.events.push(event))
  }
  mod(...mods: FlowMod[]) {
    return this.commands.flowMod('br', mods, false)
  }
  rows() {
    return this.commands.flowStats('br', statsRequest(), 0).rows
  }
  removed() {
    return this.events.splice(0).flatMap((e) => (e.type === 'flow-removed' ? [e.removed] : []))
  }
}

test('a bridge that nobody programs is a learning switch, a secure one drops', () => {
  const standalone = new Lab('standalone')
  expect(standalone.rows()).toMatchObject([{ table: 0, priority: 0, actions: [output(OFPP_NORMAL)] }])
  expect(standalone.ports('a', FRAME)).toEqual(['b'])
  standalone.commands.flowFlush('br', false)
  expect(standalone.rows()).toEqual([])
  expect(standalone.ports('a', FRAME)).toEqual([])
  const secure = new Lab()
  expect(secure.rows()).toEqual([])
  expect(secure.ports('a', FRAME)).toEqual([])
  secure.commands.flowFlush('br', true)
  expect(secure.ports('a', FRAME)).toEqual(['b'])
})

test('n packets through cached flows are n packets, also when the cached flow has gone', () => {
  const lab = new Lab()
  lab.mod(flowMod('add', { actions: [output(2)] }))
  for (let i = 0; i < 10; i++) lab.send('a', FRAME)
  expect(lab.rows()).toMatchObject([{ packetCount: 10, byteCount: 10 * FRAME.length, idleAge: 0 }])
  expect(lab.rows()).toMatchObject([{ packetCount: 10 }])
  for (let i = 0; i < 7; i++) lab.send('a', FRAME)
  lab.local.datapath.flows.clear()
  expect(lab.rows()).toMatchObject([{ packetCount: 17, byteCount: 17 * FRAME.length }])
  lab.send('a', FRAME)
  expect(lab.commands.aggregateStats('br', statsRequest())).toEqual({
    packetCount: 18,
    byteCount: 18 * FRAME.length,
    flowCount: 1,
  })
  expect(lab.commands.tableStats('br')[0]).toMatchObject({
    activeCount: 1,
    lookupCount: 18,
    matchedCount: 18,
  })
  lab.mod(flowMod('delete'))
  lab.send('a', FRAME)
  expect(lab.commands.tableStats('br')[0]).toMatchObject({
    activeCount: 0,
    lookupCount: 19,
    matchedCount: 18,
  })
})

test('a rule added again keeps its counters unless they are to be reset', () => {
  const lab = new Lab()
  lab.mod(flowMod('add', { actions: [output(2)], newCookie: 1n }))
  lab.send('a', FRAME, FRAME)
  lab.now += 500
  lab.mod(flowMod('add', { actions: [], newCookie: 2n }))
  expect(lab.rows()).toMatchObject([
    { packetCount: 2, cookie: 2n, actions: [], durationSec: 0, durationNsec: 0 },
  ])
  lab.mod(flowMod('modify', { actions: [output(2)], flags: FF_RESET_COUNTS }))
  expect(lab.rows()).toMatchObject([{ packetCount: 0, byteCount: 0, cookie: 2n }])
  expect(lab.removed()).toEqual([])
})

test('a used rule lives on, an idle one goes, a hard timeout runs from the last modification', () => {
  const lab = new Lab()
  const flags = FF_SEND_FLOW_REM
  lab.mod(
    flowMod('add', { actions: [output(2)], idleTimeout: 3, flags, newCookie: 7n }),
    flowMod('add', { match: matchOf(IP), idleTimeout: 3, hardTimeout: 9, flags, priority: 1 }),
    flowMod('add', { match: matchOf(IP), hardTimeout: 4, flags, priority: 2 }),
  )
  for (let i = 0; i < 3; i++) {
    lab.pass(1)
    lab.send('a', FRAME)
  }
  lab.mod(flowMod('modify_strict', { match: matchOf(IP), priority: 2, actions: [output(1)] }))
  lab.pass(1)
  expect(lab.removed()).toMatchObject([
    { reason: 'idle_timeout', priority: 1, packetCount: 0, durationSec: 4 },
  ])
  lab.pass(3)
  expect(lab.removed()).toMatchObject([
    { reason: 'idle_timeout', cookie: 7n, packetCount: 3, byteCount: 3 * FRAME.length, durationSec: 7 },
  ])
  expect(lab.ports('a', FRAME)).toEqual([])
  lab.pass(1)
  expect(lab.removed()).toMatchObject([{ reason: 'hard_timeout', priority: 2, durationSec: 8 }])
  expect(lab.rows()).toEqual([])
})

test('errors are named as OpenFlow names them, and what fails changes nothing', () => {
  const lab = new Lab()
  const narrow = matchOf(IP, [W_NW_SRC, 0x0a000001])
  lab.mod(flowMod('add', { match: narrow, priority: 5 }))
  const overlapping = flowMod('add', { match: matchOf(IP), priority: 5, flags: FF_CHECK_OVERLAP })
  expect(lab.mod(overlapping)).toEqual([{ index: 0, error: 'OFPFMFC_OVERLAP' }])
  expect(lab.mod({ ...overlapping, priority: 6 })).toEqual([])
  expect(lab.mod({ ...overlapping, match: narrow })).toEqual([])
  expect(lab.mod(flowMod('add', { table: 254 }))).toEqual([{ index: 0, error: 'OFPBRC_EPERM' }])
  lab.commands.flowTablePut('br', 3, { name: 'small', maxFlows: 1, eviction: false })
  const small = (priority: number) => flowMod('add', { table: 3, priority, idleTimeout: priority })
  expect(lab.mod(small(1), small(2), small(1), small(3))).toEqual([
    { index: 1, error: 'OFPFMFC_TABLE_FULL' },
    { index: 3, error: 'OFPFMFC_TABLE_FULL' },
  ])
  expect(lab.rows().filter((r) => r.table === 3)).toMatchObject([{ priority: 1 }])
  expect(() => lab.commands.flowMod('nowhere', [], false)).toThrow('no bridge nowhere')
})

test('a bundle is all or nothing, counters and order of removal included', () => {
  const lab = new Lab()
  lab.mod(flowMod('add', { actions: [output(2)], flags: FF_SEND_FLOW_REM }))
  lab.send('a', FRAME, FRAME, FRAME)
  const before = lab.rows()
  const bundle = [
    flowMod('modify', { actions: [], flags: FF_RESET_COUNTS }),
    flowMod('delete'),
    flowMod('add', { table: 4 }),
    flowMod('add', { table: 254 }),
  ]
  expect(lab.commands.flowMod('br', bundle, true)).toEqual([{ index: 3, error: 'OFPBRC_EPERM' }])
  expect(lab.rows()).toEqual(before)
  expect(lab.removed()).toEqual([])
  expect(lab.ports('a', FRAME)).toEqual(['b'])
  expect(lab.commands.flowMod('br', bundle.slice(0, 3), true)).toEqual([])
  expect(lab.removed()).toMatchObject([{ reason: 'delete', packetCount: 0 }])
  expect(lab.rows()).toMatchObject([{ table: 4 }])
})

test('a full table that evicts lets go of the least important, then of what ends first', () => {
  const lab = new Lab()
  expect(lab.commands.tableMod('br', tableMod({ eviction: true }))).toBeUndefined()
  lab.commands.flowTablePut('br', 0, { name: '', maxFlows: 3, eviction: true })
  const flags = FF_SEND_FLOW_REM
  const rule = (priority: number, importance: number, hardTimeout: number) =>
    flowMod('add', { priority, importance, hardTimeout, flags })
  lab.mod(rule(1, 1, 20), rule(2, 0, 30), rule(3, 0, 10))
  for (const priority of [3, 2, 1]) {
    expect(lab.mod(rule(priority + 10, 9, 0))).toEqual([])
    expect(lab.removed()).toMatchObject([{ priority, reason: 'eviction' }])
  }
  // Rules without timeouts stay.
  expect(lab.mod(rule(20, 9, 0))).toEqual([{ index: 0, error: 'OFPFMFC_TABLE_FULL' }])
  expect(lab.commands.tableDesc('br')[0]).toMatchObject({ eviction: true })
})

test('of groups of rules that agree in fields the largest makes room', () => {
  const lab = new Lab()
  const groups = ['in_port', 'tcp_dst[0..7]'].map(parseActionSubfield)
  lab.commands.flowTablePut('br', 0, { name: '', maxFlows: 5, eviction: true, groups })
  const flags = FF_SEND_FLOW_REM
  const rule = (priority: number, match: string) => ({
    ...parseFlowLine(`priority=${priority},hard_timeout=${100 + priority},${match},actions=2`),
    flags,
  })
  lab.mod(
    rule(1, 'in_port=2'),
    rule(2, 'in_port=1,tcp,tcp_dst=0x107'),
    rule(3, 'in_port=1,tcp,tcp_dst=0x207'),
  )
  lab.mod(rule(4, 'in_port=1,tcp,tcp_dst=0x307'), rule(5, 'in_port=1,udp,udp_dst=7'))
  for (const [port, gone] of [
    [3, 2],
    [4, 3],
  ]) {
    expect(lab.mod(rule(10 + port!, `in_port=${port}`))).toEqual([])
    expect(lab.removed()).toMatchObject([{ priority: gone, reason: 'eviction' }])
  }
})

test('a table tells when it fills up and when it has room again', () => {
  const lab = new Lab()
  lab.commands.flowTablePut('br', 0, { name: '', maxFlows: 10, eviction: false })
  const vacancy = { down: 30, up: 60, vacancy: 0 }
  lab.mod(flowMod('add', { priority: 0 }))
  expect(lab.commands.tableMod('br', tableMod({ vacancyEvents: true, vacancy }))).toBeUndefined()
  const told = () =>
    lab.events
      .splice(0)
      .flatMap((e) => (e.type === 'table-status' ? [[e.status.reason, e.status.desc.vacancy.vacancy]] : []))
  for (let priority = 1; priority < 7; priority++) lab.mod(flowMod('add', { priority }))
  expect(told()).toEqual([])
  lab.mod(flowMod('add', { priority: 7 }), flowMod('add', { priority: 8 }))
  expect(told()).toEqual([['vacancy_down', 10]])
  for (let priority = 1; priority < 5; priority++) lab.mod(flowMod('delete_strict', { priority }))
  expect(told()).toEqual([])
  lab.mod(flowMod('delete'))
  expect(told()).toEqual([['vacancy_up', 100]])
  const bad = tableMod({ vacancyEvents: true, vacancy: { down: 2, up: 1, vacancy: 0 } })
  expect(lab.commands.tableMod('br', bad)).toBe('OFPTMFC_BAD_CONFIG')
})

test('a long dump comes in pages, through the door, of what there was when it began', async () => {
  const lab = new Lab()
  const mods = Array.from({ length: 2500 }, (_, i) => flowMod('add', { match: matchOf(IP, [W_NW_SRC, i]) }))
  const { dpif } = lab.local
  expect(await dpif.flowMod('br', mods, false)).toEqual([])
  const seen = new Set<number>()
  let page = await dpif.flowStats('br', statsRequest(), 0)
  for (const r of page.rows) seen.add(r.match.value[W_NW_SRC])
  lab.mod(flowMod('delete', { match: matchOf(IP, [W_NW_SRC, 2499]) }), flowMod('add', { priority: 1 }))
  while (page.next !== undefined) {
    page = await dpif.flowStats('br', statsRequest(), page.next)
    for (const r of page.rows) seen.add(r.match.value[W_NW_SRC])
  }
  seen.delete(2499)
  expect(seen.size).toBe(2499)
})

test('a new rule ends cached flows that it concerns, and leaves the others', () => {
  const lab = new Lab()
  lab.mod(
    flowMod('add', { priority: 1, actions: [output(2)] }),
    flowMod('add', { priority: 9, match: matchOf(IP, [W_NW_SRC, 0x0a000001]) }),
  )
  lab.send('a', FRAME)
  const { flows } = lab.local.datapath
  const generations = () => [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, f) => sum + flows.records.generation(f), 0)
  expect(flows.count).toBe(1)
  const before = generations()
  for (let i = 2; i < 100; i++) {
    lab.mod(flowMod('add', { priority: 9, match: matchOf(IP, [W_NW_SRC, 0x0a000000 + i]) }))
  }
  lab.mod(flowMod('delete', { match: matchOf(IP) }))
  expect([flows.count, generations()]).toEqual([1, before])
  lab.mod(flowMod('add', { priority: 9, match: matchOf([W_TYPE, 0x88b5_0000, 0xffff_0000]) }))
  expect(flows.count).toBe(0)
  expect(lab.ports('a', FRAME)).toEqual([])
})

test('actions that do not fit the flow or its table are refused, and change nothing', () => {
  const lab = new Lab()
  lab.mod(flowMod('add', { table: 5, actions: [output(1)] }))
  const before = lab.rows()
  for (const command of ['add', 'modify', 'modify_strict'] as const) {
    const back = flowMod(command, { table: 5, actions: [{ type: 'goto_table', table: 3 }] })
    expect(lab.mod(back)).toEqual([{ index: 0, error: 'OFPBIC_BAD_TABLE_ID' }])
    const nameless = flowMod(command, { table: 5, actions: [{ type: 'meter', meter: 0 }] })
    expect(lab.mod(nameless)).toEqual([{ index: 0, error: 'OFPMMFC_INVALID_METER' }])
  }
  expect(lab.rows()).toEqual(before)
  const onward = flowMod('add', { table: 5, match: matchOf(IP), actions: [{ type: 'goto_table', table: 6 }] })
  expect(lab.mod(onward)).toEqual([])
})
