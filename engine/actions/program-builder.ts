import { OP_CLONE, OP_END } from './ops.ts'

/** Longest program; a flood over 1,500 ports fits. */
export const MAX_PROGRAM = 4096

/** Where a translation writes its program. One instance is reused; `length` words of `code` are valid. */
export class ProgramBuilder {
  readonly code = new Int32Array(MAX_PROGRAM)
  length = 0
  /** Set when the program did not fit: it ends at the last whole operation, copy included, that did. */
  overflow = false

  reset(): void {
    this.length = 0
    this.overflow = false
  }

  op(code: number): void {
    if (this.#fits(1)) this.code[this.length++] = code
  }

  op1(code: number, a: number): void {
    if (!this.#fits(2)) return
    this.code[this.length++] = code
    this.code[this.length++] = a
  }

  op2(code: number, a: number, b: number): void {
    if (!this.#fits(3)) return
    this.code[this.length++] = code
    this.code[this.length++] = a
    this.code[this.length++] = b
  }

  op3(code: number, a: number, b: number, c: number): void {
    if (!this.#fits(4)) return
    this.code[this.length++] = code
    this.code[this.length++] = a
    this.code[this.length++] = b
    this.code[this.length++] = c
  }

  /** The same between operations that are there. */
  insert3(at: number, code: number, a: number, b: number, c: number): void {
    if (!this.#fits(4)) return
    for (let i = this.length - 1; i >= at; i--) this.code[i + 4] = this.code[i]
    this.code[at] = code
    this.code[at + 1] = a
    this.code[at + 2] = b
    this.code[at + 3] = c
    this.length += 4
  }

  /** `count` words of a flow as operands, and others behind them. */
  words(code: number, flow: Uint32Array, from: number, count: number, ...more: number[]): void {
    if (!this.#fits(1 + count + more.length)) return
    this.code[this.length++] = code
    for (let i = 0; i < count; i++) this.code[this.length++] = flow[from + i]
    for (const operand of more) this.code[this.length++] = operand
  }

  /** Opens a copy; returns the mark that `endClone` or `undoClone` wants. */
  beginClone(): number {
    this.op1(OP_CLONE, 0)
    return this.overflow ? -1 : this.length
  }

  /** Closes a copy; one that did not fit as a whole is left out. */
  endClone(mark: number): void {
    if (mark < 0) return
    this.op(OP_END)
    if (this.overflow) this.length = mark - 2
    else this.code[mark - 1] = this.length - mark
  }

  /** What was to be done to a copy is done to the packet itself. */
  undoClone(mark: number): void {
    if (mark < 0) return
    this.code.copyWithin(mark - 2, mark, this.length)
    this.length -= 2
  }

  /** Opens the first of two branches; returns the mark that `endBranch` wants. */
  beginBranches(code: number, a: number): number {
    this.op3(code, a, 0, 0)
    return this.overflow ? -1 : this.length
  }

  /** Closes the first branch, which opens the second, or the second. Branches that do not fit are left out. */
  endBranch(mark: number, first: boolean): void {
    if (mark < 0) return
    this.op(OP_END)
    if (this.overflow) this.length = Math.min(this.length, mark - 4)
    else if (first) this.code[mark - 2] = this.length - mark
    else this.code[mark - 1] = this.length - mark - this.code[mark - 2]
  }

  /** Always leaves room for the closing OP_END. */
  end(): void {
    this.code[this.length++] = OP_END
  }

  #fits(words: number): boolean {
    // After a gap nothing may follow: an output, say, without the rewrites meant for it.
    if (!this.overflow && this.length + words < MAX_PROGRAM - 1) return true
    this.overflow = true
    return false
  }
}
