/** dpif/…, ofproto/list: bridges and what they have in the datapath, ovs-vswitchd(8) "DATAPATH COMMANDS". */
import type { PortStatus } from '../../engine/dpif.ts'
import { W_IN_PORT } from '../../protocols/flow-key.ts'
import type { UnixctlCommand } from './command-registry.ts'
import type { FlowNames } from './flow-names.ts'
import { formatMegaflow } from './megaflow-text.ts'
import {
  allRows,
  bridgeNamed,
  datapaths,
  hasNumber,
  portType,
  type SwitchView,
  sortedBridges,
} from './switch-view.ts'

export function dpifCommands(view: SwitchView, names: FlowNames): UnixctlCommand[] {
  return [
    {
      name: 'ofproto/list',
      usage: '',
      min: 0,
      max: 0,
      run: () =>
        sortedBridges(view)
          .map((bridge) => `${bridge.name}\n`)
          .join(''),
    },
    { name: 'dpif/show', usage: '', min: 0, max: 0, run: () => show(view) },
    {
      name: 'dpif/dump-dps',
      usage: '',
      min: 0,
      max: 0,
      run: () =>
        sortedBridges(view)
          .map(({ name, datapathType }) => `${datapathType}@${name}\n`)
          .join(''),
    },
    {
      name: 'dpif/dump-flows',
      usage: '[-m] [--names | --no-names] bridge',
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      run: (args) => dumpFlows(view, names, args),
    },
  ]
}

async function show(view: SwitchView): Promise<string> {
  const [dps, stats, ports] = await Promise.all([datapaths(view), view.dpif.stats(), view.dpif.ports()])
  const line = (port: PortStatus) => {
    const number = hasNumber(port) ? String(port.portNo) : 'none'
    return `    ${port.name} ${shownOfport(port.ofport)}/${number}: (${portType(port)})\n`
  }
  const bridge = (name: string) => {
    const members = ports.filter((port) => port.bridge === name).sort((a, b) => (a.name < b.name ? -1 : 1))
    return `  ${name}:\n${members.map(line).join('')}`
  }
  const { emcHits, megaflowHits, upcalls } = stats
  return dps
    .map(({ name, bridges }) => {
      const head = `${name}: hit:${emcHits + megaflowHits} missed:${upcalls}\n`
      return head + bridges.map((b) => bridge(b.name)).join('')
    })
    .join('')
}

/** OFPP_LOCAL as OpenFlow 1.0 has it. */
function shownOfport(ofport: number): number {
  return ofport & 0xffff
}

async function dumpFlows(view: SwitchView, flowNames: FlowNames, args: readonly string[]): Promise<string> {
  const verbose = args.includes('-m') || args.includes('--more')
  const names = args.includes('--names') || (verbose && !args.includes('--no-names'))
  const { name } = bridgeNamed(view, args.at(-1)!)
  const [rows, ports] = await Promise.all([
    allRows((from) => view.dpif.megaflows(from, names)),
    view.dpif.ports(),
  ])
  const own = new Map(ports.filter((port) => port.bridge === name).map((port) => [port.portNo, port.name]))
  const portName = (portNo: number) => (names ? (own.get(portNo) ?? String(portNo)) : String(portNo))
  return rows
    .filter((row) => own.has(row.key[W_IN_PORT]))
    .map((row) =>
      formatMegaflow(row, { verbose, separator: ' ', portName, flowName: (id) => flowNames.of(id) }),
    )
    .join('')
}
