/** Port-status: a port came, went or changed. */

import { fault, isFault } from './error.ts'
import type { BodyCodec } from './message-codec.ts'
import type { PortDesc } from './port-desc.ts'
import { decodePort, putPort } from './port-desc.ts'

/** OFPPR_* in the order of their numbers. */
export const PORT_STATUS_REASONS = ['add', 'delete', 'modify'] as const

export interface PortStatus {
  reason: (typeof PORT_STATUS_REASONS)[number]
  desc: PortDesc
}

export const PORT_STATUS_CODEC: BodyCodec<PortStatus> = {
  decode({ b, o, end, version }) {
    const reason = PORT_STATUS_REASONS[b[o]]
    if (reason === undefined) return fault('NXBRC_BAD_REASON')
    const port = decodePort(b, o + 8, end, version)
    return isFault(port) ? port : { reason, desc: port.entry }
  },
  encode(w, { reason, desc }, { version }) {
    w.u8(PORT_STATUS_REASONS.indexOf(reason)).zeros(7)
    putPort(w, desc, version)
  },
}
