/** Which bucket of a select group a packet takes: the same as in Open vSwitch (bucket-selection.ts). */
import {
  ETH_ARP,
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
import { OFPG_ANY } from '../../../protocols/openflow/flow-mod.ts'
import { OFPP_ANY } from '../../../protocols/openflow/port.ts'
import { prerequisitesHold } from '../../../protocols/openflow/prerequisites.ts'
import { formatPort } from '../../../protocols/openflow/text/names.ts'
import { hash64, hashBytes, hashFields, hashFiveTuple, hashTwoWords } from '../../flow/openflow-hash.ts'
import type { ActionContext } from '../action-context.ts'
import type { Bucket, Group } from '../group-table.ts'
import type { Xlate } from '../xlate.ts'
import { setField } from './fields.ts'
import { lookAtHashFields } from './hash-bits.ts'
import { lookAtPrerequisites } from './prerequisite-bits.ts'

/** A live one, or undefined if none is. */
export function selectBucket(ctx: ActionContext, group: Group): Bucket | undefined {
  const { x, bridge } = ctx
  const { chooses } = group
  if (chooses?.by !== 'slots') {
    return heaviest(ctx, group, chooses?.by === 'fields' ? hashOfFields(ctx, group) : symmetricL4(x))
  }
  const { slots, hash, basis } = chooses
  const value = hash === 'symmetric' ? symmetricL3L4(x, basis) : fiveTuple(x, basis)
  // A dead bucket's share falls to those behind it in the table, which are of every bucket.
  for (let i = 0; i < slots.length; i++) {
    const bucket = slots[(value + i) & (slots.length - 1)]
    if (bridge.groups.bucketLive(group, bucket)) return bucket
  }
  return undefined
}

/** By highest random weight, so that a bucket that dies moves no flows but its own. */
function heaviest(ctx: ActionContext, group: Group, basis: number): Bucket | undefined {
  let best: Bucket | undefined
  let bestScore = 0
  for (const bucket of group.buckets) {
    const { id, weight } = bucket.spec
    if (!ctx.bridge.groups.bucketLive(group, bucket)) {
      noteDead(ctx, bucket)
      continue
    }
    const score = ((hashTwoWords(id, basis) & 0xffff) * weight) % 0x1_0000_0000
    ctx.note(` -> bucket ${id}: score ${score}`)
    if (score < bestScore) continue
    best = bucket
    bestScore = score
  }
  return best
}

/** Tells that a bucket is passed over, in the words of Open vSwitch. */
export function noteDead(ctx: ActionContext, { spec: { id, watchPort, watchGroup } }: Bucket): void {
  const due = [
    ...(watchPort === OFPP_ANY ? [] : [`port ${formatPort(watchPort)}`]),
    ...(watchGroup === OFPG_ANY ? [] : [`port ${watchGroup}`]),
  ]
  ctx.note(` -> bucket ${id}: not live due to ${due.join(' and ')}`)
}

function symmetricL4(x: Xlate): number {
  lookAtHashFields(x, 'symmetric_l4')
  return hashFields(x.flow, 'symmetric_l4', 0)
}

function symmetricL3L4(x: Xlate, basis: number): number {
  lookAtHashFields(x, 'symmetric_l3l4')
  return hashFields(x.flow, 'symmetric_l3l4', basis)
}

function hashOfFields(ctx: ActionContext, { selection }: Group): number {
  const { x } = ctx
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

/** Of the packet as it was received: whatever has been rewritten since, Open vSwitch hashes it only once. */
function fiveTuple(x: Xlate, basis: number): number {
  const { origin } = x
  const type = origin[W_TYPE] >>> 16
  x.look(W_TYPE, 0xffff0000)
  if (type === ETH_IPV6) {
    for (let i = 0; i < 4; i++) {
      x.look(W_IPV6_SRC + i, 0xffffffff)
      x.look(W_IPV6_DST + i, 0xffffffff)
    }
  } else if (type === ETH_IPV4 || type === ETH_ARP) {
    x.look(W_NW_SRC, 0xffffffff)
    x.look(W_NW_DST, 0xffffffff)
  }
  x.look(W_NW, 0xff000000)
  x.look(W_TP, 0xffffffff)
  return hashTwoWords(hashFiveTuple(origin), basis)
}
