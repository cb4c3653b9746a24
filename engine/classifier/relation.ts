/**
 * Members in lists, any number of them in any number of lists: a node for each pair, in a list of its member and,
 * doubly linked, in the list itself. What is read of a node lies in half a line of the cache. There is no
 * node 0, which ends a list, so that a table nobody has written to yet is all empty lists and takes no memory.
 */
const MEMBER = 0
const LIST = 1
const NOTE = 2
const NEXT_IN_LIST = 3
const PREVIOUS_IN_LIST = 4
const NEXT_OF_MEMBER = 5
const ROW_SHIFT = 3
const NODES = 1024

export class Relation {
  #rows = new Int32Array(NODES << ROW_SHIFT)
  /** Free nodes, chained as if of one list. */
  #free = 0
  /** Nodes from here on have never been used. */
  #fresh = 1
  readonly #headOfMember: Int32Array
  readonly #headOfList: Int32Array

  constructor(members: number, lists: number) {
    this.#headOfMember = new Int32Array(members)
    this.#headOfList = new Int32Array(lists)
  }

  /** Puts a member in front of a list. @param note what is to be known of the pair */
  add(member: number, list: number, note: number): void {
    const node = this.#take()
    const rows = this.#rows
    const row = node << ROW_SHIFT
    const head = this.#headOfList[list]
    rows[row + MEMBER] = member
    rows[row + LIST] = list
    rows[row + NOTE] = note
    rows[row + NEXT_IN_LIST] = head
    rows[row + PREVIOUS_IN_LIST] = 0
    rows[row + NEXT_OF_MEMBER] = this.#headOfMember[member]
    if (head !== 0) rows[(head << ROW_SHIFT) + PREVIOUS_IN_LIST] = node
    this.#headOfList[list] = node
    this.#headOfMember[member] = node
  }

  /** Takes a member out of all its lists. */
  remove(member: number): void {
    const rows = this.#rows
    for (let node = this.#headOfMember[member]; node !== 0; ) {
      const row = node << ROW_SHIFT
      const next = rows[row + NEXT_IN_LIST]
      const previous = rows[row + PREVIOUS_IN_LIST]
      if (previous === 0) this.#headOfList[rows[row + LIST]] = next
      else rows[(previous << ROW_SHIFT) + NEXT_IN_LIST] = next
      if (next !== 0) rows[(next << ROW_SHIFT) + PREVIOUS_IN_LIST] = previous
      rows[row + NEXT_IN_LIST] = this.#free
      this.#free = node
      node = rows[row + NEXT_OF_MEMBER]
    }
    this.#headOfMember[member] = 0
  }

  /** The node of a member that was added last, or 0. */
  ofMember(member: number): number {
    return this.#headOfMember[member]
  }

  /** The first node of a list, or 0. */
  ofList(list: number): number {
    return this.#headOfList[list]
  }

  nextOfMember(node: number): number {
    return this.#rows[(node << ROW_SHIFT) + NEXT_OF_MEMBER]
  }

  nextInList(node: number): number {
    return this.#rows[(node << ROW_SHIFT) + NEXT_IN_LIST]
  }

  member(node: number): number {
    return this.#rows[(node << ROW_SHIFT) + MEMBER]
  }

  list(node: number): number {
    return this.#rows[(node << ROW_SHIFT) + LIST]
  }

  note(node: number): number {
    return this.#rows[(node << ROW_SHIFT) + NOTE]
  }

  #take(): number {
    const node = this.#free
    if (node !== 0) {
      this.#free = this.nextInList(node)
      return node
    }
    if (this.#fresh << ROW_SHIFT === this.#rows.length) {
      const rows = new Int32Array(this.#rows.length * 2)
      rows.set(this.#rows)
      this.#rows = rows
    }
    return this.#fresh++
  }
}
