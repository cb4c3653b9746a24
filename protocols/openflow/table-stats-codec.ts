/** Codec of table statistics, which up to OpenFlow 1.2 tell of a table's features too, as bitmaps. */

import { FIELDS, type FieldId, type FieldName, fieldByOxm, MFF, oxmOf } from '../meta-flow.ts'
import { u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { counter, putCounter, u64 } from './counters.ts'
import { fixedText, putFixedText } from './fixed-text.ts'
import { instructionBits, instructionsOfBits } from './instruction-bits.ts'
import { type Body, type BodyForm, fixedListCodec, type ListCodec } from './message-codec.ts'
import { actionBits, actionsOfBits } from './standard-actions.ts'
import { emptyTableFeatures, type TableFeatures } from './table-features.ts'
import { decodeTableMiss, encodeTableMiss } from './table-miss.ts'
import type { TableStats } from './table-stats.ts'
import { OF10, OF11, OF12 } from './version.ts'

const NAME_LEN = 32

/** Bits of OFPFW10_* by field. */
const WILDCARDS10: readonly (readonly [bits: number, field: FieldName])[] = [
  [1 << 0, 'in_port'],
  [1 << 1, 'vlan_vid'],
  [1 << 2, 'eth_src'],
  [1 << 3, 'eth_dst'],
  [1 << 4, 'eth_type'],
  [1 << 5, 'nw_proto'],
  [1 << 6, 'tcp_src'],
  [1 << 7, 'tcp_dst'],
  [0x3f << 8, 'ip_src'],
  [0x3f << 14, 'ip_dst'],
  [1 << 20, 'vlan_pcp'],
  [1 << 21, 'nw_tos'],
]

/** Bits of OFPFMF11_*. */
const FIELDS11: readonly (readonly [bits: number, field: FieldName])[] = [
  [1 << 0, 'in_port'],
  [1 << 1, 'vlan_vid'],
  [1 << 2, 'vlan_pcp'],
  [1 << 3, 'eth_type'],
  [1 << 4, 'nw_tos'],
  [1 << 5, 'nw_proto'],
  [1 << 6, 'tcp_src'],
  [1 << 7, 'tcp_dst'],
  [1 << 8, 'mpls_label'],
  [1 << 9, 'mpls_tc'],
  [1 << 11, 'eth_src'],
  [1 << 12, 'eth_dst'],
  [1 << 13, 'ip_src'],
  [1 << 14, 'ip_dst'],
  [1 << 15, 'metadata'],
]

function fieldsOfBits(table: typeof FIELDS11, bits: number): FieldId[] {
  return table.flatMap(([bit, name]) => ((bits & bit) === 0 ? [] : [MFF[name]]))
}

function bitsOfFields(table: typeof FIELDS11, has: (id: FieldId) => boolean): number {
  return table.reduce((bits, [bit, name]) => (has(MFF[name]) ? bits | bit : bits), 0)
}

/** A field counts as wildcarded if it may be left out or cannot be matched on at all. */
function wild(f: TableFeatures): (id: FieldId) => boolean {
  return (id) => f.wildcard.includes(id) || !f.match.includes(id)
}

const OXM_BASIC = 0x8000

function fieldsOfOxmBits(bits: bigint): FieldId[] {
  const fields: FieldId[] = []
  for (let n = 0; n < 64; n++) {
    const field = ((bits >> BigInt(n)) & 1n) === 0n ? undefined : fieldByOxm(OXM_BASIC, n)
    const known = field?.oxm.some((x) => x.class === OXM_BASIC && x.field === n && x.since <= OF12)
    if (field !== undefined && known === true && !fields.includes(field.id)) fields.push(field.id)
  }
  return fields
}

function oxmBits(fields: readonly FieldId[]): bigint {
  let bits = 0n
  for (const id of fields) {
    const oxm = oxmOf(FIELDS[id], OF12)
    if (oxm !== undefined && oxm.class === OXM_BASIC && oxm.field < 64) bits |= 1n << BigInt(oxm.field)
  }
  return bits
}

const union = <T>(a: readonly T[], b: readonly T[]): T[] => [...new Set([...a, ...b])]

function counts(b: Uint8Array, o: number): Pick<TableStats, 'activeCount' | 'lookupCount' | 'matchedCount'> {
  return {
    activeCount: u32(b, o),
    lookupCount: counter(b, o + 4) ?? 0,
    matchedCount: counter(b, o + 12) ?? 0,
  }
}

function decode({ b, version }: Body, o: number): TableStats {
  const table = b[o]
  const features = emptyTableFeatures(table)
  if (version > OF12) return { table, ...counts(b, o + 4), features }
  features.name = fixedText(b, o + (version === OF10 ? 4 : 8), NAME_LEN)
  if (version === OF10) {
    features.maxEntries = u32(b, o + 40)
    features.match = features.wildcard = fieldsOfBits(WILDCARDS10, u32(b, o + 36))
    return { table, ...counts(b, o + 44), features }
  }
  const of11 = version === OF11
  // In 1.1: wildcards, match, instructions, write and apply actions; in 1.2 with 64-bit bitmaps of OXM fields.
  const at = of11 ? o + 40 : o + 56
  features.wildcard = of11 ? fieldsOfBits(FIELDS11, u32(b, at)) : fieldsOfOxmBits(u64(b, o + 48))
  const match = of11 ? fieldsOfBits(FIELDS11, u32(b, at + 4)) : fieldsOfOxmBits(u64(b, o + 40))
  features.match = union(match, features.wildcard)
  const write = u32(b, of11 ? at + 12 : at)
  const apply = u32(b, of11 ? at + 16 : at + 4)
  const { nonmiss } = features
  nonmiss.write.actions = actionsOfBits(write, version)
  nonmiss.apply.actions = actionsOfBits(apply, version)
  if (!of11) {
    nonmiss.write.setFields = fieldsOfOxmBits(u64(b, o + 64))
    nonmiss.apply.setFields = fieldsOfOxmBits(u64(b, o + 72))
    features.metadataMatch = u64(b, o + 80)
    features.metadataWrite = u64(b, o + 88)
  }
  nonmiss.instructions = instructionsOfBits(u32(b, of11 ? at + 8 : o + 96), version)
  features.missRule = nonmiss
  const tail = of11 ? o + 60 : o + 100
  features.miss = decodeTableMiss(u32(b, tail), version)
  features.maxEntries = u32(b, tail + 4)
  features.hasProperties = true
  return { table, ...counts(b, tail + 8), features }
}

function encode(w: ByteWriter, s: TableStats, { version }: BodyForm): void {
  const f = s.features
  const { nonmiss } = f
  w.u8(s.table).zeros(3)
  if (version <= OF12) {
    if (version !== OF10) w.u32(0)
    putFixedText(w, f.name, NAME_LEN)
    if (version === OF10) w.u32(bitsOfFields(WILDCARDS10, wild(f)))
    else if (version === OF11) {
      w.u32(bitsOfFields(FIELDS11, wild(f))).u32(bitsOfFields(FIELDS11, (id) => f.match.includes(id)))
      w.u32(instructionBits(nonmiss.instructions, version))
      w.u32(actionBits(nonmiss.write.actions, version)).u32(actionBits(nonmiss.apply.actions, version))
      w.u32(encodeTableMiss(f.miss, version))
    } else {
      w.u64(oxmBits(f.match)).u64(oxmBits(f.wildcard))
      w.u32(actionBits(nonmiss.write.actions, version)).u32(actionBits(nonmiss.apply.actions, version))
      w.u64(oxmBits(nonmiss.write.setFields)).u64(oxmBits(nonmiss.apply.setFields))
      w.u64(f.metadataMatch).u64(f.metadataWrite)
      w.u32(instructionBits(nonmiss.instructions, version)).u32(encodeTableMiss(f.miss, version))
    }
    w.u32(f.maxEntries)
  }
  w.u32(s.activeCount)
  putCounter(w, s.lookupCount)
  putCounter(w, s.matchedCount)
}

export const TABLE_STATS_LIST: ListCodec<TableStats> = fixedListCodec(decode, encode)
