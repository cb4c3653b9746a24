/**
 * How a select group chooses, decided once when the group is made, as in Open vSwitch: by a table of hash values
 * that weights have spread over the buckets (`dp_hash`, and what says nothing), by fields that the controller
 * names (`hash`), or else by highest random weight of a hash that is alike for both directions.
 */
import type { GroupSelection, GroupType } from '../../protocols/openflow/group.ts'
import type { Bucket } from './group-table.ts'

/** Hash values at the least and at the most; a power of two of them is used. */
const MIN_SLOTS = 16
const MAX_SLOTS = 256

export type BucketSelection =
  | {
      readonly by: 'slots'
      /** A power of two of them; the low bits of a hash are an index. */
      readonly slots: readonly Bucket[]
      /** Of which the hash is: the five-tuple as it was received, or both directions' common part. */
      readonly hash: 'five-tuple' | 'symmetric'
      readonly basis: number
    }
  | { readonly by: 'fields' }
  | { readonly by: 'symmetric' }

/** OVS_HASH_ALG_SYM_L4; every other number stands for OVS_HASH_ALG_L4. */
const HASH_SYMMETRIC = 1n

export function bucketSelection(
  type: GroupType,
  buckets: readonly Bucket[],
  { method, param, fields }: GroupSelection,
): BucketSelection | undefined {
  if (type !== 'select') return undefined
  if (method === 'hash') return { by: fields.length > 0 ? 'fields' : 'symmetric' }
  const slots = slotsOf(buckets)
  if (slots === undefined) return { by: 'symmetric' }
  const symmetric = method === '' || param >> 32n === HASH_SYMMETRIC
  const basis = method === '' ? 0 : Number(param & 0xffff_ffffn)
  return { by: 'slots', slots, hash: symmetric ? 'symmetric' : 'five-tuple', basis }
}

/** Webster's method: the next hash value goes to whom it leaves with the most weight for each. */
function slotsOf(buckets: readonly Bucket[]): Bucket[] | undefined {
  const weights = buckets.map((b) => b.spec.weight)
  const total = weights.reduce((sum, w) => sum + w, 0)
  if (total === 0) return undefined
  const least = Math.min(...weights.filter((w) => w > 0))
  const wanted = Math.max(MIN_SLOTS, 2 ** Math.ceil(Math.log2(Math.ceil(total / least))))
  if (wanted > MAX_SLOTS) return undefined
  const divisors = weights.map(() => 1)
  return Array.from({ length: wanted }, () => {
    let winner = 0
    for (let i = 1; i < weights.length; i++) {
      if (weights[i] / divisors[i] > weights[winner] / divisors[winner]) winner = i
    }
    divisors[winner] += 2
    return buckets[winner]
  })
}
