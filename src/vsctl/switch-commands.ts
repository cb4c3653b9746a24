/** The switch as a whole, Auto Attach mappings, and time-outs of connection tracking zones. */

import {
  type Datum,
  datumOf,
  EMPTY_MAP,
  EMPTY_SET,
  equalDatums,
  mapValue,
  scalar,
} from '../../protocols/ovsdb/datum.ts'
import { subtract, union } from '../../protocols/ovsdb/datum-algebra.ts'
import { setOf, TOPOLOGY, Topology } from './bridges.ts'
import { type Call, command, type Needs, type VsctlCommand, VsctlError } from './command.ts'
import type { DraftRow } from './draft.ts'
import { SHOW_COMMAND } from './show.ts'

const MANY = Number.POSITIVE_INFINITY

const RESET_COLUMNS = ['controller', 'fail_mode', 'mirrors', 'netflow', 'sflow', 'ipfix', 'flood_vlans']
/** All rows of these go. */
const RESET_TABLES = [
  'Mirror',
  'Controller',
  'Manager',
  'NetFlow',
  'SSL',
  'sFlow',
  'IPFIX',
  'Flow_Sample_Collector_Set',
]

const RESET: Needs = {
  Open_vSwitch: ['manager_options', 'ssl'],
  Bridge: [...RESET_COLUMNS, 'other_config'],
  Port: ['other_config'],
  Interface: ['ingress_policing_rate', 'ingress_policing_burst'],
  ...Object.fromEntries(RESET_TABLES.map((table) => [table, []])),
}

/** Bridges and ports stay; what somebody has configured about them does not. */
function emergencyReset(call: Call): void {
  const { draft, session } = call
  session.root.set('manager_options', EMPTY_SET)
  session.root.set('ssl', EMPTY_SET)
  for (const bridge of draft.rows('Bridge')) {
    for (const column of RESET_COLUMNS) bridge.set(column, EMPTY_SET)
    const address = mapValue(bridge.get('other_config'), 'hwaddr')
    bridge.set('other_config', address === undefined ? EMPTY_MAP : { keys: ['hwaddr'], values: [address] })
  }
  for (const port of draft.rows('Port')) port.set('other_config', EMPTY_MAP)
  for (const each of draft.rows('Interface')) {
    each.set('ingress_policing_rate', scalar(0))
    each.set('ingress_policing_burst', scalar(0))
  }
  for (const table of RESET_TABLES) for (const row of draft.rows(table)) draft.delete(row)
}

function integer(word: string): number {
  const value = Number.parseInt(word, 10)
  if (Number.isNaN(value)) throw new VsctlError(`Invalid argument ${word}`)
  return value
}

/** The row of a bridge, or of a fake one's parent, and that of its Auto Attach, if there is one. */
function autoAttach(call: Call): { readonly bridge: DraftRow; readonly row: DraftRow | undefined } {
  const { row: bridge } = new Topology(call.session).bridge(call.args[0])
  bridge.verify('auto_attach')
  const [uuid] = bridge.get('auto_attach').keys
  const row = uuid === undefined ? undefined : call.draft.row('AutoAttach', String(uuid))
  row?.verify('mappings')
  return { bridge, row }
}

function addMapping(call: Call): void {
  const [isid, vlan] = call.args.slice(1).map(integer)
  const { bridge, row } = autoAttach(call)
  const own = row ?? call.draft.insert('AutoAttach')
  if (row === undefined) bridge.set('auto_attach', setOf([own]))
  own.set('mappings', union(own.get('mappings'), { keys: [isid], values: [vlan] }))
}

function deleteMapping(call: Call): void {
  const [isid, vlan] = call.args.slice(1).map(integer)
  const { row } = autoAttach(call)
  row?.set('mappings', subtract(row.get('mappings'), { keys: [isid], values: [vlan] }))
}

function getMappings(call: Call): void {
  const { keys, values } = autoAttach(call).row?.get('mappings') ?? EMPTY_MAP
  keys.forEach((isid, i) => {
    call.print(`${isid} ${values![i]}`)
  })
}

function datapath(call: Call, missing: (name: string) => string): DraftRow {
  const [name] = call.args
  const uuid = mapValue(call.session.root.get('datapaths'), name)
  const row = uuid === undefined ? undefined : call.draft.row('Datapath', String(uuid))
  if (row === undefined) throw new VsctlError(missing(name))
  return row
}

function zoneOf(call: Call): number {
  return Number.parseInt(call.args[1].replace(/^zone=/, ''), 10) || 0
}

function zoneRow(call: Call, dp: DraftRow, zone: number): DraftRow | undefined {
  const uuid = mapValue(dp.get('ct_zones'), zone)
  return uuid === undefined ? undefined : call.draft.row('CT_Zone', String(uuid))
}

const noDatapath = (name: string) => `datapath ${name} does not exist`

function addZonePolicy(call: Call): void {
  const dp = datapath(call, noDatapath)
  const zone = zoneOf(call)
  const timeouts = call.args.slice(2)
  const known = zoneRow(call, dp, zone)
  if (timeouts.length === 0) throw new VsctlError('No timeout policy')
  if (known !== undefined && !call.has('--may-exist')) throw new VsctlError(`zone id ${zone} already exists`)
  const policy = timeoutPolicy(call, timeouts)
  const row = known ?? call.draft.insert('CT_Zone')
  row.set('timeout_policy', setOf([policy]))
  if (known === undefined) dp.set('ct_zones', union({ keys: [zone], values: [row.uuid] }, dp.get('ct_zones')))
}

/** One that is there, if it is the same. */
function timeoutPolicy(call: Call, words: readonly string[]): DraftRow {
  const pairs = words.flatMap((word) => word.split(/[, ]+/)).map((word) => word.split('='))
  const wanted: Datum = datumOf(
    pairs.map(([name]) => name),
    pairs.map(([, seconds]) => Number.parseInt(seconds, 10) || 0),
  )
  const same = call.draft.rows('CT_Timeout_Policy').find((row) => equalDatums(row.get('timeouts'), wanted))
  if (same !== undefined) return same
  const row = call.draft.insert('CT_Timeout_Policy')
  row.set('timeouts', wanted)
  return row
}

function deleteZonePolicy(call: Call): void {
  const dp = datapath(call, noDatapath)
  const zone = zoneOf(call)
  if (zoneRow(call, dp, zone) === undefined) {
    if (call.has('--if-exists')) return
    throw new VsctlError(`zone id ${zone} does not exist`)
  }
  dp.set('ct_zones', subtract(dp.get('ct_zones'), { keys: [zone] }))
}

function listZonePolicies(call: Call): void {
  const dp = datapath(call, (name) => `datapath: ${name} record not found`)
  for (const zone of dp.get('ct_zones').keys) {
    const uuid = zoneRow(call, dp, Number(zone))?.get('timeout_policy').keys[0]
    const policy = uuid === undefined ? undefined : call.draft.row('CT_Timeout_Policy', String(uuid))
    const { keys, values } = policy?.get('timeouts') ?? EMPTY_MAP
    const timeouts =
      policy === undefined ? 'system default' : keys.map((name, i) => `${name}=${values![i]}`).join(' ')
    call.print(`Zone:${zone}, Timeout Policies: ${timeouts}`)
  }
}

function listCapabilities(call: Call): void {
  const dp = datapath(call, (name) => `datapath "${name}" record not found`)
  const { keys, values } = dp.get('capabilities')
  call.print(keys.map((key, i) => `${key}=${values![i]}`).join(' '))
}

const ATTACH: Needs = { ...TOPOLOGY, Bridge: [...TOPOLOGY.Bridge!, 'auto_attach'], AutoAttach: ['mappings'] }
const ZONES: Needs = {
  Open_vSwitch: ['datapaths'],
  Datapath: ['ct_zones', 'capabilities'],
  CT_Zone: ['timeout_policy'],
  CT_Timeout_Policy: ['timeouts'],
}

export const SWITCH_COMMANDS: readonly VsctlCommand[] = [
  command('init', '', [0, 0], {}, () => {}),
  SHOW_COMMAND,
  command('emer-reset', '', [0, 0], RESET, emergencyReset),
  command('comment', '[ARG]...', [0, MANY], {}, () => {}),
  command('add-aa-mapping', 'BRIDGE ARG ARG', [3, 3], ATTACH, addMapping),
  command('del-aa-mapping', 'BRIDGE ARG ARG', [3, 3], ATTACH, deleteMapping),
  command('get-aa-mapping', 'BRIDGE', [1, 1], ATTACH, getMappings),
  command('add-zone-tp', 'DP zone=ID NAME=SECONDS...', [3, MANY], ZONES, addZonePolicy, ['--may-exist']),
  command('del-zone-tp', 'DP zone=ID', [2, 2], ZONES, deleteZonePolicy, ['--if-exists']),
  command('list-zone-tp', 'DP', [1, 1], ZONES, listZonePolicies),
  command('list-dp-cap', 'DP', [1, 1], ZONES, listCapabilities),
]
