/** Commands that ask what a switch, its ports, tables and queues are, and change ports, tables and fragments. */

import { OFPP_ANY } from '../../protocols/openflow/port.ts'
import {
  PC_NO_FLOOD,
  PC_NO_FWD,
  PC_NO_PACKET_IN,
  PC_NO_RECV,
  PC_NO_RECV_STP,
  PC_NO_STP,
  PC_PORT_DOWN,
} from '../../protocols/openflow/port-desc.ts'
import type { PortMod } from '../../protocols/openflow/port-mod.ts'
import type { FragmentHandling } from '../../protocols/openflow/switch-config.ts'
import type { TableMod } from '../../protocols/openflow/table-mod.ts'
import { type NameMaps, parsePort, parseTable } from '../../protocols/openflow/text/names.ts'
import { syntaxError } from '../../protocols/openflow/text/scan.ts'
import { formatTableFeatures } from '../../protocols/openflow/text/table-format.ts'
import { OF11, OF12, OF13, OF14, OF15 } from '../../protocols/openflow/version.ts'
import { print } from '../cli/output.ts'
import { CliError } from '../errors.ts'
import type { Runs } from './command.ts'
import { type Context, usage } from './context.ts'
import type { SwitchConnection } from './switch-connection.ts'
import { portsOf } from './switch-names.ts'
import { versionName } from './versions.ts'

function port(text: string, names: NameMaps | undefined): number {
  return parsePort(text, names) ?? syntaxError(`there is no port ${text}`)
}

async function show(context: Context): Promise<void> {
  const c = await context.connect()
  await context.print(c, await c.request('FEATURES_REQUEST', undefined, 'FEATURES_REPLY'))
  if (c.version >= OF13) {
    await context.print(
      c,
      await c.request('PORT_DESC_STATS_REQUEST', { port: OFPP_ANY }, 'PORT_DESC_STATS_REPLY'),
    )
  }
  await context.print(c, await c.request('GET_CONFIG_REQUEST', undefined, 'GET_CONFIG_REPLY'))
}

async function dumpDesc(context: Context): Promise<void> {
  const c = await context.connect()
  await context.print(c, await c.request('DESC_STATS_REQUEST', undefined, 'DESC_STATS_REPLY'))
}

async function dumpTables(context: Context): Promise<void> {
  const c = await context.connect()
  await context.print(c, await c.request('TABLE_STATS_REQUEST', undefined, 'TABLE_STATS_REPLY'))
}

async function dumpTableFeatures(context: Context): Promise<void> {
  const c = await context.connect()
  const reply = await c.request('TABLE_FEATURES_STATS_REQUEST', [], 'TABLE_FEATURES_STATS_REPLY')
  // ovs-ofctl leaves the title out here, and ends with an empty line.
  print(`${formatTableFeatures(reply.body, c.version)}\n`)
}

async function dumpTableDesc(context: Context): Promise<void> {
  const c = await context.connect()
  await context.print(c, await c.request('TABLE_DESC_REQUEST', undefined, 'TABLE_DESC_REPLY'))
}

async function dumpPorts(context: Context): Promise<void> {
  const c = await context.connect()
  const [, which] = context.args
  const number = which === undefined ? OFPP_ANY : await context.parse(c, (names) => port(which, names))
  await context.print(c, await c.request('PORT_STATS_REQUEST', { port: number }, 'PORT_STATS_REPLY'))
}

async function dumpPortsDesc(context: Context): Promise<void> {
  const c = await context.connect()
  const [, which] = context.args
  const number = which === undefined ? OFPP_ANY : await context.parse(c, (names) => port(which, names))
  await context.print(
    c,
    await c.request('PORT_DESC_STATS_REQUEST', { port: number }, 'PORT_DESC_STATS_REPLY'),
  )
}

/** What switches a bit of the configuration on; with `no-` in front, or without, off. */
const PORT_SETTINGS: Readonly<Record<string, readonly [bit: number, on: boolean]>> = {
  up: [PC_PORT_DOWN, false],
  down: [PC_PORT_DOWN, true],
  stp: [PC_NO_STP, false],
  'no-stp': [PC_NO_STP, true],
  receive: [PC_NO_RECV, false],
  'no-receive': [PC_NO_RECV, true],
  'receive-stp': [PC_NO_RECV_STP, false],
  'no-receive-stp': [PC_NO_RECV_STP, true],
  flood: [PC_NO_FLOOD, false],
  'no-flood': [PC_NO_FLOOD, true],
  forward: [PC_NO_FWD, false],
  'no-forward': [PC_NO_FWD, true],
  'packet-in': [PC_NO_PACKET_IN, false],
  'no-packet-in': [PC_NO_PACKET_IN, true],
}

async function modPort(context: Context): Promise<void> {
  const [target, which = '', setting = ''] = context.args
  const change = Object.hasOwn(PORT_SETTINGS, setting) ? PORT_SETTINGS[setting] : undefined
  if (change === undefined) {
    throw usage(
      `"${setting}" is no setting of a port.`,
      `Settings are ${Object.keys(PORT_SETTINGS).join(', ')}.`,
    )
  }
  const c = await context.connect()
  const ports = await portsOf(c)
  const number = parsePort(which)
  const found = ports.find((p) =>
    number === undefined ? context.options.names && p.name === which : p.port === number,
  )
  if (found === undefined) {
    const known = ports.map((p) => p.name).join(', ')
    throw new CliError(`${target} has no port ${which}.`, { hint: `Its ports are ${known}.` })
  }
  const [mask, on] = change
  const mod: PortMod = { port: found.port, hwAddr: found.hwAddr, config: on ? mask : 0, mask, advertise: 0 }
  await c.change('PORT_MOD', mod)
}

const MISSES = ['controller', 'continue', 'drop'] as const

/** Which table a command is about; 0xff for all. */
function tableOf(context: Context, c: SwitchConnection, which: string): Promise<number> {
  return context.parse(c, (names) =>
    which.toLowerCase() === 'all'
      ? 0xff
      : (parseTable(which, names) ?? syntaxError(`unknown table "${which}"`)),
  )
}

/** By OpenFlow 1.5, all else of the table as it is. */
async function nameTable(context: Context, which: string, name: string): Promise<void> {
  const c = await context.connect()
  if (c.version < OF15)
    throw usage(`${versionName(c.version)} names no tables.`, `Allow -O ${versionName(OF15)}.`)
  const table = await tableOf(context, c, which)
  const { body } = await c.request('TABLE_FEATURES_STATS_REQUEST', [], 'TABLE_FEATURES_STATS_REPLY')
  const now = body.find((t) => t.table === table)
  if (now === undefined) throw usage(`There is no table ${which}.`)
  const change = { ...now, command: 'modify', name, hasProperties: false } as const
  await c.request('TABLE_FEATURES_STATS_REQUEST', [change], 'TABLE_FEATURES_STATS_REPLY')
}

async function modTable(context: Context): Promise<void> {
  const [, which = '', setting = ''] = context.args
  if (setting.startsWith('name:')) return await nameTable(context, which, setting.slice(5))
  const miss = MISSES.find((m) => m === setting)
  const vacancy = /^vacancy:(\d+),(\d+)$/.exec(setting)
  const evicts = setting === 'evict' || setting === 'noevict'
  if (miss === undefined && vacancy === null && !evicts && setting !== 'novacancy') {
    throw usage(
      `"${setting}" is no setting of a table.`,
      'Settings are controller, continue, drop (OpenFlow 1.1, 1.2), evict, noevict, vacancy:LOW,HIGH, novacancy (1.4), name:NAME (1.5).',
    )
  }
  const c = await context.connect()
  const fits = miss === undefined ? c.version >= OF14 : c.version === OF11 || c.version === OF12
  if (!fits) {
    const needed = miss === undefined ? versionName(OF14) : `${versionName(OF11)},${versionName(OF12)}`
    throw usage(`${versionName(c.version)} has no such setting of tables: ${setting}.`, `Allow -O ${needed}.`)
  }
  const table = await tableOf(context, c, which)
  const mod: TableMod = {
    table,
    miss,
    eviction: undefined,
    evictionFlags: undefined,
    vacancyEvents: undefined,
    vacancy: { down: 0, up: 0, vacancy: 0 },
  }
  if (miss === undefined) {
    // A table-mod says everything of a table: what is not meant to change is asked for before.
    const { body } = await c.request('TABLE_DESC_REQUEST', undefined, 'TABLE_DESC_REPLY')
    const now = body.find((d) => d.table === table)
    mod.eviction = evicts ? setting === 'evict' : now?.eviction
    mod.vacancyEvents = evicts ? now?.vacancyEvents : vacancy !== null
    if (vacancy !== null) mod.vacancy = { down: Number(vacancy[1]), up: Number(vacancy[2]), vacancy: 0 }
    else if (mod.vacancyEvents === true && now !== undefined) mod.vacancy = { ...now.vacancy, vacancy: 0 }
  }
  await c.change('TABLE_MOD', mod)
}

const FRAGMENTS: readonly FragmentHandling[] = ['normal', 'drop', 'reassemble', 'nx-match']

async function getFrags(context: Context): Promise<void> {
  const c = await context.connect()
  print((await c.request('GET_CONFIG_REQUEST', undefined, 'GET_CONFIG_REPLY')).body.frag)
}

async function setFrags(context: Context): Promise<void> {
  const [, word] = context.args
  const frag = FRAGMENTS.find((f) => f === word)
  if (frag === undefined) {
    throw usage(`"${word}" is no way to handle fragments.`, `Ways are ${FRAGMENTS.join(', ')}.`)
  }
  const c = await context.connect()
  const before = (await c.request('GET_CONFIG_REQUEST', undefined, 'GET_CONFIG_REPLY')).body
  if (before.frag === frag) return
  await c.change('SET_CONFIG', { ...before, frag })
  const after = (await c.request('GET_CONFIG_REQUEST', undefined, 'GET_CONFIG_REPLY')).body
  if (after.frag !== frag) {
    throw new CliError(`The switch did not take the fragment mode ${frag}.`, {
      hint: 'It may not support it.',
    })
  }
}

async function dumpIpfixBridge(context: Context): Promise<void> {
  const c = await context.connect()
  await context.print(c, await c.request('IPFIX_BRIDGE_STATS_REQUEST', undefined, 'IPFIX_BRIDGE_STATS_REPLY'))
}

async function dumpIpfixFlow(context: Context): Promise<void> {
  const c = await context.connect()
  await context.print(c, await c.request('IPFIX_FLOW_STATS_REQUEST', undefined, 'IPFIX_FLOW_STATS_REPLY'))
}

export const RUNS: Runs = {
  show,
  'dump-desc': dumpDesc,
  'dump-tables': dumpTables,
  'dump-table-features': dumpTableFeatures,
  'dump-table-desc': dumpTableDesc,
  'mod-table': modTable,
  'dump-ports': dumpPorts,
  'dump-ports-desc': dumpPortsDesc,
  'mod-port': modPort,
  'get-frags': getFrags,
  'set-frags': setFrags,
  'dump-ipfix-bridge': dumpIpfixBridge,
  'dump-ipfix-flow': dumpIpfixFlow,
}
