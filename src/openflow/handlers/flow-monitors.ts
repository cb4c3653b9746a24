/** Requests to be told of changes of rules. */
import type { Handlers } from './handler.ts'

export const FLOW_MONITORS: Handlers = {
  FLOW_MONITOR_STATS_REQUEST: (sw, c, body, message) => sw.monitors.request(c, message, body),
  FLOW_MONITOR_CANCEL: (sw, c, { id }) => sw.monitors.cancel(c, id),
}
