/** Groups from text: `group_id=1,type=select,bucket=weight:10,actions=output:1`, as ovs-ofctl add-group reads them. */

import { fieldByName } from '../../meta-flow.ts'
import { OFPG_ALL, OFPG_ANY, OFPG_MAX } from '../flow-mod.ts'
import {
  BUCKET_ALL,
  BUCKET_FIRST,
  BUCKET_LAST,
  BUCKET_MAX,
  type GroupBucket,
  type GroupCommand,
  type GroupMod,
  type GroupSelection,
  type GroupType,
} from '../group.ts'
import { ones } from '../match-field.ts'
import { OFPP_ANY } from '../port.ts'
import { parseActions } from './action-parse.ts'
import { parseFieldValue } from './field-value.ts'
import { type NameMaps, parsePort } from './names.ts'
import { keyValues, parseUint, parseUint64, syntaxError } from './scan.ts'

const TYPES: Readonly<Record<string, GroupType>> = {
  all: 'all',
  select: 'select',
  indirect: 'indirect',
  ff: 'fast_failover',
  fast_failover: 'fast_failover',
}

/** `all`, `any` or a number. */
export function parseGroupId(s: string): number {
  if (s === 'all') return OFPG_ALL
  if (s === 'any') return OFPG_ANY
  const group = parseUint(s, 32, 'group_id')
  return group > OFPG_MAX ? syntaxError(`invalid group id ${s}`) : group
}

function commandBucket(s: string): number {
  if (s === 'all') return BUCKET_ALL
  if (s === 'first') return BUCKET_FIRST
  if (s === 'last') return BUCKET_LAST
  const id = parseUint(s, 32, 'command bucket id')
  return id > BUCKET_MAX ? syntaxError(`invalid command bucket id ${id}`) : id
}

function selectionFields(text: string): GroupSelection['fields'] {
  const fields: { field: number; mask: Uint8Array }[] = []
  for (const [key, value] of keyValues(text)) {
    const field = fieldByName(key) ?? syntaxError(`unknown field ${key}`)
    const mask = value === '' ? ones(field.bytes) : parseFieldValue(field, value).value
    fields.push({ field: field.id, mask })
  }
  return fields.sort((a, b) => a.field - b.field)
}

const UNNUMBERED = -1

function parseBucket(text: string, type: GroupType | undefined, names?: NameMaps): GroupBucket {
  let id = UNNUMBERED
  let weight: number | undefined
  let watchPort = OFPP_ANY
  let watchGroup = OFPG_ANY
  const actions: string[] = []
  for (const [key, value] of keyValues(text)) {
    if (key === 'weight') {
      weight = parseUint(value, 16, key)
      if (weight < 1) syntaxError('a bucket must have a weight of at least 1')
    } else if (key === 'watch_port') {
      watchPort = parsePort(value, names) ?? syntaxError(`${value}: invalid watch_port`)
    } else if (key === 'watch_group') watchGroup = parseGroupId(value)
    else if (key === 'bucket_id') {
      id = parseUint(value, 32, key)
      if (id > BUCKET_MAX) syntaxError(`invalid bucket_id id ${id}`)
    } else if (key === 'action' || key === 'actions') actions.push(value)
    else actions.push(value.includes(')->') ? `${key}(${value}` : `${key}(${value})`)
  }
  if (actions.length === 0) return syntaxError('bucket must specify actions')
  const list = actions.filter((a) => a !== 'drop' && a !== 'drop()').join(',')
  return {
    id,
    weight: weight ?? (type === 'select' ? 1 : 0),
    watchPort,
    watchGroup,
    actions: list === '' ? [] : parseActions(list, names, { instructions: false }),
  }
}

/** Buckets that were given no id have the lowest ones that are left. */
function number(buckets: GroupBucket[]): void {
  const taken = new Set<number>()
  for (const { id } of buckets) {
    if (id === UNNUMBERED) continue
    if (taken.has(id)) syntaxError(`Duplicate bucket id ${id}`)
    taken.add(id)
  }
  let next = 0
  for (const bucket of buckets) {
    if (bucket.id !== UNNUMBERED) continue
    while (taken.has(next)) next++
    bucket.id = next++
  }
}

interface Head {
  group: number | undefined
  type: GroupType | undefined
  bucket: number | undefined
  method: string
  param: bigint | undefined
  fields: GroupSelection['fields']
}

function parseHead(text: string, command: GroupCommand): Head {
  const head: Head = {
    group: undefined,
    type: undefined,
    bucket: undefined,
    method: '',
    param: undefined,
    fields: [],
  }
  for (const [key, value] of keyValues(text)) {
    if (key === 'group_id') head.group = parseGroupId(value)
    else if (key === 'type') {
      if (command === 'delete') syntaxError('type is not needed')
      head.type = TYPES[value] ?? syntaxError(`invalid group type ${value}`)
    } else if (key === 'command_bucket_id' && command.endsWith('_bucket')) head.bucket = commandBucket(value)
    else if (key === 'selection_method') head.method = value
    else if (key === 'selection_method_param') head.param = parseUint64(value, key)
    else if (key === 'fields') head.fields = selectionFields(value)
    else syntaxError(`unknown keyword ${key}`)
  }
  return head
}

function selectionOf({ method, param, fields, type }: Head): GroupSelection {
  if (method !== '') {
    if (type !== 'select') syntaxError('selection method is not allowed for this group type')
    if (method.length > 15) syntaxError(`selection method is longer than 15 bytes long`)
  } else if (param !== undefined) syntaxError('selection method param without selection method')
  else if (fields.length > 0) syntaxError('fields without selection method')
  return { method, param: param ?? 0n, fields }
}

/** A group for `command`. Throws FlowSyntaxError. */
export function parseGroup(text: string, command: GroupCommand = 'add', names?: NameMaps): GroupMod {
  const [headText, ...bucketTexts] = text.split(/(?<![a-z_])buckets?\s*=/)
  const head = parseHead(headText, command)
  const sets = command === 'add' || command === 'modify' || command === 'add_or_modify'
  if (head.group === undefined) return syntaxError('must specify a group_id')
  if (sets && head.type === undefined) return syntaxError('must specify a type')
  if (!sets && command !== 'insert_bucket' && bucketTexts.length > 0)
    return syntaxError('bucket is not needed')
  if (command.endsWith('_bucket') && head.bucket === undefined) {
    return syntaxError('must specify a command bucket id')
  }
  const buckets = bucketTexts.map((t) => parseBucket(t, head.type ?? 'all', names))
  number(buckets)
  if (sets && head.type === 'indirect' && buckets.length !== 1) {
    return syntaxError('indirect groups must have exactly one bucket')
  }
  return {
    command,
    groupType: head.type ?? 'all',
    group: head.group,
    commandBucketId: head.bucket ?? BUCKET_ALL,
    buckets,
    selection: selectionOf(head),
  }
}

const COMMANDS: readonly (readonly [word: string, command: GroupCommand])[] = [
  ['add_or_mod', 'add_or_modify'],
  ['add', 'add'],
  ['modify', 'modify'],
  ['delete', 'delete'],
  ['insert_bucket', 'insert_bucket'],
  ['remove_bucket', 'remove_bucket'],
]

/** A line of a file of groups, which may begin with its command. */
export function parseGroupLine(text: string, names?: NameMaps, otherwise: GroupCommand = 'add'): GroupMod {
  const trimmed = text.trimStart()
  const word = /^[^, \t\r\n=]*/.exec(trimmed)![0]
  const command = COMMANDS.find(([w]) => w === word)?.[1]
  return command === undefined
    ? parseGroup(trimmed, otherwise, names)
    : parseGroup(trimmed.slice(word.length), command, names)
}
