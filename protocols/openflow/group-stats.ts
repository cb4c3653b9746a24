/** Codecs of group statistics, descriptions and features. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { counter, duration, putCounter, putDuration } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { OFPG_ALL } from './flow-mod.ts'
import {
  type BucketStats,
  GROUP_TYPES,
  type GroupDesc,
  type GroupFeatures,
  type GroupStats,
  type GroupStatsRequest,
} from './group.ts'
import { decodeBuckets11, decodeBuckets15, putBucket11, putBucket15 } from './group-bucket.ts'
import { hasBucketIds } from './group-mod.ts'
import { decodeGroupProperties, NO_SELECTION, putGroupProperties } from './group-selection.ts'
import {
  type Body,
  type BodyCodec,
  type BodyForm,
  type Entry,
  type ListCodec,
  listCodec,
} from './message-codec.ts'
import { OF10, OF13, type OfVersion } from './version.ts'

export const GROUP_REQUEST: BodyCodec<GroupStatsRequest> = {
  decode: ({ b, o }) => ({ group: u32(b, o) }),
  encode: (w, { group }) => {
    w.u32(group).u32(0)
  },
}

/** From 1.1 to 1.4 one can only ask for all. */
export const GROUP_DESC_REQUEST: BodyCodec<GroupStatsRequest> = {
  decode: (body) => (body.form.minBody === 0 ? { group: OFPG_ALL } : GROUP_REQUEST.decode(body)),
  encode: (w, request, to) => {
    if (to.form.minBody !== 0) GROUP_REQUEST.encode(w, request, to)
  },
}

const LEN11 = 32
const LEN13 = 40

/** Nicira's form for 1.0 is 1.3's. */
function hasDuration(version: OfVersion): boolean {
  return version >= OF13 || version === OF10
}

function decodeStats({ b, end, version }: Body, o: number): Entry<GroupStats> | OfFault {
  const fixed = hasDuration(version) ? LEN13 : LEN11
  if (end - o < fixed) return fault('OFPBRC_BAD_LEN')
  const length = u16(b, o)
  if (length < fixed || o + length > end || (length - fixed) % 16 !== 0) return fault('OFPBRC_BAD_LEN')
  const next = o + length
  const buckets: BucketStats[] = []
  for (let at = o + fixed; at < next; at += 16) {
    buckets.push({ packetCount: counter(b, at), byteCount: counter(b, at + 8) })
  }
  const durationSec = hasDuration(version) ? duration(b, o + 32) : undefined
  const entry: GroupStats = {
    group: u32(b, o + 4),
    refCount: u32(b, o + 8),
    packetCount: counter(b, o + 16),
    byteCount: counter(b, o + 24),
    durationSec,
    durationNsec: durationSec === undefined ? undefined : u32(b, o + 36),
    buckets,
  }
  return { entry, next }
}

export const GROUP_STATS_LIST: ListCodec<GroupStats> = listCodec(decodeStats, (w, s, { version }) => {
  const fixed = hasDuration(version) ? LEN13 : LEN11
  w.u16(fixed + 16 * s.buckets.length).u16(0)
  w.u32(s.group).u32(s.refCount).u32(0)
  putCounter(w, s.packetCount)
  putCounter(w, s.byteCount)
  if (hasDuration(version)) {
    putDuration(w, s.durationSec)
    putDuration(w, s.durationNsec)
  }
  for (const { packetCount, byteCount } of s.buckets) {
    putCounter(w, packetCount)
    putCounter(w, byteCount)
  }
})

function decodeDesc({ b, end, version }: Body, o: number): Entry<GroupDesc> | OfFault {
  const withIds = hasBucketIds(version)
  const fixed = withIds ? 16 : 8
  if (end - o < fixed) return fault('OFPBRC_BAD_LEN')
  const next = o + u16(b, o)
  if (next < o + fixed || next > end) return fault('OFPBRC_BAD_LEN')
  const groupType = GROUP_TYPES[b[o + 2]]
  if (groupType === undefined) return fault('OFPGMFC_BAD_TYPE')
  const last = withIds ? o + fixed + u16(b, o + 8) : next
  if (last > next) return fault('OFPBRC_BAD_LEN')
  const buckets = withIds
    ? decodeBuckets15(b, o + fixed, last, version, groupType)
    : decodeBuckets11(b, o + fixed, last, version)
  if (isFault(buckets)) return buckets
  const selection = withIds ? decodeGroupProperties(b, last, next, groupType, 'add') : NO_SELECTION
  if (isFault(selection)) return selection
  return { entry: { groupType, group: u32(b, o + 4), buckets, selection }, next }
}

function encodeDesc(w: ByteWriter, d: GroupDesc, { version }: BodyForm): void {
  const start = w.length
  w.u16(0).u8(GROUP_TYPES.indexOf(d.groupType)).u8(0).u32(d.group)
  if (hasBucketIds(version)) {
    w.u16(0).zeros(6)
    const first = w.length
    for (const bucket of d.buckets) putBucket15(w, bucket, d.groupType, version)
    w.patch16(start + 8, w.length - first)
    putGroupProperties(w, d.selection, version)
  } else for (const bucket of d.buckets) putBucket11(w, bucket, version)
  w.patch16(start, w.length - start)
}

export const GROUP_DESC_LIST: ListCodec<GroupDesc> = listCodec(decodeDesc, encodeDesc)

export const GROUP_FEATURES_CODEC: BodyCodec<GroupFeatures> = {
  decode({ b, o }) {
    const four = (at: number): number[] => [0, 4, 8, 12].map((i) => u32(b, at + i))
    return { types: u32(b, o), capabilities: u32(b, o + 4), maxGroups: four(o + 8), actions: four(o + 24) }
  },
  encode(w, f) {
    w.u32(f.types).u32(f.capabilities)
    for (const list of [f.maxGroups, f.actions]) for (let i = 0; i < 4; i++) w.u32(list[i] ?? 0)
  },
}
