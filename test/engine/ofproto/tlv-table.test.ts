/** Tunnel options: mapped, matched on, written and asked about. */
import { expect, test } from 'vitest'
import type { DpifEvent } from '../../../engine/dpif.ts'
import { parseFlow, parseFlowRequest } from '../../../protocols/openflow/text/flow-parse.ts'
import { formatMatch } from '../../../protocols/openflow/text/match-format.ts'
import type { TlvMap } from '../../../protocols/openflow/tlv-table.ts'
import { statsRequest } from '../../support/flow-mods.ts'
import { makeFrame } from '../../support/frames.ts'
import { bridgeSpec, SwitchLab } from '../../support/switch-lab.ts'

const FRAME = makeFrame({ dst: 0x020000000002, src: 0x020000000001 })
const map = (index: number, optionType: number, optionLength = 4): TlvMap => ({
  optionClass: 0xffff,
  optionType,
  optionLength,
  index,
})

class Lab extends SwitchLab {
  readonly events: DpifEvent[] = []
  constructor() {
    super()
    this.commands.bridgePut(bridgeSpec('br', { failMode: 'secure' }))
    this.port('a', 'br')
    this.port('b', 'br')
    this.local.onEvent((event) => this.events.push(event))
  }
  map(...maps: TlvMap[]) {
    return this.commands.tlvTableMod('br', { command: 'add', maps })
  }
  unmap(...indices: number[]) {
    return this.commands.tlvTableMod('br', { command: 'delete', maps: indices.map((i) => map(i, 0)) })
  }
  add(...flows: string[]) {
    const mods = flows.map((flow) => parseFlow(flow))
    return this.commands.flowMod('br', mods, false).map(({ error }) => error)
  }
  delete(flow: string) {
    return this.commands.flowMod('br', [parseFlow(flow, 'delete')], false)
  }
  matches(request = statsRequest()) {
    const { rows } = this.commands.flowStats('br', request, 0)
    return rows.map(({ match }) => formatMatch(match)).sort()
  }
}

test('options are mapped once, each field to one of them, as long as there is room', () => {
  const lab = new Lab()
  expect(lab.map(map(0, 1), map(5, 2, 124))).toBeUndefined()
  expect(lab.map(map(0, 3))).toBe('NXTTMFC_ALREADY_MAPPED')
  expect(lab.map(map(1, 2))).toBe('NXTTMFC_DUP_ENTRY')
  expect(lab.map(map(1, 4, 3))).toBe('NXTTMFC_BAD_OPT_LEN')
  expect(lab.map(map(64, 4))).toBe('NXTTMFC_BAD_FIELD_IDX')
  // All of a message or nothing of it.
  expect(lab.map(map(2, 5, 64), map(3, 6, 124))).toBe('NXTTMFC_TABLE_FULL')
  expect(lab.map(map(2, 5, 124), map(3, 6, 4))).toBeUndefined()
  expect(lab.map(map(4, 7, 4))).toBe('NXTTMFC_TABLE_FULL')
  expect(lab.unmap(0)).toBeUndefined()
  expect(lab.map(map(4, 7, 4))).toBeUndefined()
  const { maps, ...limits } = lab.commands.tlvTable('br')
  expect(maps.map(({ index }) => index)).toEqual([2, 3, 4, 5])
  expect(limits).toEqual({ maxOptionSpace: 256, maxFields: 64 })
  expect(lab.commands.tlvTableMod('br', { command: 'clear', maps: [] })).toBeUndefined()
  expect(lab.commands.tlvTable('br').maps).toEqual([])
})

test('flows may name options that are mapped, in matches and in actions', () => {
  const lab = new Lab()
  const INVALID = 'NXFMFC_INVALID_TLV_FIELD'
  expect(lab.add('tun_metadata3=7,actions=drop')).toEqual([INVALID])
  expect(lab.add('actions=set_field:7->tun_metadata3')).toEqual([INVALID])
  expect(lab.add('actions=move:reg0[]->tun_metadata3[0..31]')).toEqual([INVALID])
  lab.map(map(3, 1, 8), map(4, 2))
  expect(
    lab.add(
      'tun_metadata3=0x1234567890,actions=drop',
      'tun_metadata3=0x1002/0xf00f,actions=drop',
      'tun_metadata4,actions=drop',
    ),
  ).toEqual([])
  const ALL = ['tun_metadata3=0x1002/0xf00f', 'tun_metadata3=0x1234567890', 'tun_metadata4']
  expect(lab.matches()).toEqual(ALL)
  expect(lab.matches(parseFlowRequest('tun_metadata3=0x1234567890'))).toEqual(ALL.slice(1, 2))
  expect(lab.matches(parseFlowRequest('tun_metadata3'))).toEqual(ALL.slice(0, 2))
  expect(lab.matches(parseFlowRequest('tun_metadata9'))).toEqual([])
  expect(lab.add('tun_metadata4=0x123456789,actions=drop')).toEqual(['OFPBMC_BAD_LEN'])
  expect(lab.add('actions=move:reg0[0..7]->tun_metadata4[28..35]')).toEqual(['OFPBAC_BAD_SET_LEN'])
})

test('an option that flows name stays', () => {
  const lab = new Lab()
  lab.map(map(0, 1), map(1, 2), map(2, 3))
  lab.add('tun_metadata0=1,actions=drop', 'in_port=1,actions=write_actions(set_field:1->tun_metadata1)')
  expect(lab.unmap(0)).toBe('NXTTMFC_INVALID_TLV_DEL')
  expect(lab.unmap(1)).toBe('NXTTMFC_INVALID_TLV_DEL')
  expect(lab.commands.tlvTableMod('br', { command: 'clear', maps: [] })).toBe('NXTTMFC_INVALID_TLV_DEL')
  expect(lab.unmap(2)).toBeUndefined()
  lab.delete('')
  expect(lab.unmap(0, 1)).toBeUndefined()
})

test('what is written into an option is matched on in later tables, and told with the packet', () => {
  const lab = new Lab()
  lab.map(map(0, 1), map(1, 2, 8), map(2, 3))
  const refused = lab.add(
    'in_port=1,actions=set_field:0xabcdef0123->tun_metadata1,move:tun_metadata1[8..15]->reg0[0..7],resubmit(,1)',
    'table=1,tun_metadata0,actions=drop',
    'table=1,priority=9,tun_metadata1=0xab00000000/0xff00000000,reg0=1,actions=2,controller,delete_field:tun_metadata1,resubmit(,2)',
    'table=2,priority=9,tun_metadata1,actions=3',
    'table=2,tun_metadata2=0,actions=3',
    'table=2,priority=1,actions=in_port',
  )
  expect(refused).toEqual([])
  expect(lab.ports('a', FRAME)).toEqual(['a', 'b'])
  const [packetIn] = lab.events.filter((e) => e.type === 'packet-in')
  expect(formatMatch(packetIn!.template.metadata)).toContain('tun_metadata1=0xabcdef0123')
})

test('monitors and those who asked for it hear of options in the flows that they are told of', () => {
  const lab = new Lab()
  lab.map(map(0, 1))
  lab.commands.flowMonitorPut('br', [{ id: 1, events: 7 << 1, ...parseFlowRequest('tun_metadata0=5') }])
  lab.add('tun_metadata0=4,actions=drop', 'send_flow_rem,tun_metadata0=5,actions=drop')
  lab.delete('tun_metadata0=5')
  const told = lab.events.flatMap((e) => (e.type === 'flow-changes' ? e.changes : []))
  expect(told.map(({ event, flow }) => `${event} ${formatMatch(flow.match)}`)).toEqual([
    'added tun_metadata0=0x5',
    'deleted tun_metadata0=0x5',
  ])
  const removed = lab.events.flatMap((e) => (e.type === 'flow-removed' ? [formatMatch(e.removed.match)] : []))
  expect(removed).toEqual(['tun_metadata0=0x5'])
})
