/** dpctl/…: the datapath itself; the commands of ovs-dpctl(8), which by itself asks only the kernel. */
import type { PortStatus } from '../../engine/dpif.ts'
import type { UnixctlCommand } from './command-registry.ts'
import { dpctlActionCommands } from './dpctl-actions.ts'
import {
  dpctlError,
  findDatapath,
  INVALID,
  nothingLeft,
  splitArguments,
  takeDatapath,
} from './dpctl-arguments.ts'
import { dpctlConntrackCommands } from './dpctl-conntrack.ts'
import { dpctlFlowCommands } from './dpctl-flows.ts'
import { dpctlFragmentCommands } from './dpctl-fragments.ts'
import type { FlowNames } from './flow-names.ts'
import { type DatapathView, datapaths, portType, type SwitchView } from './switch-view.ts'

const MANY = Number.MAX_SAFE_INTEGER

export function dpctlCommands(view: SwitchView, names: FlowNames): UnixctlCommand[] {
  const commands: UnixctlCommand[] = [
    { name: 'dpctl/dump-dps', usage: '', min: 0, max: 0, run: () => dumpDatapaths(view) },
    { name: 'dpctl/show', usage: '[-s] [dp...]', min: 0, max: MANY, run: (args) => show(view, args) },
    ...dpctlFlowCommands(view, names),
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
    ...dpctlActionCommands(),
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
