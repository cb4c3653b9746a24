/** Codec of table features (OpenFlow 1.3 §7.3.5.5): a fixed part and properties, each of which stands once. */

import { FIELDS, type FieldId, fieldByOxm } from '../meta-flow.ts'
import { u16, u32 } from '../wire/big-endian.ts'
import { ByteWriter } from './byte-writer.ts'
import { u64 } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { fixedText, putFixedText } from './fixed-text.ts'
import { instructionNumbers, instructionOfNumber } from './instruction-bits.ts'
import { type Body, type BodyForm, type Entry, type ListCodec, listCodec } from './message-codec.ts'
import { putOxmHeader } from './oxm.ts'
import { endProperty, type Property, readProperty, startProperty, unknownProperty } from './properties.ts'
import { actionBits, actionsOfBits } from './standard-actions.ts'
import {
  emptyTableFeatures,
  type Instruction,
  type TableActionFeatures,
  type TableFeatures,
  type TableFeaturesCommand,
  type TableInstructionFeatures,
} from './table-features.ts'
import { OF14, OF15, type OfVersion } from './version.ts'

const COMMANDS: readonly TableFeaturesCommand[] = ['replace', 'modify', 'enable', 'disable']
const NAME_LEN = 32
const LEN = 64
const ALL_TABLES = 0xff
const CAPABILITY_EVICTION = 1 << 2
const CAPABILITY_VACANCY = 1 << 3

/** Properties; those of the table-miss rule are one higher. */
const INSTRUCTIONS = 0
const NEXT_TABLES = 2
const WRITE_ACTIONS = 4
const APPLY_ACTIONS = 6
const MATCH = 8
const WILDCARDS = 10
const WRITE_SETFIELD = 12
const APPLY_SETFIELD = 14
const REQUIRED = [0, 2, 4, 6, 8, 10, 12, 14]
const MISS_ONLY = [1, 3, 5, 7, 13, 15]

/** Elements of 4 bytes (experimenters' are longer) that name instructions or actions. */
function decodeIds(b: Uint8Array, p: Property): number[] | OfFault {
  const ids: number[] = []
  for (let o = p.at; o < p.end; ) {
    if (p.end - o < 4) return fault('OFPBPC_BAD_LEN')
    const length = u16(b, o + 2)
    if (length < 4 || o + length > p.end) return fault('OFPBPC_BAD_LEN')
    ids.push(u16(b, o))
    o += length
  }
  return ids
}

interface FieldLists {
  exact: FieldId[]
  masked: FieldId[]
}

/** Headers of fields without values. */
function decodeFields(b: Uint8Array, p: Property, strict: boolean): FieldLists | OfFault {
  const lists: FieldLists = { exact: [], masked: [] }
  for (let o = p.at; o < p.end; ) {
    const experimenter = p.end - o >= 4 && u16(b, o) === 0xffff
    const size = experimenter ? 8 : 4
    if (p.end - o < size) return fault('OFPBMC_BAD_LEN')
    const field = fieldByOxm(u16(b, o), b[o + 2] >>> 1, experimenter ? u32(b, o + 4) : 0)
    const list = (b[o + 2] & 1) === 0 ? lists.exact : lists.masked
    if (field === undefined) {
      if (strict) return fault('OFPBMC_BAD_FIELD')
    } else if (!list.includes(field.id)) list.push(field.id)
    o += size
  }
  return lists
}

function withoutMasks(lists: FieldLists | OfFault): FieldId[] | OfFault {
  if (isFault(lists)) return lists
  return lists.masked.length > 0 ? fault('OFPBMC_BAD_MASK') : lists.exact
}

const union = <T>(a: readonly T[], b: readonly T[]): T[] => [...new Set([...a, ...b])]

type Parsed = {
  -readonly [K in keyof TableFeatures]: TableFeatures[K]
}

function instructionsOf(
  b: Uint8Array,
  p: Property,
  version: OfVersion,
  strict: boolean,
): Instruction[] | OfFault {
  const ids = decodeIds(b, p)
  if (isFault(ids)) return ids
  const list: Instruction[] = []
  for (const id of ids) {
    const name = instructionOfNumber(id, version)
    if (name === undefined) {
      if (strict) return fault(id === 0xffff ? 'OFPBIC_BAD_EXPERIMENTER' : 'OFPBIC_UNKNOWN_INST')
    } else if (!list.includes(name)) list.push(name)
  }
  return list
}

/** Takes one property into `f`; returns its fault. */
function take(
  f: Parsed,
  b: Uint8Array,
  p: Property,
  version: OfVersion,
  strict: boolean,
): OfFault | undefined {
  const rule: TableInstructionFeatures = (p.type & 1) === 0 ? f.nonmiss : f.missRule
  switch (p.type & ~1) {
    case INSTRUCTIONS: {
      const instructions = instructionsOf(b, p, version, strict)
      if (isFault(instructions)) return instructions
      rule.instructions = instructions
      return undefined
    }
    case NEXT_TABLES: {
      const next = [...b.subarray(p.at, p.end)]
      if (next.includes(ALL_TABLES)) return fault('OFPBPC_BAD_VALUE')
      rule.next = next
      return undefined
    }
    case WRITE_ACTIONS:
    case APPLY_ACTIONS: {
      const ids = decodeIds(b, p)
      if (isFault(ids)) return ids
      const bits = ids.reduce((all, id) => (id < 32 ? all | (1 << id) : all), 0)
      const features = (p.type & ~1) === WRITE_ACTIONS ? rule.write : rule.apply
      features.actions = actionsOfBits(bits, version)
      return undefined
    }
    case MATCH: {
      const lists = decodeFields(b, p, strict)
      if (isFault(lists)) return lists
      f.match = union(lists.exact, lists.masked)
      f.mask = lists.masked
      return undefined
    }
    case WILDCARDS: {
      const fields = withoutMasks(decodeFields(b, p, strict))
      if (isFault(fields)) return fields
      f.wildcard = fields
      return undefined
    }
    default: {
      const fields = withoutMasks(decodeFields(b, p, strict))
      if (isFault(fields)) return fields
      const features = (p.type & ~1) === WRITE_SETFIELD ? rule.write : rule.apply
      features.setFields = fields
      return undefined
    }
  }
}

/** What the table-miss rule's properties do not say is as for the others. */
function completeMiss(f: Parsed, seen: ReadonlySet<number>): void {
  const { nonmiss, missRule } = f
  if (!seen.has(INSTRUCTIONS + 1)) missRule.instructions = nonmiss.instructions
  if (!seen.has(NEXT_TABLES + 1)) missRule.next = nonmiss.next
  if (!seen.has(WRITE_ACTIONS + 1)) missRule.write.actions = nonmiss.write.actions
  if (!seen.has(APPLY_ACTIONS + 1)) missRule.apply.actions = nonmiss.apply.actions
  if (!seen.has(WRITE_SETFIELD + 1)) missRule.write.setFields = nonmiss.write.setFields
  if (!seen.has(APPLY_SETFIELD + 1)) missRule.apply.setFields = nonmiss.apply.setFields
}

function decodeProperties(
  f: Parsed,
  b: Uint8Array,
  o: number,
  end: number,
  version: OfVersion,
  strict: boolean,
): OfFault | undefined {
  const seen = new Set<number>()
  while (o < end) {
    const p = readProperty(b, o, end, 0xfffe)
    if (isFault(p)) return p
    o = p.next
    if (p.experimenter !== 0 || !(REQUIRED.includes(p.type) || MISS_ONLY.includes(p.type))) {
      if (strict) return unknownProperty(p)
      continue
    }
    if (seen.has(p.type)) return fault('OFPTFFC_BAD_FEATURES')
    seen.add(p.type)
    const bad = take(f, b, p, version, strict)
    if (bad !== undefined) return bad
  }
  const complete = REQUIRED.every((type) => seen.has(type))
  if (!complete && (f.hasProperties || version < OF15)) return fault('OFPTFFC_BAD_FEATURES')
  if (f.hasProperties) completeMiss(f, seen)
  // What may be masked may be matched on and left out; what may not be matched on is not left out.
  f.wildcard = union(f.wildcard, f.mask).filter((id) => f.match.includes(id))
  return undefined
}

function decode({ b, end, version, form }: Body, o: number): Entry<TableFeatures> | OfFault {
  if (end - o < LEN) return fault('OFPBPC_BAD_LEN')
  const length = u16(b, o)
  if (length < LEN || length % 8 !== 0 || o + length > end) return fault('OFPBPC_BAD_LEN')
  const command = version < OF15 ? 'replace' : COMMANDS[b[o + 3]]
  if (command === undefined) return fault('OFPTFFC_BAD_COMMAND')
  if (b[o + 2] === ALL_TABLES) return fault('OFPTFFC_BAD_TABLE')
  const capabilities = u32(b, o + 56)
  const f: Parsed = {
    ...emptyTableFeatures(b[o + 2]),
    command,
    name: fixedText(b, o + 8, NAME_LEN),
    metadataMatch: u64(b, o + 40),
    metadataWrite: u64(b, o + 48),
    supportsEviction: version < OF14 ? undefined : (capabilities & CAPABILITY_EVICTION) !== 0,
    supportsVacancyEvents: version < OF14 ? undefined : (capabilities & CAPABILITY_VACANCY) !== 0,
    maxEntries: u32(b, o + 60),
    hasProperties: length > LEN,
  }
  const next = o + length
  return decodeProperties(f, b, o + LEN, next, version, !form.reply) ?? { entry: f, next }
}

function putIds(w: ByteWriter, type: number, ids: readonly number[]): void {
  const start = startProperty(w, type)
  for (const id of ids) w.u16(id).u16(4)
  endProperty(w, start)
}

function bitNumbers(bits: number): number[] {
  return Array.from({ length: 32 }, (_, i) => i).filter((i) => (bits & (1 << i)) !== 0)
}

function putFields(
  w: ByteWriter,
  type: number,
  fields: readonly FieldId[],
  masked: readonly FieldId[],
  version: OfVersion,
): void {
  const start = startProperty(w, type)
  w.raw(headersOf(fields, masked, version))
  endProperty(w, start)
}

interface FieldHeaders {
  readonly masked: readonly FieldId[]
  readonly version: OfVersion
  readonly bytes: Uint8Array
}

/** What was written of a list of fields: the tables of a switch, 254 of them, have the same lists. */
const written = new WeakMap<readonly FieldId[], FieldHeaders[]>()

function headersOf(fields: readonly FieldId[], masked: readonly FieldId[], version: OfVersion): Uint8Array {
  const variants = written.get(fields) ?? []
  const known = variants.find((variant) => variant.masked === masked && variant.version === version)
  if (known !== undefined) return known.bytes
  const w = new ByteWriter()
  // In the order of the table of fields, whatever order they were given in.
  for (const id of [...fields].sort((a, b) => a - b)) {
    putOxmHeader(w, FIELDS[id], version, masked.includes(id))
  }
  const bytes = w.finish()
  written.set(fields, [...variants, { masked, version, bytes }])
  return bytes
}

const NONE: readonly FieldId[] = []

function putRule(w: ByteWriter, rule: TableInstructionFeatures, miss: 0 | 1, version: OfVersion): void {
  putIds(w, INSTRUCTIONS + miss, instructionNumbers(rule.instructions, version))
  const start = startProperty(w, NEXT_TABLES + miss)
  for (const table of rule.next) w.u8(table)
  endProperty(w, start)
  const put = (features: TableActionFeatures, actions: number, fields: number): void => {
    putIds(w, actions + miss, bitNumbers(actionBits(features.actions, version)))
    putFields(w, fields + miss, features.setFields, NONE, version)
  }
  put(rule.write, WRITE_ACTIONS, WRITE_SETFIELD)
  put(rule.apply, APPLY_ACTIONS, APPLY_SETFIELD)
}

function encode(w: ByteWriter, f: TableFeatures, { version }: BodyForm): void {
  const start = w.length
  w.u16(0)
    .u8(f.table)
    .u8(version < OF15 ? 0 : COMMANDS.indexOf(f.command))
    .u32(0)
  putFixedText(w, f.name, NAME_LEN)
  const eviction = f.supportsEviction === true ? CAPABILITY_EVICTION : 0
  const vacancy = f.supportsVacancyEvents === true ? CAPABILITY_VACANCY : 0
  w.u64(f.metadataMatch).u64(f.metadataWrite)
  w.u32(version < OF14 ? 0 : eviction | vacancy).u32(f.maxEntries)
  if (f.hasProperties) {
    putRule(w, f.nonmiss, 0, version)
    putRule(w, f.missRule, 1, version)
    putFields(w, MATCH, f.match, f.mask, version)
    putFields(w, WILDCARDS, f.wildcard, NONE, version)
  }
  w.patch16(start, w.length - start)
}

export const TABLE_FEATURES_LIST: ListCodec<TableFeatures> = listCodec(decode, encode)
