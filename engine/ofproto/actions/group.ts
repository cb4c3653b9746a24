/** group: a packet takes all buckets of a group, one of them, or the first that is live. */
import type { ActionContext } from '../action-context.ts'
import { orderActionSet } from '../action-set.ts'
import type { Bucket, Group } from '../group-table.ts'
import { executeActions } from './execute-actions.ts'
import { onPacketCopy } from './isolated.ts'
import { noteDead, selectBucket } from './select-bucket.ts'

/** @returns whether there is no such group, which ends the list of actions */
export function group(ctx: ActionContext, id: number, last: boolean): boolean {
  const { x, bridge } = ctx
  if (!x.mayEnter()) return false
  x.tag(bridge.groups.tag(id))
  const found = bridge.groups.get(id)
  if (found === undefined) {
    ctx.note(` >> output to nonexistent group ${id}`)
    return true
  }
  if (found.type === 'all' || found.type === 'indirect') {
    x.credit(found)
    const end = found.buckets.length - 1
    for (const [i, b] of found.buckets.entries()) {
      x.credit(b)
      takeBucket(ctx, b, last && i === end)
    }
    return false
  }
  const bucket = found.type === 'select' ? selectBucket(ctx, found) : firstLive(ctx, found)
  if (bucket === undefined) ctx.note(' -> no live bucket')
  else {
    ctx.note(` -> using bucket ${bucket.spec.id}`)
    x.credit(found)
    x.credit(bucket)
    takeBucket(ctx, bucket, last)
  }
  return false
}

function takeBucket(ctx: ActionContext, { spec }: Bucket, last: boolean): void {
  const { x, inGroup } = ctx
  ctx.inGroup = true
  x.deepen(() => {
    x.trace?.bucket(x.level, spec.id)
    const actions = orderActionSet(spec.actions)
    // Tables that a bucket leads to may write to the action set, which is carried out later: as in Open vSwitch.
    if (actions.length === 0) ctx.note('drop')
    const end = last && !actions.some((a) => a.type === 'resubmit')
    onPacketCopy(ctx, end, () => executeActions(ctx, actions, true))
  })
  ctx.inGroup = inGroup
}

function firstLive(ctx: ActionContext, found: Group): Bucket | undefined {
  for (const bucket of found.buckets) {
    if (ctx.bridge.groups.bucketLive(found, bucket)) return bucket
    noteDead(ctx, bucket)
  }
  return undefined
}
