/** The locks of a server (RFC 7047 §4.1.8): each has at most one owner, the others wait in line. */

/** Who wants locks: a session. */
export interface LockHolder {
  locked(lock: string): void
  stolen(lock: string): void
}

interface Place {
  readonly holder: LockHolder
  readonly stole: boolean
}

export interface LockNames {
  readonly held: readonly string[]
  readonly waiting: readonly string[]
  readonly lost: readonly string[]
}

export class Locks {
  /** In line for each lock; the first owns it. */
  readonly #lines = new Map<string, Place[]>()
  /** What a holder has asked for and not given back, also when it was stolen. */
  readonly #asked = new Map<LockHolder, Map<string, Place>>()

  asked(holder: LockHolder, lock: string): boolean {
    return this.#asked.get(holder)?.has(lock) ?? false
  }

  owns(holder: LockHolder, lock: string): boolean {
    return this.#lines.get(lock)?.[0].holder === holder
  }

  /** Gets in line, or, to steal, in front of it. Only one who has not `asked` may. Returns whether it owns the lock. */
  lock(holder: LockHolder, lock: string, steal: boolean): boolean {
    const line = this.#lines.get(lock) ?? []
    const place = { holder, stole: steal }
    const victim = steal ? line[0] : undefined
    if (steal) line.unshift(place)
    else line.push(place)
    // Who was waiting and became the owner waits again; a thief that is robbed has lost it for good.
    if (victim?.stole) line.splice(1, 1)
    this.#lines.set(lock, line)
    const asked = this.#asked.get(holder) ?? new Map<string, Place>()
    this.#asked.set(holder, asked.set(lock, place))
    victim?.holder.stolen(lock)
    return line[0] === place
  }

  /** Only one who has `asked` may. */
  unlock(holder: LockHolder, lock: string): void {
    const asked = this.#asked.get(holder)!
    const place = asked.get(lock)!
    asked.delete(lock)
    if (asked.size === 0) this.#asked.delete(holder)
    const line = this.#lines.get(lock) ?? []
    const at = line.indexOf(place)
    if (at < 0) return
    line.splice(at, 1)
    if (line.length === 0) this.#lines.delete(lock)
    else if (at === 0) line[0].holder.locked(lock)
  }

  /** The holder is gone. */
  unlockAll(holder: LockHolder): void {
    for (const lock of [...(this.#asked.get(holder)?.keys() ?? [])]) this.unlock(holder, lock)
  }

  names(holder: LockHolder): LockNames {
    const asked = [...(this.#asked.get(holder) ?? [])]
    const names = (wanted: (lock: string, place: Place) => boolean) =>
      asked.filter(([lock, place]) => wanted(lock, place)).map(([lock]) => lock)
    return {
      held: names((lock) => this.owns(holder, lock)),
      waiting: names((lock, { stole }) => !stole && !this.owns(holder, lock)),
      lost: names((lock, { stole }) => stole && !this.owns(holder, lock)),
    }
  }
}
