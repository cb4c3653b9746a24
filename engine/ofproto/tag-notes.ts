/** The tags that a translation notes (tags.ts), each once. */
import { FIRST_OWN_TAG, TAG_COUNT } from './tags.ts'

/** Tags a megaflow may carry; a translation that wants more is not cached. */
export const MAX_TAGS = 1024

export class TagNotes {
  readonly tags = new Uint32Array(MAX_TAGS)
  /** Beside each tag: the station whose frames flows of this translation carry, or 0. */
  readonly stations = new Uint32Array(MAX_TAGS)
  count = 0
  /** There were more. */
  overflow = false
  /** Where in `tags` a tag stands, if it does. */
  readonly #place = new Uint16Array(TAG_COUNT)

  reset(): void {
    this.count = 0
    this.overflow = false
  }

  /** Whether the tag is noted: its place, if it has one, says so. */
  has(tag: number): boolean {
    const at = this.#place[tag]
    return at < this.count && this.tags[at] === tag
  }

  add(tag: number): void {
    if (!this.has(tag)) this.#add(tag, 0)
  }

  /** A tag that stands for a station; see `tagStation` of Xlate. */
  addStation(tag: number, station: number): void {
    for (let i = this.has(tag) ? 0 : this.count; i < this.count; i++) {
      if (this.tags[i] !== tag) continue
      if (this.stations[i] === 0) this.stations[i] = station
      if (this.stations[i] === station) return
    }
    this.#add(tag, station)
  }

  /** Of the tags noted since there were `from`, those of connections do not matter any more. */
  forgetOwn(from: number): void {
    let kept = from
    for (let i = from; i < this.count; i++) {
      const tag = this.tags[i]
      if (tag >= FIRST_OWN_TAG) continue
      this.tags[kept] = tag
      this.stations[kept] = this.stations[i]
      this.#place[tag] = kept++
    }
    this.count = kept
  }

  #add(tag: number, station: number): void {
    if (this.count === MAX_TAGS) {
      this.overflow = true
      return
    }
    if (!this.has(tag)) this.#place[tag] = this.count
    this.tags[this.count] = tag
    this.stations[this.count++] = station
  }
}
