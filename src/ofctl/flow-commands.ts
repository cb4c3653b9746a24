/** Commands that list, add, change and remove flows, and send packets. */

import type { FlowModCommand } from '../../protocols/openflow/flow-mod.ts'
import type { FlowStats, FlowStatsRequest } from '../../protocols/openflow/flow-stats.ts'
import type { Message } from '../../protocols/openflow/message.ts'
import { formatFlow } from '../../protocols/openflow/text/flow-format.ts'
import { parseFlow, parseFlowLine, parseFlowRequest } from '../../protocols/openflow/text/flow-parse.ts'
import { parseGroupLine } from '../../protocols/openflow/text/group-parse.ts'
import type { NameMaps } from '../../protocols/openflow/text/names.ts'
import { parsePacketOut } from '../../protocols/openflow/text/packet-out-parse.ts'
import { syntaxError } from '../../protocols/openflow/text/scan.ts'
import { OF10 } from '../../protocols/openflow/version.ts'
import { print } from '../cli/output.ts'
import type { Runs } from './command.ts'
import type { Context } from './context.ts'
import { applyBundle, applyChanges, type Change } from './flow-changes.ts'
import { sortFlows } from './flow-sort.ts'
import { Refusal, type SwitchConnection } from './switch-connection.ts'
import { BUNDLE_VERSIONS } from './versions.ts'

/** OpenFlow 1.0 tells more of flows in Nicira's format, where the switch has that. */
async function statsForm(c: SwitchConnection, what: 'FLOW' | 'AGGREGATE'): Promise<string | undefined> {
  if (c.version !== OF10) return undefined
  try {
    await c.change('SET_FLOW_FORMAT', 'nxm')
    return `NXST_${what}_REQUEST`
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** The flows of a switch that a request asks for. */
export async function requestFlows(
  c: SwitchConnection,
  request: FlowStatsRequest,
): Promise<Message & { type: 'FLOW_STATS_REPLY' }> {
  return c.request('FLOW_STATS_REQUEST', request, 'FLOW_STATS_REPLY', await statsForm(c, 'FLOW'))
}

async function dumpFlows(context: Context): Promise<void> {
  const { stats, showNames, sort } = context.options
  const c = await context.connect()
  const [, filter = ''] = context.args
  const request = await context.parse(c, (names) => parseFlowRequest(filter, names))
  const reply = await requestFlows(c, request)
  if (stats && !showNames && sort.length === 0) {
    await context.print(c, reply)
    return
  }
  const names = await context.shownNames(c)
  // In this form ovs-ofctl leaves the message's title out, and of OpenFlow 1.0 the ages of flows.
  const ageless = (f: FlowStats): FlowStats => ({ ...f, idleAge: undefined, hardAge: undefined })
  const flows = c.version === OF10 ? reply.body.map(ageless) : reply.body
  const text = sortFlows(flows, sort).map((f) => ` ${formatFlow(f, { stats, ...(names && { names }) })}`)
  if (text.length > 0) print(text.join('\n'))
}

async function dumpAggregate(context: Context): Promise<void> {
  const c = await context.connect()
  const [, filter = ''] = context.args
  const request = await context.parse(c, (names) => parseFlowRequest(filter, names))
  const form = await statsForm(c, 'AGGREGATE')
  await context.print(c, await c.request('AGGREGATE_STATS_REQUEST', request, 'AGGREGATE_STATS_REPLY', form))
}

/** Connects for changes: bundles need a version that has them. */
function connectForChanges(context: Context): Promise<SwitchConnection> {
  const { bundle, versions } = context.options
  const [target] = context.args
  return context.connect(target, bundle ? versions | BUNDLE_VERSIONS : versions)
}

async function apply(context: Context, c: SwitchConnection, changes: readonly Change[]): Promise<void> {
  await (context.options.bundle ? applyBundle(c, changes) : applyChanges(c, changes))
}

/** Reads changes from the argument, or from standard input where it is `-`, or from a file; and makes them. */
export async function change(
  context: Context,
  from: 'argument' | 'file',
  parse: (text: string, names: NameMaps | undefined) => Change,
): Promise<void> {
  const [, text = ''] = context.args
  const c = await connectForChanges(context)
  const changes =
    from === 'file' || text === '-'
      ? await context.parseLines(c, text, parse)
      : [await context.parse(c, (names) => parse(text, names))]
  await apply(context, c, changes)
}

function flowChange(otherwise: FlowModCommand, one: boolean) {
  return (text: string, names: NameMaps | undefined): Change => ({
    type: 'FLOW_MOD',
    body: one ? parseFlow(text, otherwise, names) : parseFlowLine(text, names, otherwise),
  })
}

const addFlow = (context: Context): Promise<void> => change(context, 'argument', flowChange('add', false))
const addFlows = (context: Context): Promise<void> => change(context, 'file', flowChange('add', false))

async function modFlows(context: Context): Promise<void> {
  await change(context, 'argument', flowChange(context.options.strict ? 'modify_strict' : 'modify', true))
}

async function delFlows(context: Context): Promise<void> {
  const all = context.args.length < 2
  const parse = flowChange(context.options.strict ? 'delete_strict' : 'delete', true)
  if (!all) return change(context, 'argument', parse)
  const c = await connectForChanges(context)
  await apply(context, c, [parse('', undefined)])
}

function packetOutChange(text: string, names: NameMaps | undefined): Change {
  return { type: 'PACKET_OUT', body: parsePacketOut(text, names) }
}

/** `packet-out SWITCH PACKET-OUT`, or, as before, `packet-out SWITCH IN_PORT ACTIONS PACKET…`. */
async function packetOut(context: Context): Promise<void> {
  const [, first = '', actions, ...packets] = context.args
  if (actions === undefined) return change(context, 'argument', packetOutChange)
  const c = await connectForChanges(context)
  const changes = await context.parse(c, (names) =>
    packets.map((packet) => packetOutChange(`in_port=${first},packet=${packet},actions=${actions}`, names)),
  )
  await apply(context, c, changes)
}

/** A line of a bundle's file says which kind of change it is. */
function anyChange(text: string, names: NameMaps | undefined): Change {
  const [, kind, rest = ''] = /^(flow|group|packet-out)\b\s*(.*)$/.exec(text) ?? []
  if (kind === 'flow') return { type: 'FLOW_MOD', body: parseFlowLine(rest, names) }
  if (kind === 'group') return { type: 'GROUP_MOD', body: parseGroupLine(rest, names) }
  if (kind === 'packet-out') return packetOutChange(rest, names)
  return syntaxError('a line of a bundle begins with flow, group or packet-out')
}

async function bundle(context: Context): Promise<void> {
  const { versions } = context.options
  const c = await context.connect(context.args[0], versions | BUNDLE_VERSIONS)
  await applyBundle(c, await context.parseLines(c, context.args[1]!, anyChange))
}

export const RUNS: Runs = {
  'dump-flows': dumpFlows,
  'dump-aggregate': dumpAggregate,
  'add-flow': addFlow,
  'add-flows': addFlows,
  'mod-flows': modFlows,
  'del-flows': delFlows,
  'packet-out': packetOut,
  bundle,
}
