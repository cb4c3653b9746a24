/** Groups: group-mod, their statistics, descriptions and features. */

import type { FieldId } from '../meta-flow.ts'
import type { OfAction } from './action.ts'

/** In the order of OFPGT_*. */
export const GROUP_TYPES = ['all', 'select', 'indirect', 'fast_failover'] as const
export type GroupType = (typeof GROUP_TYPES)[number]

export type GroupCommand =
  | 'add'
  | 'modify'
  | 'delete'
  | 'insert_bucket'
  | 'remove_bucket'
  /** Nicira: OFPGC11_ADD_OR_MOD, 0x8000. */
  | 'add_or_modify'

/** Bucket ids that are not one: the end of the list, its beginning, all. */
export const BUCKET_MAX = 0xffff_ff00
export const BUCKET_FIRST = 0xffff_fffd
export const BUCKET_LAST = 0xffff_fffe
export const BUCKET_ALL = 0xffff_ffff

export interface GroupBucket {
  /** From OpenFlow 1.5 on given by the controller; before, 0, 1, 2 … in order. */
  id: number
  weight: number
  /** OFPP_ANY for none. */
  watchPort: number
  /** OFPG_ANY for none. */
  watchGroup: number
  actions: readonly OfAction[]
}

/** How a select group chooses (NTR selection method property). */
export interface GroupSelection {
  /** '' for the switch's own choice; 'hash' and 'dp_hash' as in ovs-ofctl(8). */
  method: string
  /** Basis of the hash. */
  param: bigint
  /** Fields that are hashed, each with the mask of the bits that count. */
  fields: readonly { field: FieldId; mask: Uint8Array }[]
}

export interface GroupMod {
  command: GroupCommand
  groupType: GroupType
  group: number
  /** insert_bucket, remove_bucket: where; BUCKET_*. */
  commandBucketId: number
  buckets: readonly GroupBucket[]
  selection: GroupSelection
}

export interface GroupStatsRequest {
  /** OFPG_ALL for all. */
  group: number
}

export interface BucketStats {
  packetCount: number | undefined
  byteCount: number | undefined
}

export interface GroupStats {
  group: number
  /** Rules and groups that point here. */
  refCount: number
  packetCount: number | undefined
  byteCount: number | undefined
  /** Since it was made; undefined in 1.1 and 1.2, which do not tell. */
  durationSec: number | undefined
  durationNsec: number | undefined
  buckets: readonly BucketStats[]
}

export interface GroupDesc {
  groupType: GroupType
  group: number
  buckets: readonly GroupBucket[]
  selection: GroupSelection
}

export const GFC_SELECT_WEIGHT = 1 << 0
export const GFC_SELECT_LIVENESS = 1 << 1
export const GFC_CHAINING = 1 << 2
export const GFC_CHAINING_CHECKS = 1 << 3

export interface GroupFeatures {
  /** 1 << index into GROUP_TYPES. */
  types: number
  /** GFC_* */
  capabilities: number
  /** Of each type. */
  maxGroups: readonly number[]
  /** Of each type: 1 << OFPAT11_* (or the version's numbers). */
  actions: readonly number[]
}
