/**
 * The groups of a bridge (OpenFlow 1.5.1 §5.10): buckets of actions, of which a packet takes all, one, or the
 * first that leads anywhere.
 */
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
import { type BucketSelection, bucketSelection } from './bucket-selection.ts'
import { leadsToItself } from './group-chain.ts'
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
  /** Of select groups: how they choose. */
  readonly chooses: BucketSelection | undefined

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
    this.chooses = bucketSelection(type, buckets, selection)
  }
}

/** What a group-mod does to one group. */
export interface GroupChange {
  readonly id: number
  /** undefined: there is none of that number any more. */
  readonly group: Group | undefined
}

/** What the table asks of its bridge. */
export interface GroupHost extends TagListener {
  /** Whether a port leads anywhere now. */
  portLive(ofport: number): boolean
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

  /** Puts a group in its place, or takes away what is there. */
  set(id: number, group: Group | undefined): void {
    this.#host.touch(this.tag(id))
    if (group === undefined) this.#groups.delete(id)
    else this.#groups.set(id, group)
  }

  /**
   * What a group-mod is to change, or why it cannot be carried out. Groups may name others that are not there, as in
   * Open vSwitch; unlike there they may not lead to themselves.
   */
  changes(mod: GroupMod, now: Instant): readonly GroupChange[] | OfErrorName {
    const changes = this.#changesOf(mod, now)
    if (typeof changes === 'string') return changes
    const bucketsOf = (id: number) => specsOf(this.#groups.get(id))
    const circle = changes.some(({ id, group }) => leadsToItself(id, specsOf(group), bucketsOf))
    return circle ? 'OFPGMFC_LOOP' : changes
  }

  #changesOf(mod: GroupMod, now: Instant): readonly GroupChange[] | OfErrorName {
    const old = this.#groups.get(mod.group)
    switch (mod.command) {
      case 'add':
        return old !== undefined ? 'OFPGMFC_GROUP_EXISTS' : changed(mod, mod.buckets, now)
      case 'modify':
        return old === undefined ? 'OFPGMFC_UNKNOWN_GROUP' : changed(mod, mod.buckets, old.created)
      case 'add_or_modify':
        return changed(mod, mod.buckets, old?.created ?? now)
      case 'delete':
        if (mod.group === OFPG_ALL) return this.all().map(({ id }) => ({ id, group: undefined }))
        return old === undefined ? [] : [{ id: mod.group, group: undefined }]
      case 'insert_bucket':
      case 'remove_bucket': {
        if (old === undefined) return 'OFPGMFC_UNKNOWN_GROUP'
        const buckets = mod.command === 'insert_bucket' ? insert(old, mod) : removeBuckets(old, mod)
        if (typeof buckets === 'string') return buckets
        const kept = { ...mod, groupType: old.type, selection: old.selection }
        return changed(kept, buckets, old.created, old.buckets)
      }
    }
  }

  /** Whether some bucket of a group leads anywhere. */
  live(id: number, depth = 0): boolean {
    const group = this.#groups.get(id)
    return group?.buckets.some((b) => this.bucketLive(group, b, depth + 1)) === true
  }

  /** A bucket that watches nothing is always live, but for one of a select group that has no weight. */
  bucketLive({ type }: Group, { spec }: Bucket, depth = 0): boolean {
    if (depth >= MAX_LIVENESS_DEPTH) return false
    const { watchPort, watchGroup, weight } = spec
    if (type === 'select' && weight === 0) return false
    if (watchPort === OFPP_ANY && watchGroup === OFPG_ANY) return true
    if (watchPort !== OFPP_ANY && this.#host.portLive(watchPort)) return true
    return watchGroup !== OFPG_ANY && this.live(watchGroup, depth)
  }
}

/**
 * A group in place of the one there was. As in Open vSwitch it begins to count anew; only buckets that stay when
 * others come or go (`kept`) go on counting.
 */
function changed(
  mod: GroupMod,
  specs: readonly GroupBucket[],
  created: Instant,
  kept: readonly Bucket[] = [],
): readonly GroupChange[] | OfErrorName {
  const { group: id, groupType, selection } = mod
  const refusal = refusalOf(mod, specs)
  if (refusal !== undefined) return refusal
  const buckets = specs.map((spec) => kept.find((b) => b.spec === spec) ?? new Bucket(spec))
  return [{ id, group: new Group(id, groupType, buckets, selection, created) }]
}

function specsOf(group: Group | undefined): readonly GroupBucket[] {
  return group === undefined ? [] : group.buckets.map(({ spec }) => spec)
}

function refusalOf({ group }: GroupMod, specs: readonly GroupBucket[]): OfErrorName | undefined {
  if (group > OFPG_MAX) return 'OFPGMFC_INVALID_GROUP'
  const ids = new Set<number>()
  for (const { id } of specs) {
    if (id > BUCKET_MAX) return 'OFPGMFC_BAD_BUCKET'
    if (ids.has(id)) return 'OFPGMFC_BUCKET_EXISTS'
    ids.add(id)
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
