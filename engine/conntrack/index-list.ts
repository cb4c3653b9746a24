/** A doubly linked list of small integers; several lists may share the links if nobody is in two of them. */
export interface IndexList {
  /** First (oldest) and last member plus one; 0 for none. */
  head: number
  tail: number
}

export class IndexLinks {
  /** Next and previous member plus one, two words a member. */
  #links = new Int32Array(0)

  reserve(members: number): void {
    const links = new Int32Array(members << 1)
    links.set(this.#links)
    this.#links = links
  }

  append(list: IndexList, member: number): void {
    this.#links[member << 1] = 0
    this.#links[(member << 1) + 1] = list.tail
    if (list.tail === 0) list.head = member + 1
    else this.#links[(list.tail - 1) << 1] = member + 1
    list.tail = member + 1
  }

  detach(list: IndexList, member: number): void {
    const next = this.#links[member << 1]
    const prev = this.#links[(member << 1) + 1]
    if (prev === 0) list.head = next
    else this.#links[(prev - 1) << 1] = next
    if (next === 0) list.tail = prev
    else this.#links[((next - 1) << 1) + 1] = prev
  }

  /** The member after this one, or -1. */
  next(member: number): number {
    return this.#links[member << 1] - 1
  }
}
