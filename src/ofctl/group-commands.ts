/** Commands for groups and meters. */

import { OFPG_ALL } from '../../protocols/openflow/flow-mod.ts'
import { BUCKET_ALL, type GroupCommand } from '../../protocols/openflow/group.ts'
import { NO_SELECTION } from '../../protocols/openflow/group-selection.ts'
import { METER_ALL, type MeterCommand } from '../../protocols/openflow/meter.ts'
import { parseGroup, parseGroupId, parseGroupLine } from '../../protocols/openflow/text/group-parse.ts'
import { parseMeter, parseMeterRequest } from '../../protocols/openflow/text/meter-text.ts'
import type { NameMaps } from '../../protocols/openflow/text/names.ts'
import type { Runs } from './command.ts'
import type { Context } from './context.ts'
import { applyBundle, applyChanges, type Change } from './flow-changes.ts'
import { change } from './flow-commands.ts'
import { BUNDLE_VERSIONS } from './versions.ts'

function groupChange(otherwise: GroupCommand, one: boolean) {
  return (text: string, names: NameMaps | undefined): Change => ({
    type: 'GROUP_MOD',
    body: one ? parseGroup(text, otherwise, names) : parseGroupLine(text, names, otherwise),
  })
}

async function delGroups(context: Context): Promise<void> {
  if (context.args.length > 1) return change(context, 'argument', groupChange('delete', true))
  const { bundle, versions } = context.options
  const c = await context.connect(context.args[0], bundle ? versions | BUNDLE_VERSIONS : versions)
  const all: Change = {
    type: 'GROUP_MOD',
    body: {
      command: 'delete',
      groupType: 'all',
      group: OFPG_ALL,
      commandBucketId: BUCKET_ALL,
      buckets: [],
      selection: NO_SELECTION,
    },
  }
  await (bundle ? applyBundle(c, [all]) : applyChanges(c, [all]))
}

function groupArgument(context: Context, text: string | undefined): number {
  if (text === undefined) return OFPG_ALL
  return context.read(() => parseGroupId(text.toLowerCase().replace(/^group_id=/, '')))
}

async function dumpGroups(context: Context): Promise<void> {
  const c = await context.connect()
  const group = groupArgument(context, context.args[1])
  await context.print(c, await c.request('GROUP_DESC_STATS_REQUEST', { group }, 'GROUP_DESC_STATS_REPLY'))
}

async function dumpGroupStats(context: Context): Promise<void> {
  const c = await context.connect()
  const group = groupArgument(context, context.args[1])
  await context.print(c, await c.request('GROUP_STATS_REQUEST', { group }, 'GROUP_STATS_REPLY'))
}

async function dumpGroupFeatures(context: Context): Promise<void> {
  const c = await context.connect()
  const reply = await c.request('GROUP_FEATURES_STATS_REQUEST', undefined, 'GROUP_FEATURES_STATS_REPLY')
  await context.print(c, reply)
}

function meterMod(kind: MeterCommand) {
  return async (context: Context): Promise<void> => {
    const text = context.args[1] ?? 'meter=all'
    const mod = context.read(() => parseMeter(text, kind))
    await (await context.connect()).change('METER_MOD', mod)
  }
}

function meterArgument(context: Context): number {
  const [, text] = context.args
  return text === undefined ? METER_ALL : context.read(() => parseMeterRequest(text))
}

async function dumpMeters(context: Context): Promise<void> {
  const meter = meterArgument(context)
  const c = await context.connect()
  await context.print(c, await c.request('METER_CONFIG_STATS_REQUEST', { meter }, 'METER_CONFIG_STATS_REPLY'))
}

async function meterStats(context: Context): Promise<void> {
  const meter = meterArgument(context)
  const c = await context.connect()
  await context.print(c, await c.request('METER_STATS_REQUEST', { meter }, 'METER_STATS_REPLY'))
}

async function meterFeatures(context: Context): Promise<void> {
  const c = await context.connect()
  const reply = await c.request('METER_FEATURES_STATS_REQUEST', undefined, 'METER_FEATURES_STATS_REPLY')
  await context.print(c, reply)
}

const add = groupChange('add', false)

export const RUNS: Runs = {
  'dump-groups': dumpGroups,
  'dump-group-stats': dumpGroupStats,
  'dump-group-features': dumpGroupFeatures,
  'add-group': (context) => change(context, 'argument', add),
  'add-groups': (context) => change(context, 'file', add),
  'mod-group': (context) =>
    change(context, 'argument', groupChange(context.options.mayCreate ? 'add_or_modify' : 'modify', true)),
  'del-groups': delGroups,
  'insert-buckets': (context) => change(context, 'argument', groupChange('insert_bucket', true)),
  'remove-buckets': (context) => change(context, 'argument', groupChange('remove_bucket', true)),
  'add-meter': meterMod('add'),
  'mod-meter': meterMod('modify'),
  'del-meters': meterMod('delete'),
  'dump-meters': dumpMeters,
  'meter-stats': meterStats,
  'meter-features': meterFeatures,
}
