/** dpctl/…: the datapath itself; the commands of ovs-dpctl(8), which by itself asks only the kernel. */
import type { PortStatus } from '../../engine/dpif.ts'
import { W_IN_PORT } from '../../protocols/flow-key.ts'
import type { UnixctlCommand } from './command-registry.ts'
import {
  dpctlError,
  findDatapath,
  INVALID,
  nothingLeft,
  splitArguments,
  takeDatapath,
} from './dpctl-arguments.ts'
import { dpctlConntrackCommands } from './dpctl-conntrack.ts'
import { dpctlFragmentCommands } from './dpctl-fragments.ts'
import { formatMegaflow, parseUfid } from './megaflow-text.ts'
import { allRows, type DatapathView, datapaths, portType, type SwitchView } from './switch-view.ts'

const MANY = Number.MAX_SAFE_INTEGER

export function dpctlCommands(view: SwitchView): UnixctlCommand[] {
  const commands: UnixctlCommand[] = [
    { name: 'dpctl/dump-dps', usage: '', min: 0, max: 0, run: () => dumpDatapaths(view) },
    { name: 'dpctl/show', usage: '[-s] [dp...]', min: 0, max: MANY, run: (args) => show(view, args) },
    {
      name: 'dpctl/dump-flows',
      usage: '[-m] [--names] [dp] [filter=..] [type=..] [pmd=..]',
      min: 0,
      max: 6,
      run: (args) => dumpFlows(view, args),
    },
    { name: 'dpctl/get-flow', usage: '[dp] ufid', min: 1, max: 2, run: (args) => getFlow(view, args) },
    {
      name: 'dpctl/del-flows',
      usage: '[dp] [file]',
      min: 0,
      max: 2,
      run: async (args) => {
        const { rest } = await takeDatapath(view, args)
        if (rest.length > 0) throw dpctlError(`Opening file "${rest[0]}" failed`, 'No such file or directory')
        await view.dpif.megaflowsFlush()
        return ''
      },
    },
    {
      name: 'dpctl/cache-get-size',
      usage: '[dp]',
      min: 0,
      max: 1,
      run: async (args) => {
        const all = await datapaths(view)
        if (args.length > 0 && findDatapath(all, args[0]) === undefined) {
          throw dpctlError(`Opening datapath ${args[0]} failed`, 'No such device')
        }
        return `${(await takeDatapath(view, args)).datapath.name}:\n`
      },
    },
    {
      name: 'dpctl/cache-set-size',
      usage: 'dp cache <size>',
      min: 3,
      max: 3,
      run: async ([dp, , size]) => {
        if (!/^\d/.test(size)) throw dpctlError('size is malformed', INVALID)
        if (findDatapath(await datapaths(view), dp) === undefined) {
          throw dpctlError(`Opening datapath ${dp} failed`, 'No such device')
        }
        throw dpctlError('Setting caches not supported', 'Operation not supported')
      },
    },
    {
      name: 'dpctl/offload-stats-show',
      usage: '[dp]',
      min: 0,
      max: 1,
      // No device forwards by itself.
      run: async (args) => {
        nothingLeft((await takeDatapath(view, args)).rest)
        throw dpctlError('retrieving offload statistics', INVALID)
      },
    },
    ...dpctlConntrackCommands(view),
    ...dpctlFragmentCommands(view),
  ]
  return [...commands, { name: 'dpctl/list-commands', usage: '', min: 0, max: 0, run: () => list(commands) }]
}

function list(commands: readonly UnixctlCommand[]): string {
  const lines = [...commands, { name: 'dpctl/list-commands', usage: '' }]
    .map(({ name, usage }) => `  ${name.padEnd(29)} ${usage}\n`)
    .join('')
  return `The available commands are:\n${lines}`
}

async function dumpDatapaths(view: SwitchView): Promise<string> {
  return (await datapaths(view)).map(({ name }) => `${name}\n`).join('')
}

async function show(view: SwitchView, args: readonly string[]): Promise<string> {
  const { options, rest } = splitArguments(args)
  const all = await datapaths(view)
  const { emcHits, megaflowHits, upcalls, flows, drops } = await view.dpif.stats()
  const text = (datapath: DatapathView): string =>
    [
      `${datapath.name}:`,
      `  lookups: hit:${emcHits + megaflowHits} missed:${upcalls} lost:${drops['slow-path-busy'] ?? 0}`,
      `  flows: ${flows}`,
      `  port 0: ovs-${datapath.type} (${datapath.type === 'dummy' ? 'dummy-internal' : 'tap'})`,
      ...(options.has('-s') || options.has('--statistics') ? counters(undefined) : []),
      ...datapath.ports.flatMap((port) => [
        `  port ${port.portNo}: ${port.name} (${portType(port)})`,
        ...(options.has('-s') || options.has('--statistics') ? counters(port) : []),
      ]),
      '',
    ].join('\n')
  if (rest.length === 0) return all.map(text).join('')
  return rest
    .map((name) => {
      const datapath = findDatapath(all, name)
      if (datapath === undefined) throw dpctlError(`opening datapath ${name} failed`, 'No such device')
      return text(datapath)
    })
    .join('')
}

/** A question mark stands for what nobody counts. */
function counters(port: PortStatus | undefined): string[] {
  const stat = (name: string) => port?.stats[name] ?? 0
  // Devices in memory can neither lose nor spoil what they are given.
  const lost = (name: string) => (port === undefined || port.type === 'memory' ? '?' : String(stat(name)))
  return [
    `    RX packets:${stat('rx_packets')} errors:${lost('rx_errors')} dropped:${lost('rx_dropped')} overruns:? frame:?`,
    `    TX packets:${stat('tx_packets')} errors:${lost('tx_errors')} dropped:${lost('tx_dropped')} aborted:? carrier:?`,
    '    collisions:?',
    `    RX bytes:${amount(stat('rx_bytes'))}  TX bytes:${amount(stat('tx_bytes'))}`,
  ]
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB']

/** With the same in larger units behind it, where there is one. */
function amount(bytes: number): string {
  let unit = -1
  let value = bytes
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return unit < 0 ? String(bytes) : `${bytes} (${value.toFixed(1)} ${UNITS[unit]})`
}

async function flowsOf(view: SwitchView, datapath: DatapathView, names: boolean) {
  const rows = await allRows((from) => view.dpif.megaflows(from, names))
  const own = new Map((await view.dpif.ports()).map((port) => [port.portNo, port]))
  const member = (portNo: number) => {
    const bridge = own.get(portNo)?.bridge
    return datapath.bridges.some(({ name }) => name === bridge)
  }
  return {
    rows: rows.filter((row) => member(row.key[W_IN_PORT])),
    portName: (portNo: number) => (names ? (own.get(portNo)?.name ?? String(portNo)) : String(portNo)),
  }
}

async function dumpFlows(view: SwitchView, args: readonly string[]): Promise<string> {
  const { options, rest } = splitArguments(args)
  const settings = rest.filter((arg) => /^(?:filter|type|pmd)=/.test(arg))
  const type = settings.find((arg) => arg.startsWith('type='))?.slice('type='.length)
  const TYPES = ['ovs', 'tc', 'dpdk', 'offloaded', 'non-offloaded', 'partially-offloaded', 'all']
  if (type !== undefined && !type.split(',').every((word) => TYPES.includes(word))) {
    throw dpctlError(`Failed to parse type (${type})`, INVALID)
  }
  const named = await takeDatapath(
    view,
    rest.filter((arg) => !settings.includes(arg)),
  )
  nothingLeft(named.rest)
  const verbose = options.has('-m') || options.has('--more')
  const names = verbose || options.has('--names')
  const { rows, portName } = await flowsOf(view, named.datapath, names)
  if (rows.length === 0) return ''
  const lines = rows.map((row) => formatMegaflow(row, { verbose, separator: ', ', portName }))
  return `flow-dump from the main thread:\n${lines.join('')}`
}

async function getFlow(view: SwitchView, args: readonly string[]): Promise<string> {
  const { datapath, rest } = await takeDatapath(view, args)
  const id = parseUfid((rest[0] ?? '').replace(/^ufid:/, ''))
  if (id === undefined) throw dpctlError('parsing flow ufid', INVALID)
  const { rows, portName } = await flowsOf(view, datapath, false)
  const row = rows.find((r) => r.id === id)
  if (row === undefined) throw dpctlError('getting flow', 'No such file or directory')
  return formatMegaflow(row, { verbose: false, separator: ', ', portName })
}
