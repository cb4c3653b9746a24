/** Codec of group-mod. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { OFPG_ANY } from './flow-mod.ts'
import {
  BUCKET_ALL,
  BUCKET_FIRST,
  BUCKET_LAST,
  BUCKET_MAX,
  GROUP_TYPES,
  type GroupBucket,
  type GroupCommand,
  type GroupMod,
} from './group.ts'
import { decodeBuckets11, decodeBuckets15, putBucket11, putBucket15 } from './group-bucket.ts'
import { decodeGroupProperties, NO_SELECTION, putGroupProperties } from './group-selection.ts'
import type { Body, BodyCodec, BodyForm } from './message-codec.ts'
import { OFPP_ANY } from './port.ts'
import { OF10, OF13, OF15, type OfVersion } from './version.ts'

const COMMANDS: Readonly<Record<number, GroupCommand>> = {
  0: 'add',
  1: 'modify',
  2: 'delete',
  3: 'insert_bucket',
  5: 'remove_bucket',
  32768: 'add_or_modify',
}

/** OpenFlow 1.5, and NXT_GROUP_MOD in 1.0, have bucket ids and properties. */
export function hasBucketIds(version: OfVersion): boolean {
  return version === OF15 || version === OF10
}

/** The bucket a command may name. */
function bucketIsInRange(command: GroupCommand | undefined, bucket: number): boolean {
  const one = bucket <= BUCKET_MAX || bucket === BUCKET_FIRST || bucket === BUCKET_LAST
  if (command === 'remove_bucket') return one || bucket === BUCKET_ALL
  return command === 'insert_bucket' ? one : bucket === BUCKET_ALL
}

/** What makes no sense whatever the switch has (as Open vSwitch checks it). */
function refusal(m: GroupMod): OfFault | undefined {
  const { command, groupType, buckets } = m
  if (groupType === 'indirect' && command !== 'delete' && buckets.length !== 1) {
    return fault('OFPGMFC_INVALID_GROUP')
  }
  if (command === 'remove_bucket' && buckets.length > 0) return fault('OFPGMFC_BAD_BUCKET')
  for (const bucket of buckets) {
    if (bucket.weight !== 0 && groupType !== 'select' && command !== 'insert_bucket') {
      return fault('OFPGMFC_INVALID_GROUP')
    }
    const watched = hasLiveness(bucket)
    if ((groupType === 'all' || groupType === 'indirect') && watched)
      return fault('OFPGMFC_WATCH_UNSUPPORTED')
    if (groupType === 'fast_failover' && !watched) return fault('OFPGMFC_INVALID_GROUP')
  }
  return undefined
}

/** Whether a bucket watches a port or a group. */
export function hasLiveness(bucket: GroupBucket): boolean {
  return bucket.watchPort !== OFPP_ANY || bucket.watchGroup !== OFPG_ANY
}

function decode({ b, o, end, version }: Body): GroupMod | OfFault {
  const command = COMMANDS[u16(b, o)]
  const groupType = GROUP_TYPES[b[o + 2]]
  const group = u32(b, o + 4)
  const withIds = hasBucketIds(version)
  const commandBucketId = withIds ? u32(b, o + 12) : BUCKET_ALL
  if (!bucketIsInRange(command, commandBucketId)) return fault('OFPGMFC_BAD_BUCKET')
  const first = withIds ? o + 16 : o + 8
  const last = withIds ? first + u16(b, o + 8) : end
  if (last > end) return fault('OFPBRC_BAD_LEN')
  const buckets = withIds
    ? decodeBuckets15(b, first, last, version, groupType)
    : decodeBuckets11(b, first, last, version)
  if (isFault(buckets)) return buckets
  if (version >= OF13 && version < OF15 && command === 'delete' && buckets.length > 0) {
    return fault('OFPGMFC_INVALID_GROUP')
  }
  if (groupType === undefined) return fault('OFPGMFC_BAD_TYPE')
  if (command === undefined) return fault('OFPGMFC_BAD_COMMAND')
  const selection = withIds ? decodeGroupProperties(b, last, end, groupType, command) : NO_SELECTION
  if (isFault(selection)) return selection
  const mod: GroupMod = { command, groupType, group, commandBucketId, buckets, selection }
  return refusal(mod) ?? mod
}

function commandNumber(command: GroupCommand): number {
  return Number(Object.entries(COMMANDS).find(([, name]) => name === command)![0])
}

/** insert_bucket and remove_bucket cannot be said from 1.1 to 1.4; whoever needs them sends a whole new group. */
function encode(w: ByteWriter, m: GroupMod, { version }: BodyForm): void {
  w.u16(commandNumber(m.command)).u8(GROUP_TYPES.indexOf(m.groupType)).u8(0).u32(m.group)
  if (!hasBucketIds(version)) {
    for (const bucket of m.buckets) putBucket11(w, bucket, version)
    return
  }
  const lengthAt = w.length
  w.u16(0).u16(0).u32(m.commandBucketId)
  const start = w.length
  for (const bucket of m.buckets) putBucket15(w, bucket, m.groupType, version)
  w.patch16(lengthAt, w.length - start)
  putGroupProperties(w, m.selection, version)
}

export const GROUP_MOD_CODEC: BodyCodec<GroupMod> = { decode, encode }
