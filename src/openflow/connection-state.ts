/** What a switch knows of one of its connections beyond the bytes that pass on it. */
import { type AsyncMask, type AsyncType, defaultAsyncConfig } from '../../protocols/openflow/async-config.ts'
import type { PacketInFormat } from '../../protocols/openflow/packet-in.ts'
import type { OfVersion } from '../../protocols/openflow/version.ts'

/**
 * Controllers are what the configuration names, and get asynchronous messages from the start; services are who
 * else connects, as ovs-ofctl does, and must ask for them.
 */
export type ConnectionKind = 'controller' | 'service'

const MISS_SEND_LEN = 128

export interface ConnectionState {
  role: 'equal' | 'primary' | 'secondary'
  asyncConfig: Record<AsyncType, AsyncMask>
  packetInFormat: PacketInFormat
  controllerId: number
  missSendLen: number
  invalidTtlToController: boolean
  /** NXT_SET_FLOW_FORMAT: flows are told of in Nicira's form. */
  nxm: boolean
}

export function initialState(kind: ConnectionKind, version: OfVersion): ConnectionState {
  return {
    role: 'equal',
    asyncConfig: defaultAsyncConfig(version),
    packetInFormat: 'standard',
    controllerId: 0,
    missSendLen: kind === 'controller' ? MISS_SEND_LEN : 0,
    invalidTtlToController: false,
    nxm: false,
  }
}

/** Whether a message of a type and reason (its number) goes to a connection. */
export function wants(
  state: ConnectionState,
  kind: ConnectionKind,
  type: AsyncType,
  reason: number,
): boolean {
  // Services get none until they ask by a miss_send_len, as in Open vSwitch.
  if (kind === 'service' && state.missSendLen === 0) return false
  const mask = state.asyncConfig[type]
  return ((state.role === 'secondary' ? mask.secondary : mask.primary) & (1 << reason)) !== 0
}
