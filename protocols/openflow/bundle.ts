/** Bundles: OpenFlow 1.4, and ONF extension 230 in 1.3. */

import { u16, u32 } from '../wire/big-endian.ts'
import { fault, isFault } from './error.ts'
import type { BodyCodec } from './message-codec.ts'
import { identifyMessage } from './message-header.ts'

/** OFPBCT_* in the order of their numbers. */
export const BUNDLE_CONTROL_TYPES = [
  'open_request',
  'open_reply',
  'close_request',
  'close_reply',
  'commit_request',
  'commit_reply',
  'discard_request',
  'discard_reply',
] as const
export type BundleControlType = (typeof BUNDLE_CONTROL_TYPES)[number]

export const BUNDLE_ATOMIC = 1 << 0
export const BUNDLE_ORDERED = 1 << 1

export interface BundleControl {
  bundle: number
  control: BundleControlType
  /** BUNDLE_* */
  flags: number
}

export interface BundleAdd {
  bundle: number
  flags: number
  /** A whole OpenFlow message, header and all, of a type that may be in a bundle; decode it with decodeMessage. */
  message: Uint8Array
}

const FLAGS = BUNDLE_ATOMIC | BUNDLE_ORDERED

export const BUNDLE_CONTROL_CODEC: BodyCodec<BundleControl> = {
  decode({ b, o }) {
    const flags = u16(b, o + 6)
    if ((flags & ~FLAGS) !== 0) return fault('OFPBFC_BAD_FLAGS')
    const control = BUNDLE_CONTROL_TYPES[u16(b, o + 4)]
    if (control === undefined) return fault('OFPBFC_BAD_TYPE')
    return { bundle: u32(b, o), control, flags }
  },
  encode(w, { bundle, control, flags }) {
    w.u32(bundle).u16(BUNDLE_CONTROL_TYPES.indexOf(control)).u16(flags)
  },
}

/** Messages that may be in a bundle; the others are not for it to hold back. */
const BUNDLABLE: ReadonlySet<string> = new Set(['PORT_MOD', 'FLOW_MOD', 'GROUP_MOD', 'PACKET_OUT'])

/** Of the message inside only the frame is looked at: that it is whole, of the same version and xid, and bundlable. */
export const BUNDLE_ADD_CODEC: BodyCodec<BundleAdd> = {
  decode({ b, o, end, version }) {
    const at = o + 8
    if (end - at < 8) return fault('OFPBFC_MSG_BAD_LEN')
    if (b[at] !== version) return fault('OFPBFC_BAD_VERSION')
    const length = u16(b, at + 2)
    if (length < 8 || at + length > end) return fault('OFPBFC_MSG_BAD_LEN')
    if (u32(b, at + 4) !== u32(b, 4)) return fault('OFPBFC_MSG_BAD_XID')
    const message = b.slice(at, at + length)
    const inner = identifyMessage(message)
    if (isFault(inner) || !BUNDLABLE.has(inner.form.type)) return fault('OFPBFC_MSG_UNSUP')
    return { bundle: u32(b, o), flags: u16(b, o + 6), message }
  },
  encode(w, { bundle, flags, message }) {
    w.u32(bundle).u16(0).u16(flags).raw(message)
  },
}
