/** Groups as ovs-ofctl dump-groups, dump-group-stats and dump-group-features print them. */

import { FIELDS } from '../../meta-flow.ts'
import { OFPG_ALL, OFPG_ANY } from '../flow-mod.ts'
import {
  BUCKET_ALL,
  BUCKET_FIRST,
  BUCKET_LAST,
  GROUP_TYPES,
  type GroupBucket,
  type GroupDesc,
  type GroupFeatures,
  type GroupMod,
  type GroupSelection,
  type GroupStats,
  type GroupType,
} from '../group.ts'
import { isOnes } from '../match-field.ts'
import { OFPP_ANY } from '../port.ts'
import { actionsOfBits } from '../standard-actions.ts'
import { OF10, OF15, type OfVersion } from '../version.ts'
import { formatActions } from './action-format.ts'
import { formatActionTypes } from './action-words.ts'
import { formatFieldValue } from './field-value.ts'
import { formatDuration } from './flow-format.ts'
import { formatPort, type NameMaps } from './names.ts'

const TYPE_WORDS: Readonly<Record<GroupType, string>> = {
  all: 'all',
  select: 'select',
  indirect: 'indirect',
  fast_failover: 'ff',
}

function hasBucketIds(version: OfVersion): boolean {
  return version === OF10 || version === OF15
}

function formatBucket(b: GroupBucket, type: GroupType, version: OfVersion, names?: NameMaps): string {
  let s = ',bucket='
  if (hasBucketIds(version)) s += `bucket_id:${b.id},`
  if (b.weight !== (type === 'select' ? 1 : 0)) s += `weight:${b.weight},`
  if (b.watchPort !== OFPP_ANY) s += `watch_port:${formatPort(b.watchPort, names)},`
  if (b.watchGroup !== OFPG_ANY) s += `watch_group:${b.watchGroup},`
  return `${s}actions=${formatActions(b.actions, names)}`
}

function formatSelection({ method, param, fields }: GroupSelection): string {
  if (method === '') return ''
  let s = `,selection_method=${method}`
  if (param !== 0n) s += `,selection_method_param=${param}`
  const list = fields.map(({ field, mask }) => {
    const { name } = FIELDS[field]
    return isOnes(mask) ? name : `${name}=${formatFieldValue(FIELDS[field], mask, undefined)}`
  })
  if (list.length === 1) s += `,fields=${list[0]}`
  else if (list.length > 1) s += `,fields(${list.join(',')})`
  return s
}

/** A group's number; `all` and `any` by name. */
export function formatGroupId(group: number): string {
  return group === OFPG_ALL ? 'all' : group === OFPG_ANY ? 'any' : String(group)
}

/** One line, without the blank that dump-groups begins it with. */
export function formatGroup(g: GroupDesc, version: OfVersion, names?: NameMaps): string {
  const buckets = g.buckets.map((b) => formatBucket(b, g.groupType, version, names))
  return `group_id=${g.group},type=${TYPE_WORDS[g.groupType]}${formatSelection(g.selection)}${buckets.join('')}`
}

function formatBucketId(id: number): string {
  const name = { [BUCKET_ALL]: 'all', [BUCKET_FIRST]: 'first', [BUCKET_LAST]: 'last' }[id]
  return name ?? String(id)
}

const COMMAND_WORDS: Readonly<Record<GroupMod['command'], string>> = {
  add: 'ADD',
  modify: 'MOD',
  add_or_modify: 'ADD_OR_MOD',
  delete: 'DEL',
  insert_bucket: 'INSERT_BUCKET',
  remove_bucket: 'REMOVE_BUCKET',
}

export function formatGroupMod(m: GroupMod, version: OfVersion, names?: NameMaps): string {
  const typed = m.command === 'add' || m.command === 'modify' || m.command === 'add_or_modify'
  let s = ` ${COMMAND_WORDS[m.command]} group_id=${formatGroupId(m.group)}`
  if (typed) s += `,type=${TYPE_WORDS[m.groupType]}`
  if (m.command.endsWith('_bucket')) s += `,command_bucket_id:${formatBucketId(m.commandBucketId)}`
  s += formatSelection(m.selection)
  return s + m.buckets.map((b) => formatBucket(b, m.groupType, version, names)).join('')
}

const UNKNOWN = '18446744073709551615'

export function formatGroupStats(g: GroupStats): string {
  let s = `group_id=${g.group},`
  if (g.durationSec !== undefined) s += `duration=${formatDuration(g.durationSec, g.durationNsec ?? 0)},`
  const counts = (packets: number | undefined, bytes: number | undefined): string =>
    `packet_count=${packets ?? UNKNOWN},byte_count=${bytes ?? UNKNOWN}`
  s += `ref_count=${g.refCount},${counts(g.packetCount, g.byteCount)}`
  return s + g.buckets.map((b, i) => `,bucket${i}:${counts(b.packetCount, b.byteCount)}`).join('')
}

/** The lines behind the message's title. */
export function formatGroupFeatures(f: GroupFeatures, version: OfVersion): string {
  const lines = [
    ' Group table:',
    `    Types:  0x${f.types.toString(16)}`,
    `    Capabilities:  0x${f.capabilities.toString(16)}`,
  ]
  for (const [i, type] of GROUP_TYPES.entries()) {
    if ((f.types & (1 << i)) === 0) continue
    const max = f.maxGroups[i]
    lines.push(
      `    ${type.replace('_', ' ')} group:`,
      `       max_groups=${max === 0 ? '0' : `0x${max.toString(16)}`}`,
      `       actions: ${formatActionTypes(actionsOfBits(f.actions[i], version))}`,
    )
  }
  return lines.join('\n')
}
