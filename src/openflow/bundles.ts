/** Bundles of one connection: messages that are kept until they are to be carried out together (OpenFlow 1.4 §6.8). */
import type { BundleAdd, BundleControl } from '../../protocols/openflow/bundle.ts'
import { isFault, type OfErrorName } from '../../protocols/openflow/error.ts'
import { decodeMessage, type Message } from '../../protocols/openflow/message.ts'
import { packetOutRefusal } from './handlers/packets.ts'

/** Bundles that a connection may have open, and messages in all of them. */
const MAX_BUNDLES = 64
const MAX_MESSAGES = 1 << 20

/** Types that may be in a bundle. */
const BUNDLED = ['FLOW_MOD', 'GROUP_MOD', 'PORT_MOD', 'PACKET_OUT'] as const

type Bundled = Extract<Message, { readonly type: (typeof BUNDLED)[number] }>

export interface BundledMessage {
  readonly message: Bundled
  /** As it came, for an error that brings it back. */
  readonly bytes: Uint8Array
}

function isBundled(message: Message): message is Bundled {
  return (BUNDLED as readonly string[]).includes(message.type)
}

interface Bundle {
  readonly flags: number
  readonly messages: BundledMessage[]
  closed: boolean
}

export class Bundles {
  readonly #bundles = new Map<number, Bundle>()
  #messages = 0

  open({ bundle: id, flags }: BundleControl): OfErrorName | undefined {
    if (this.#bundles.has(id)) {
      this.discard(id)
      return 'OFPBFC_BAD_ID'
    }
    if (this.#bundles.size >= MAX_BUNDLES) return 'OFPBFC_OUT_OF_BUNDLES'
    this.#bundles.set(id, { flags, messages: [], closed: false })
    return undefined
  }

  close({ bundle: id, flags }: BundleControl): OfErrorName | undefined {
    const error = this.#check(id, flags)
    if (error === undefined) this.#bundles.get(id)!.closed = true
    return error
  }

  /** What is to be carried out now; the bundle is gone, whatever becomes of it. */
  take({ bundle: id, flags }: BundleControl): readonly BundledMessage[] | OfErrorName {
    const bundle = this.#bundles.get(id)
    if (bundle === undefined) return 'OFPBFC_BAD_ID'
    this.discard(id)
    return bundle.flags === flags ? bundle.messages : 'OFPBFC_BAD_FLAGS'
  }

  discard(id: number): OfErrorName | undefined {
    const bundle = this.#bundles.get(id)
    if (bundle === undefined) return 'OFPBFC_BAD_ID'
    this.#bundles.delete(id)
    this.#messages -= bundle.messages.length
    return undefined
  }

  /** A message for a bundle that is not open yet opens it. */
  add({ bundle: id, flags, message: bytes }: BundleAdd): OfErrorName | undefined {
    if (!this.#bundles.has(id)) {
      const error = this.open({ bundle: id, flags, control: 'open_request' })
      if (error !== undefined) return error
    }
    const error = this.#check(id, flags)
    if (error !== undefined) return error
    const message = decodeMessage(bytes)
    if (isFault(message)) return message.error
    if (!isBundled(message)) return 'OFPBFC_MSG_UNSUP'
    const refusal = message.type === 'PACKET_OUT' ? packetOutRefusal(message.body) : undefined
    if (refusal !== undefined) return refusal
    if (this.#messages >= MAX_MESSAGES) return 'OFPBFC_MSG_TOO_MANY'
    this.#bundles.get(id)!.messages.push({ message, bytes })
    this.#messages++
    return undefined
  }

  /** A bundle of which something is wrongly said is given up, as in Open vSwitch. */
  #check(id: number, flags: number): OfErrorName | undefined {
    const bundle = this.#bundles.get(id)
    if (bundle === undefined) return 'OFPBFC_BAD_ID'
    if (!bundle.closed && bundle.flags === flags) return undefined
    this.discard(id)
    return bundle.closed ? 'OFPBFC_BUNDLE_CLOSED' : 'OFPBFC_BAD_FLAGS'
  }
}
