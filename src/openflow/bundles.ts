/** Bundles of one connection: messages that are kept until they are to be carried out together (OpenFlow 1.4 §6.8). */
import { ActionListCache } from '../../protocols/openflow/action-list-cache.ts'
import type { BundleAdd, BundleControl } from '../../protocols/openflow/bundle.ts'
import { isFault, type OfErrorName } from '../../protocols/openflow/error.ts'
import { decodeMessage } from '../../protocols/openflow/message.ts'
import { BundledMessages, isBundled } from './bundled-messages.ts'
import { packetOutRefusal } from './handlers/packets.ts'

/** Bundles that a connection may have open, and messages in all of them. */
const MAX_BUNDLES = 64
const MAX_MESSAGES = 1 << 20

interface Bundle {
  readonly flags: number
  readonly messages: BundledMessages
  closed: boolean
}

export class Bundles {
  readonly #bundles = new Map<number, Bundle>()
  readonly #actions = new ActionListCache()
  #messages = 0

  open({ bundle: id, flags }: BundleControl): OfErrorName | undefined {
    if (this.#bundles.has(id)) {
      this.discard(id)
      return 'OFPBFC_BAD_ID'
    }
    if (this.#bundles.size >= MAX_BUNDLES) return 'OFPBFC_OUT_OF_BUNDLES'
    this.#bundles.set(id, { flags, messages: new BundledMessages(), closed: false })
    return undefined
  }

  close({ bundle: id, flags }: BundleControl): OfErrorName | undefined {
    const error = this.#check(id, flags)
    if (error === undefined) this.#bundles.get(id)!.closed = true
    return error
  }

  /** What is to be carried out now; the bundle is gone, whatever becomes of it. */
  take({ bundle: id, flags }: BundleControl): BundledMessages | OfErrorName {
    const bundle = this.#bundles.get(id)
    if (bundle === undefined) return 'OFPBFC_BAD_ID'
    this.discard(id)
    return bundle.flags === flags ? bundle.messages : 'OFPBFC_BAD_FLAGS'
  }

  discard(id: number): OfErrorName | undefined {
    const bundle = this.#bundles.get(id)
    if (bundle === undefined) return 'OFPBFC_BAD_ID'
    this.#bundles.delete(id)
    this.#messages -= bundle.messages.count
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
    const message = decodeMessage(bytes, { actions: this.#actions })
    if (isFault(message)) return message.error
    if (!isBundled(message)) return 'OFPBFC_MSG_UNSUP'
    const refusal = message.type === 'PACKET_OUT' ? packetOutRefusal(message.body) : undefined
    if (refusal !== undefined) return refusal
    if (this.#messages >= MAX_MESSAGES) return 'OFPBFC_MSG_TOO_MANY'
    this.#bundles.get(id)!.messages.add(message.type, bytes)
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
