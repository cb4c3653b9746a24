/** Which asynchronous messages a controller wants, in each of its roles. */

/** A type of message that can be switched. */
export const ASYNC_TYPES = [
  'packet_in',
  'port_status',
  'flow_removed',
  'role_status',
  'table_status',
  'requestforward',
] as const
export type AsyncType = (typeof ASYNC_TYPES)[number]

/** 1 << reason of each message. */
export interface AsyncMask {
  /** As primary or equal. */
  primary: number
  secondary: number
}

/** A type that is missing stays as it is. */
export type AsyncConfig = Partial<Record<AsyncType, AsyncMask>>
