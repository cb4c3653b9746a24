/** Bundles: OpenFlow 1.4, and ONF extension 230 in 1.3. */

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
