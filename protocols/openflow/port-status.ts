/** Port-status: a port came, went or changed. */

import type { PortDesc } from './port-desc.ts'

/** OFPPR_* in the order of their numbers. */
export const PORT_STATUS_REASONS = ['add', 'delete', 'modify'] as const

export interface PortStatus {
  reason: (typeof PORT_STATUS_REASONS)[number]
  desc: PortDesc
}
