/** What each type of message says: types are named as OFPTYPE_* in Open vSwitch. */

import type { PartialAsyncConfig } from './async-config.ts'
import type { BundleAdd, BundleControl } from './bundle.ts'
import type { CtFlush } from './ct-flush.ts'
import type { SwitchDesc } from './desc-stats.ts'
import type { ErrorMessage } from './error-message.ts'
import type { SwitchFeatures } from './features.ts'
import type { FlowMod } from './flow-mod.ts'
import type { FlowRemoved } from './flow-removed.ts'
import type { AggregateStats, FlowStats, FlowStatsRequest } from './flow-stats.ts'
import type { GroupDesc, GroupFeatures, GroupMod, GroupStats, GroupStatsRequest } from './group.ts'
import type { Hello } from './hello.ts'
import type { IpfixStats } from './ipfix.ts'
import type { MessageForm } from './message-forms.ts'
import type { MeterConfig, MeterFeatures, MeterMod, MeterRequest, MeterStats } from './meter.ts'
import type { FlowMonitorCancel, FlowMonitorRequest, FlowUpdate } from './monitor.ts'
import type { FlowFormat } from './nicira-settings.ts'
import type { PacketIn, PacketInFormat } from './packet-in.ts'
import type { PacketOut } from './packet-out.ts'
import type { PortDesc } from './port-desc.ts'
import type { PortMod } from './port-mod.ts'
import type { PortStats, PortStatsRequest } from './port-stats.ts'
import type { PortStatus } from './port-status.ts'
import type { QueueConfig, QueueConfigRequest, QueueStats, QueueStatsRequest } from './queue.ts'
import type { RequestForward } from './requestforward.ts'
import type { RoleRequest, RoleStatus } from './role.ts'
import type { SwitchConfig } from './switch-config.ts'
import type { TableFeatures } from './table-features.ts'
import type { TableDesc, TableMod, TableStatus } from './table-mod.ts'
import type { TableStats } from './table-stats.ts'
import type { TlvTableMod, TlvTableReply } from './tlv-table.ts'
import type { OfVersion } from './version.ts'

export interface MessageBodies {
  HELLO: Hello
  ERROR: ErrorMessage
  ECHO_REQUEST: Uint8Array
  ECHO_REPLY: Uint8Array
  FEATURES_REQUEST: undefined
  FEATURES_REPLY: SwitchFeatures
  GET_CONFIG_REQUEST: undefined
  GET_CONFIG_REPLY: SwitchConfig
  SET_CONFIG: SwitchConfig
  PACKET_IN: PacketIn
  FLOW_REMOVED: FlowRemoved
  PORT_STATUS: PortStatus
  PACKET_OUT: PacketOut
  FLOW_MOD: FlowMod
  GROUP_MOD: GroupMod
  PORT_MOD: PortMod
  TABLE_MOD: TableMod
  BARRIER_REQUEST: undefined
  BARRIER_REPLY: undefined
  QUEUE_GET_CONFIG_REQUEST: QueueConfigRequest
  QUEUE_GET_CONFIG_REPLY: readonly QueueConfig[]
  ROLE_REQUEST: RoleRequest
  ROLE_REPLY: RoleRequest
  GET_ASYNC_REQUEST: undefined
  GET_ASYNC_REPLY: PartialAsyncConfig
  SET_ASYNC_CONFIG: PartialAsyncConfig
  METER_MOD: MeterMod
  ROLE_STATUS: RoleStatus
  TABLE_STATUS: TableStatus
  REQUESTFORWARD: RequestForward
  BUNDLE_CONTROL: BundleControl
  BUNDLE_ADD_MESSAGE: BundleAdd
  DESC_STATS_REQUEST: undefined
  DESC_STATS_REPLY: SwitchDesc
  FLOW_STATS_REQUEST: FlowStatsRequest
  FLOW_STATS_REPLY: readonly FlowStats[]
  AGGREGATE_STATS_REQUEST: FlowStatsRequest
  AGGREGATE_STATS_REPLY: AggregateStats
  TABLE_STATS_REQUEST: undefined
  TABLE_STATS_REPLY: readonly TableStats[]
  PORT_STATS_REQUEST: PortStatsRequest
  PORT_STATS_REPLY: readonly PortStats[]
  QUEUE_STATS_REQUEST: QueueStatsRequest
  QUEUE_STATS_REPLY: readonly QueueStats[]
  GROUP_STATS_REQUEST: GroupStatsRequest
  GROUP_STATS_REPLY: readonly GroupStats[]
  GROUP_DESC_STATS_REQUEST: GroupStatsRequest
  GROUP_DESC_STATS_REPLY: readonly GroupDesc[]
  GROUP_FEATURES_STATS_REQUEST: undefined
  GROUP_FEATURES_STATS_REPLY: GroupFeatures
  METER_STATS_REQUEST: MeterRequest
  METER_STATS_REPLY: readonly MeterStats[]
  METER_CONFIG_STATS_REQUEST: MeterRequest
  METER_CONFIG_STATS_REPLY: readonly MeterConfig[]
  METER_FEATURES_STATS_REQUEST: undefined
  METER_FEATURES_STATS_REPLY: MeterFeatures
  /** Empty: tell me; else: be like this. */
  TABLE_FEATURES_STATS_REQUEST: readonly TableFeatures[]
  TABLE_FEATURES_STATS_REPLY: readonly TableFeatures[]
  TABLE_DESC_REQUEST: undefined
  TABLE_DESC_REPLY: readonly TableDesc[]
  PORT_DESC_STATS_REQUEST: PortStatsRequest
  PORT_DESC_STATS_REPLY: readonly PortDesc[]
  FLOW_MONITOR_STATS_REQUEST: readonly FlowMonitorRequest[]
  FLOW_MONITOR_STATS_REPLY: readonly FlowUpdate[]
  FLOW_MONITOR_CANCEL: FlowMonitorCancel
  FLOW_MONITOR_PAUSED: undefined
  FLOW_MONITOR_RESUMED: undefined
  SET_FLOW_FORMAT: FlowFormat
  FLOW_MOD_TABLE_ID: boolean
  SET_PACKET_IN_FORMAT: PacketInFormat
  FLOW_AGE: undefined
  SET_CONTROLLER_ID: number
  NXT_TLV_TABLE_MOD: TlvTableMod
  NXT_TLV_TABLE_REQUEST: undefined
  NXT_TLV_TABLE_REPLY: TlvTableReply
  /** A packet-in with its continuation. */
  NXT_RESUME: PacketIn
  /** The zone. */
  CT_FLUSH_ZONE: number
  CT_FLUSH: CtFlush
  IPFIX_BRIDGE_STATS_REQUEST: undefined
  IPFIX_BRIDGE_STATS_REPLY: IpfixStats
  IPFIX_FLOW_STATS_REQUEST: undefined
  IPFIX_FLOW_STATS_REPLY: readonly IpfixStats[]
}

export type MessageType = keyof MessageBodies

/** What all messages have. */
export interface MessageHead {
  version: OfVersion
  xid: number
  /** How it was written, which is how its reply is to be written. */
  form: MessageForm
  /** Of multiparts: the next message goes on with it. */
  more: boolean
}

export type Message = {
  [T in MessageType]: MessageHead & { type: T; body: MessageBodies[T] }
}[MessageType]

/** Types whose body is a list, which may be spread over several messages. */
export type ListType = {
  [T in MessageType]: MessageBodies[T] extends readonly unknown[] ? T : never
}[MessageType]
export type ListEntry<T extends ListType> = MessageBodies[T] extends readonly (infer E)[] ? E : never
