/** group: a packet takes all buckets of a group, one of them, or the first that is live. */
import {
  ETH_IPV4,
  ETH_IPV6,
  W_IPV6_DST,
  W_IPV6_SRC,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
} from '../../../protocols/flow-key.ts'
import { FIELDS, readField } from '../../../protocols/meta-flow.ts'
import { prerequisitesHold } from '../../../protocols/openflow/prerequisites.ts'
import { hash64, hashAdd, hashBytes, hashFields, hashFinish, hashTwoWords } from '../../flow/openflow-hash.ts'
import type { ActionContext } from '../action-context.ts'
import { orderActionSet } from '../action-set.ts'
import type { Bucket, Group } from '../group-table.ts'
import { executeActions } from './execute-actions.ts'
import { setField } from './fields.ts'
import { lookAtHashFields } from './hash-bits.ts'
import { isolated } from './isolated.ts'
import { lookAtPrerequisites } from './prerequisite-bits.ts'

/** @returns whether there is no such group, which ends the list of actions */
export function group(ctx: ActionContext, id: number, last: boolean): boolean {
  const { x, bridge } = ctx
  x.tag(bridge.groups.tag(id))
  const found = bridge.groups.get(id)
  if (found === undefined) {
    ctx.note(` >> group ${id} does not exist`)
    return true
  }
  if (!x.mayEnter()) return false
  x.credit(found)
  x.depth++
  if (found.type === 'all' || found.type === 'indirect') {
    const end = found.buckets.length - 1
    for (const [i, b] of found.buckets.entries()) takeBucket(ctx, b, i, last && i === end)
  } else {
    const bucket = found.type === 'select' ? select(ctx, found) : firstLive(ctx, found)
    if (bucket === undefined) ctx.note(' >> no live bucket')
    else takeBucket(ctx, bucket, found.buckets.indexOf(bucket), last)
  }
  x.depth--
  return false
}

function takeBucket(ctx: ActionContext, bucket: Bucket, index: number, last: boolean): void {
  const { x, inGroup } = ctx
  x.credit(bucket)
  ctx.note(`bucket ${index}`)
  ctx.inGroup = true
  isolated(ctx, last, () => executeActions(ctx, orderActionSet(bucket.spec.actions), true))
  ctx.inGroup = inGroup
}

function firstLive(ctx: ActionContext, { buckets }: Group): Bucket | undefined {
  return buckets.find((b) => ctx.bridge.groups.bucketLive(b))
}

/** By weighted highest random weight, so that a bucket that dies moves no flows but its own. */
function select(ctx: ActionContext, found: Group): Bucket | undefined {
  const basis = basisOf(ctx, found)
  let best: Bucket | undefined
  let bestScore = 0
  for (const bucket of found.buckets) {
    if (!ctx.bridge.groups.bucketLive(bucket)) continue
    const score = ((hashTwoWords(bucket.spec.id, basis) & 0xffff) * bucket.spec.weight) % 0x1_0000_0000
    if (score < bestScore || bucket.spec.weight === 0) continue
    best = bucket
    bestScore = score
  }
  return best
}

function basisOf(ctx: ActionContext, { selection }: Group): number {
  const { x } = ctx
  if (selection.method !== 'hash') return fiveTupleHash(ctx, Number(selection.param & 0xffff_ffffn))
  if (selection.fields.length === 0) {
    lookAtHashFields(x, 'symmetric_l4')
    return hashFields(x.flow, 'symmetric_l4', 0)
  }
  let basis = hash64(selection.param)
  for (const { field: id, mask } of selection.fields) {
    const field = FIELDS[id]
    lookAtPrerequisites(x, field.prerequisite)
    if (field.variable || !prerequisitesHold(field, x.flow)) continue
    const value = readField(x.flow, field)
    for (let i = 0; i < value.length; i++) value[i] &= mask[i]
    // Setting a field to what it holds looks at the bits of the mask.
    setField(ctx, { type: 'set_field', field: id, value, mask, as: 'set_field' })
    basis = hashBytes(value, basis)
  }
  return basis
}

/** What a datapath hashes: addresses, protocol and ports. */
function fiveTupleHash({ x }: ActionContext, basis: number): number {
  const { flow } = x
  const type = flow[W_TYPE] >>> 16
  let hash = basis
  const take = (word: number, mask: number): void => {
    x.look(word, mask)
    hash = hashAdd(hash, flow[word] & mask)
  }
  x.look(W_TYPE, 0xffff0000)
  if (type !== ETH_IPV4 && type !== ETH_IPV6) return hashFinish(hash, 0)
  if (type === ETH_IPV4) {
    take(W_NW_SRC, 0xffffffff)
    take(W_NW_DST, 0xffffffff)
  } else {
    for (let i = 0; i < 4; i++) {
      take(W_IPV6_SRC + i, 0xffffffff)
      take(W_IPV6_DST + i, 0xffffffff)
    }
  }
  take(W_NW, 0xff000000)
  const proto = flow[W_NW] >>> 24
  if (proto === 6 || proto === 17 || proto === 132) take(W_TP, 0xffffffff)
  return hashFinish(hash, 0)
}
