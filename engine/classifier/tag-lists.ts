/**
 * Which megaflows stand under which tags (see ofproto/tags.ts).
 *
 * Problem: a flow through a router depends on a dozen things and more, and thousands of flows come and go a second.
 * But all of those things save its connection it has in common with most others. So flows are listed under tags of
 * their own only; the rest of its tags are a *group*, kept once for all flows that have the same, and it is groups that
 * are listed under those. A group goes with its last flow.
 */
import { finish, mix } from '../flow/hash.ts'
import { FIRST_OWN_TAG, TAG_COUNT } from '../ofproto/tags.ts'
import { Relation } from './relation.ts'

const NONE = -1
const ANY = -1
const BUCKETS = 1 << 14
/** Of what flows are listed in: their own tags, and behind those groups. */
const GROUPS = TAG_COUNT - FIRST_OWN_TAG

export class TagLists {
  readonly #flows: Relation
  /** Groups under their tags; noted is the station whose frames the flows carry and which the tag stands for, or 0. */
  readonly #groups: Relation
  readonly #hash: Int32Array
  /** The next group with the same hash, or free one, plus one; 0 at the end. So are the heads. */
  readonly #chain: Int32Array
  readonly #buckets = new Int32Array(BUCKETS)
  #free = 0
  #fresh = 0

  /** @param flows flows at the most */
  constructor(flows: number) {
    this.#flows = new Relation(flows, GROUPS + flows)
    this.#groups = new Relation(flows, FIRST_OWN_TAG)
    this.#hash = new Int32Array(flows)
    this.#chain = new Int32Array(flows)
  }

  /** Puts a flow, which stands under none, under the first `count` tags. */
  add(f: number, tags: Uint32Array, stations: Uint32Array, count: number): void {
    let hash = 0
    let shared = 0
    for (let i = 0; i < count; i++) {
      const tag = tags[i]
      if (tag >= FIRST_OWN_TAG) this.#flows.add(f, tag - FIRST_OWN_TAG, 0)
      else {
        hash = mix(mix(hash, tag), stations[i])
        shared++
      }
    }
    if (shared > 0) this.#flows.add(f, GROUPS + this.#groupOf(hash, tags, stations, count), 0)
  }

  /** Takes a flow from under all its tags. */
  remove(f: number): void {
    const group = this.#groupOfFlow(f)
    this.#flows.remove(f)
    if (group !== NONE && this.#flows.ofList(GROUPS + group) === 0) this.#forget(group)
  }

  /** A flow under a tag, or -1. */
  first(tag: number): number {
    let list = tag - FIRST_OWN_TAG
    if (list < 0) {
      const node = this.#groups.ofList(tag)
      if (node === 0) return NONE
      list = GROUPS + this.#groups.member(node)
    }
    const node = this.#flows.ofList(list)
    return node === 0 ? NONE : this.#flows.member(node)
  }

  /**
   * All flows under a tag, or only those that carry frames of a station.
   * @param into has room for as many as there are flows
   * @returns how many
   */
  under(tag: number, into: Int32Array, station = ANY): number {
    if (tag >= FIRST_OWN_TAG) return station === ANY ? this.#copy(tag - FIRST_OWN_TAG, into, 0) : 0
    const groups = this.#groups
    let count = 0
    let last = NONE
    for (let node = groups.ofList(tag); node !== 0; node = groups.nextInList(node)) {
      // A group may stand under a tag for several stations, and then does so in a row.
      const group = groups.member(node)
      if (group === last || (station !== ANY && groups.note(node) !== station)) continue
      count = this.#copy(GROUPS + group, into, count)
      last = group
    }
    return count
  }

  /** A first node of the tags that a flow shares with others, or 0. */
  shared(f: number): number {
    const group = this.#groupOfFlow(f)
    return group === NONE ? 0 : this.#groups.ofMember(group)
  }

  nextShared(node: number): number {
    return this.#groups.nextOfMember(node)
  }

  /** The station that a shared tag stands for, or 0. */
  station(node: number): number {
    return this.#groups.note(node)
  }

  #copy(list: number, into: Int32Array, at: number): number {
    const flows = this.#flows
    let count = at
    for (let node = flows.ofList(list); node !== 0; node = flows.nextInList(node)) {
      into[count++] = flows.member(node)
    }
    return count
  }

  /** It is what was added last. */
  #groupOfFlow(f: number): number {
    const node = this.#flows.ofMember(f)
    return node === 0 ? NONE : Math.max(NONE, this.#flows.list(node) - GROUPS)
  }

  #groupOf(hash: number, tags: Uint32Array, stations: Uint32Array, count: number): number {
    const bucket = finish(hash) & (BUCKETS - 1)
    for (let link = this.#buckets[bucket]; link !== 0; link = this.#chain[link - 1]) {
      const group = link - 1
      if (this.#hash[group] === hash && this.#holds(group, tags, stations, count)) return group
    }
    let group = this.#free - 1
    if (group === NONE) group = this.#fresh++
    else this.#free = this.#chain[group]
    this.#hash[group] = hash
    this.#chain[group] = this.#buckets[bucket]
    this.#buckets[bucket] = group + 1
    for (let i = 0; i < count; i++) {
      if (tags[i] < FIRST_OWN_TAG) this.#groups.add(group, tags[i], stations[i])
    }
    return group
  }

  /** Whether a group has these tags, and no others; its nodes begin with the last. */
  #holds(group: number, tags: Uint32Array, stations: Uint32Array, count: number): boolean {
    const groups = this.#groups
    let node = groups.ofMember(group)
    for (let i = count - 1; i >= 0; i--) {
      if (tags[i] >= FIRST_OWN_TAG) continue
      if (node === 0 || groups.list(node) !== tags[i] || groups.note(node) !== stations[i]) return false
      node = groups.nextOfMember(node)
    }
    return node === 0
  }

  #forget(group: number): void {
    this.#groups.remove(group)
    const bucket = finish(this.#hash[group]) & (BUCKETS - 1)
    const next = this.#chain[group]
    let link = this.#buckets[bucket]
    if (link === group + 1) this.#buckets[bucket] = next
    else {
      while (this.#chain[link - 1] !== group + 1) link = this.#chain[link - 1]
      this.#chain[link - 1] = next
    }
    this.#chain[group] = this.#free
    this.#free = group + 1
  }
}
