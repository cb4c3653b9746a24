import { type Uuid, ZERO_UUID } from '../ovsdb/uuid.ts'
import { blankEntry, type Entry, type Servers } from './entry.ts'

/**
 * The log of one server: a snapshot that stands for all entries up to `start`, and those from there to before `end`.
 * Index 1 is never an entry but part of the first snapshot; a server that is still to join has start and end 1.
 */
export class RaftLog {
  #snapshot: Entry = blankEntry(0)
  #start = 1
  #entries: Entry[] = []

  /** The first entry that is kept. */
  get start(): number {
    return this.#start
  }

  /** Behind the last entry. */
  get end(): number {
    return this.#start + this.#entries.length
  }

  get last(): number {
    return this.end - 1
  }

  get lastTerm(): number {
    return this.term(this.last)
  }

  /** What stands for all before `start`. */
  get snapshot(): Entry {
    return this.#snapshot
  }

  /** The term of an entry, or that of the snapshot for the last of those that it stands for. */
  term(index: number): number {
    return index === this.#start - 1 ? this.#snapshot.term : this.entry(index).term
  }

  entry(index: number): Entry {
    return this.#entries[index - this.#start]
  }

  /** Those from an index to before another. */
  slice(from: number, to = this.end): readonly Entry[] {
    return this.#entries.slice(from - this.#start, to - this.#start)
  }

  /** Whether the entry is there, as far as it can be told of what the snapshot stands for. */
  has(index: number, term: number): boolean {
    return index >= this.#start - 1 && index < this.end && this.term(index) === term
  }

  push(entry: Entry): void {
    this.#entries.push(entry)
  }

  /** Drops the entries from an index on. */
  truncate(end: number): void {
    this.#entries.length = end - this.#start
  }

  /** Puts a snapshot in the place of all entries before `start`; what is behind stays. */
  compact(start: number, snapshot: Entry): void {
    this.#entries = start < this.end ? this.#entries.slice(start - this.#start) : []
    this.#start = start
    this.#snapshot = snapshot
  }

  /** Puts it in the place of all there is. */
  reset(start: number, snapshot: Entry): void {
    this.#entries = []
    this.#start = start
    this.#snapshot = snapshot
  }

  /** The id of the last transaction up to an index. */
  eid(index = this.last): Uuid {
    return this.#latest(index, (entry) => entry.data !== undefined)?.eid ?? ZERO_UUID
  }

  /** The servers of the cluster, as of an index. */
  servers(index = this.last): Servers {
    return this.#latest(index, (entry) => entry.servers !== undefined)?.servers ?? new Map()
  }

  electionTimer(index: number): number | undefined {
    return this.#latest(index, (entry) => entry.electionTimer !== undefined)?.electionTimer
  }

  /** Whether the servers change behind an index. */
  reconfigures(after: number): boolean {
    return this.slice(after + 1).some(({ servers }) => servers !== undefined)
  }

  #latest(index: number, wanted: (entry: Entry) => boolean): Entry | undefined {
    for (let i = index; i >= this.#start; i--) if (wanted(this.entry(i))) return this.entry(i)
    return this.#snapshot
  }
}
