/**
 * The groups of a bridge (OpenFlow 1.5.1 §5.10): buckets of actions, of which a packet takes all, one, or the
 * first that leads anywhere.
 */
import type { OfAction } from '../../protocols/openflow/action.ts'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import { OFPG_ALL, OFPG_ANY, OFPG_MAX } from '../../protocols/openflow/flow-mod.ts'
import {
  BUCKET_ALL,
  BUCKET_FIRST,
  BUCKET_LAST,
  BUCKET_MAX,
  type GroupBucket,
  type GroupMod,
  type GroupSelection,
  type GroupType,
} from '../../protocols/openflow/group.ts'
import { OFPP_ANY } from '../../protocols/openflow/port.ts'
import type { Instant } from '../../protocols/time.ts'
import { PacketCounter } from './packet-counter.ts'
import { TAG_GROUP, type TagListener, tagOf } from './tags.ts'

/** Buckets within buckets' groups that liveness looks through. */
const MAX_LIVENESS_DEPTH = 128

export class Bucket extends PacketCounter {
  readonly spec: GroupBucket
  constructor(spec: GroupBucket) {
    super()
    this.spec = spec
  }
}

export class Group extends PacketCounter {
  readonly id: number
  readonly type: GroupType
  readonly buckets: readonly Bucket[]
  readonly selection: GroupSelection
  readonly created: Instant

  constructor(
    id: number,
    type: GroupType,
    buckets: readonly Bucket[],
    selection: GroupSelection,
    now: Instant,
  ) {
    super()
    this.id = id
    this.type = type
    this.buckets = buckets
    this.selection = selection
    this.created = now
  }
}

/** What the table asks of its bridge. */
export interface GroupHost extends TagListener {
  /** Whether a port leads anywhere now. */
  portLive(ofport: number): boolean
  /** Removes the rules that send packets to a group. */
  groupDeleted(group: number): void
}

export class GroupTable {
  readonly #bridge: number
  readonly #host: GroupHost
  readonly #groups = new Map<number, Group>()

  constructor(bridge: number, host: GroupHost) {
    this.#bridge = bridge
    this.#host = host
  }

  get(id: number): Group | undefined {
    return this.#groups.get(id)
  }

  get size(): number {
    return this.#groups.size
  }

  /** By number. */
  all(): Group[] {
    return [...this.#groups.values()].sort((a, b) => a.id - b.id)
  }

  /** The tag of decisions that depend on a group, or on there being none of that number. */
  tag(id: number): number {
    return tagOf(TAG_GROUP, this.#bridge, id, 0)
  }

  /** Carries out a group-mod, or tells why not and changes nothing. */
  modify(mod: GroupMod, now: Instant): OfErrorName | undefined {
    switch (mod.command) {
      case 'add':
        return this.#groups.has(mod.group) ? 'OFPGMFC_GROUP_EXISTS' : this.#put(mod, mod.buckets, now)
      case 'modify':
        return this.#groups.has(mod.group) ? this.#put(mod, mod.buckets, now) : 'OFPGMFC_UNKNOWN_GROUP'
      case 'add_or_modify':
        return this.#put(mod, mod.buckets, now)
      case 'delete':
        this.#delete(mod.group)
        return undefined
      case 'insert_bucket':
      case 'remove_bucket': {
        const group = this.#groups.get(mod.group)
        if (group === undefined) return 'OFPGMFC_UNKNOWN_GROUP'
        const buckets = mod.command === 'insert_bucket' ? insert(group, mod) : removeBuckets(group, mod)
        if (typeof buckets === 'string') return buckets
        return this.#put({ ...mod, groupType: group.type, selection: group.selection }, buckets, now)
      }
    }
  }

  /** Whether some bucket of a group leads anywhere. */
  live(id: number, depth = 0): boolean {
    const group = this.#groups.get(id)
    return group?.buckets.some((b) => this.bucketLive(b, depth + 1)) === true
  }

  /** A bucket that watches nothing is always live. */
  bucketLive({ spec }: Bucket, depth = 0): boolean {
    if (depth >= MAX_LIVENESS_DEPTH) return false
    const { watchPort, watchGroup } = spec
    if (watchPort === OFPP_ANY && watchGroup === OFPG_ANY) return true
    if (watchPort !== OFPP_ANY && this.#host.portLive(watchPort)) return true
    return watchGroup !== OFPG_ANY && this.live(watchGroup, depth)
  }

  #put(mod: GroupMod, specs: readonly GroupBucket[], now: Instant): OfErrorName | undefined {
    const refusal = refusalOf(mod, specs) ?? this.#chainRefusal(mod.group, specs)
    if (refusal !== undefined) return refusal
    const old = this.#groups.get(mod.group)
    // Buckets that stay keep what they have counted.
    const buckets = specs.map((spec) => old?.buckets.find((b) => b.spec === spec) ?? new Bucket(spec))
    this.#changed(mod.group)
    const group = new Group(mod.group, mod.groupType, buckets, mod.selection, old?.created ?? now)
    if (old !== undefined) group.credit(old.packets, old.bytes, old.used)
    this.#groups.set(mod.group, group)
    return undefined
  }

  /** Groups that lead to one another must not do so in a circle. */
  #chainRefusal(id: number, specs: readonly GroupBucket[]): OfErrorName | undefined {
    const seen = new Set<number>()
    const pending = groupsOf(specs)
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next === id) return 'OFPGMFC_LOOP'
      if (seen.has(next)) continue
      seen.add(next)
      const group = this.#groups.get(next)
      if (group !== undefined) pending.push(...groupsOf(group.buckets.map((b) => b.spec)))
    }
    return undefined
  }

  #delete(id: number): void {
    for (const group of id === OFPG_ALL ? this.all() : [this.#groups.get(id)]) {
      if (group === undefined) continue
      this.#changed(group.id)
      this.#groups.delete(group.id)
      this.#host.groupDeleted(group.id)
    }
  }

  #changed(id: number): void {
    this.#host.touch(this.tag(id))
  }
}

/** Groups that buckets send packets to. */
function groupsOf(specs: readonly GroupBucket[]): number[] {
  const found: number[] = []
  const walk = (actions: readonly OfAction[]): void => {
    for (const action of actions) {
      if (action.type === 'group') found.push(action.group)
      else if (action.type === 'clone' || action.type === 'write_actions') walk(action.actions)
    }
  }
  for (const { actions } of specs) walk(actions)
  return found
}

function refusalOf({ group, groupType }: GroupMod, specs: readonly GroupBucket[]): OfErrorName | undefined {
  if (group > OFPG_MAX) return 'OFPGMFC_INVALID_GROUP'
  if (groupType === 'indirect' && specs.length !== 1) return 'OFPGMFC_INVALID_GROUP'
  const ids = new Set<number>()
  for (const { id, watchPort, watchGroup } of specs) {
    if (id > BUCKET_MAX) return 'OFPGMFC_BAD_BUCKET'
    if (ids.has(id)) return 'OFPGMFC_BUCKET_EXISTS'
    ids.add(id)
    if (groupType === 'fast_failover' && watchPort === OFPP_ANY && watchGroup === OFPG_ANY) {
      return 'OFPGMFC_BAD_WATCH'
    }
  }
  return undefined
}

function insert(group: Group, { commandBucketId, buckets }: GroupMod): GroupBucket[] | OfErrorName {
  const specs = group.buckets.map((b) => b.spec)
  let at = 0
  if (commandBucketId === BUCKET_LAST) at = specs.length
  else if (commandBucketId !== BUCKET_FIRST) {
    at = specs.findIndex((s) => s.id === commandBucketId) + 1
    if (at === 0) return 'OFPGMFC_UNKNOWN_BUCKET'
  }
  return [...specs.slice(0, at), ...buckets, ...specs.slice(at)]
}

function removeBuckets(group: Group, { commandBucketId }: GroupMod): GroupBucket[] | OfErrorName {
  const specs = group.buckets.map((b) => b.spec)
  if (commandBucketId === BUCKET_ALL) return []
  if (commandBucketId === BUCKET_FIRST) return specs.slice(1)
  if (commandBucketId === BUCKET_LAST) return specs.slice(0, -1)
  const left = specs.filter((s) => s.id !== commandBucketId)
  return left.length === specs.length ? 'OFPGMFC_UNKNOWN_BUCKET' : left
}
