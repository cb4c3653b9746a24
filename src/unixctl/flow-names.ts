/** Names that somebody gave to flows of the datapath; others are called by their numbers. */
import { formatUfid, parseUfid } from './megaflow-text.ts'

/** The oldest are forgotten: their flows are called by their numbers, then. */
const MAX_NAMES = 4096

export class FlowNames {
  readonly #ids = new Map<string, number>()
  readonly #names = new Map<number, string>()

  /** As it is written. */
  of(id: number): string {
    return this.#names.get(id) ?? formatUfid(id)
  }

  /** The number of a flow; undefined for what is no name. */
  idOf(name: string): number | undefined {
    return this.#ids.get(name) ?? parseUfid(name)
  }

  give(name: string, id: number): void {
    this.take(name)
    if (this.#ids.size === MAX_NAMES) this.take(this.#ids.keys().next().value!)
    this.#ids.set(name, id)
    this.#names.set(id, name)
  }

  take(name: string): void {
    const id = this.#ids.get(name)
    if (id !== undefined) this.#names.delete(id)
    this.#ids.delete(name)
  }
}
