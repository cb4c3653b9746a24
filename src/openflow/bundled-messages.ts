/** The messages of a bundle, which have been found in order, as the bytes they came in, one behind the other. */
import { decodeMessage, type Message } from '../../protocols/openflow/message.ts'

/** Types that may be in a bundle. */
const BUNDLED = ['FLOW_MOD', 'GROUP_MOD', 'PORT_MOD', 'PACKET_OUT'] as const

export type Bundled = Extract<Message, { readonly type: (typeof BUNDLED)[number] }>

export function isBundled(message: Message): message is Bundled {
  return (BUNDLED as readonly string[]).includes(message.type)
}

export class BundledMessages {
  #bytes = new Uint8Array(1 << 12)
  /** Where each ends. */
  readonly #ends: number[] = []
  onlyFlowMods = true

  get count(): number {
    return this.#ends.length
  }

  /** All of them. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end(this.count - 1))
  }

  /** One of them. */
  at(index: number): Uint8Array {
    return this.#bytes.subarray(this.#end(index - 1), this.#end(index))
  }

  /** All of them, as records. */
  read(): Bundled[] {
    return Array.from({ length: this.count }, (_, i) => decodeMessage(this.at(i)) as Bundled)
  }

  add(type: Bundled['type'], bytes: Uint8Array): void {
    const at = this.#end(this.count - 1)
    if (at + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(2 * (at + bytes.length))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
    }
    this.#bytes.set(bytes, at)
    if (type !== 'FLOW_MOD') this.onlyFlowMods = false
    this.#ends.push(at + bytes.length)
  }

  #end(index: number): number {
    return index < 0 ? 0 : this.#ends[index]!
  }
}
