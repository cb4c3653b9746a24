/** Request-forward: another controller changed a group or a meter. */

import type { GroupMod } from './group.ts'
import type { MeterMod } from './meter.ts'

export type RequestForward = { xid: number } & (
  | { reason: 'group_mod'; groupMod: GroupMod }
  | { reason: 'meter_mod'; meterMod: MeterMod }
)
