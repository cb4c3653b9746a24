import { BUNDLES } from './bundles.ts'
import { CONNECTION_SETTINGS } from './connection-settings.ts'
import { DESCRIPTION } from './description.ts'
import { FLOW_MONITORS } from './flow-monitors.ts'
import { FLOWS } from './flows.ts'
import { GROUPS, METERS } from './groups.ts'
import type { Handlers } from './handler.ts'
import { IPFIX } from './ipfix.ts'
import { PACKETS } from './packets.ts'
import { PORTS } from './ports.ts'
import { QUEUES } from './queues.ts'
import { TABLES } from './tables.ts'

/** By type of message; flow-mods are taken together, see flows.ts. */
export const HANDLERS: Handlers = {
  ...DESCRIPTION,
  ...CONNECTION_SETTINGS,
  ...FLOWS,
  ...FLOW_MONITORS,
  ...TABLES,
  ...PORTS,
  ...QUEUES,
  ...BUNDLES,
  ...GROUPS,
  ...METERS,
  ...PACKETS,
  ...IPFIX,
}
