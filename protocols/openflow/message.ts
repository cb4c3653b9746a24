/**
 * Messages as a whole: bytes to a record of its type and back. What a type's body looks like in each version is for
 * the codecs of its family.
 */

import type { ActionListCache } from './action-list-cache.ts'
import { GET_ASYNC_REPLY_CODEC, SET_ASYNC_CODEC } from './async-config.ts'
import { BUNDLE_ADD_CODEC, BUNDLE_CONTROL_CODEC } from './bundle.ts'
import { ByteWriter } from './byte-writer.ts'
import { CT_FLUSH_CODEC, NUMBER16_CODEC } from './ct-flush.ts'
import { DESC_CODEC } from './desc-stats.ts'
import { isFault, type OfErrorName, type OfFault } from './error.ts'
import { ERROR_CODEC, ERROR_DATA, errorMessage } from './error-message.ts'
import { FEATURES_CODEC } from './features.ts'
import { FLOW_MOD_CODEC } from './flow-mod.ts'
import { FLOW_MONITOR_CANCEL_CODEC, FLOW_MONITOR_REQUEST_LIST } from './flow-monitor.ts'
import { FLOW_REMOVED_CODEC } from './flow-removed.ts'
import { AGGREGATE_CODEC, FLOW_STATS_LIST } from './flow-stats.ts'
import { FLOW_STATS_REQUEST_CODEC } from './flow-stats-request.ts'
import { FLOW_UPDATE_LIST } from './flow-update.ts'
import { GROUP_MOD_CODEC } from './group-mod.ts'
import {
  GROUP_DESC_LIST,
  GROUP_DESC_REQUEST,
  GROUP_FEATURES_CODEC,
  GROUP_REQUEST,
  GROUP_STATS_LIST,
} from './group-stats.ts'
import { decodeHello, HELLO_CODEC } from './hello.ts'
import { IPFIX_BRIDGE_CODEC, IPFIX_FLOW_LIST } from './ipfix.ts'
import type { Match } from './match.ts'
import { type BodyCodec, BYTES, type ListCodec, VOID } from './message-codec.ts'
import { formsOf, type MessageForm } from './message-forms.ts'
import {
  HEADER_LEN,
  identifyMessage,
  MAX_MESSAGE,
  messageVersion,
  messageXid,
  putHeader,
} from './message-header.ts'
import type { ListEntry, ListType, Message, MessageBodies, MessageType } from './message-types.ts'
import {
  METER_CONFIG_LIST,
  METER_FEATURES_CODEC,
  METER_MOD_CODEC,
  METER_REQUEST,
  METER_STATS_LIST,
} from './meter.ts'
import { FLOW_FORMAT_CODEC, PACKET_IN_FORMAT_CODEC, TABLE_ID_CODEC } from './nicira-settings.ts'
import { PACKET_IN_CODEC } from './packet-in.ts'
import { RESUME_CODEC } from './packet-in2.ts'
import { PACKET_OUT_CODEC } from './packet-out.ts'
import { PORT_DESC_LIST } from './port-desc.ts'
import { PORT_MOD_CODEC } from './port-mod.ts'
import { PORT_DESC_REQUEST, PORT_REQUEST, PORT_STATS_LIST } from './port-stats.ts'
import { PORT_STATUS_CODEC } from './port-status.ts'
import { QUEUE_STATS_LIST, QUEUE_STATS_REQUEST_CODEC } from './queue.ts'
import { QUEUE_CONFIG_LIST, QUEUE_CONFIG_REQUEST_CODEC } from './queue-config.ts'
import { REQUESTFORWARD_CODEC } from './requestforward.ts'
import { ROLE_CODEC, ROLE_STATUS_CODEC } from './role.ts'
import { GET_CONFIG_REPLY_CODEC, SET_CONFIG_CODEC } from './switch-config.ts'
import { TABLE_FEATURES_LIST } from './table-features-codec.ts'
import { TABLE_DESC_LIST, TABLE_MOD_CODEC, TABLE_STATUS_CODEC } from './table-mod.ts'
import { TABLE_STATS_LIST } from './table-stats-codec.ts'
import { TLV_TABLE_MOD_CODEC, TLV_TABLE_REPLY_CODEC } from './tlv-table.ts'
import { OF10, OF15, type OfVersion } from './version.ts'

export type {
  ListEntry,
  ListType,
  Message,
  MessageBodies,
  MessageHead,
  MessageType,
} from './message-types.ts'

type Codecs = {
  [T in MessageType]: T extends ListType ? ListCodec<ListEntry<T>> : BodyCodec<MessageBodies[T]>
}

const CODECS: Codecs = {
  HELLO: HELLO_CODEC,
  ERROR: ERROR_CODEC,
  ECHO_REQUEST: BYTES,
  ECHO_REPLY: BYTES,
  FEATURES_REQUEST: VOID,
  FEATURES_REPLY: FEATURES_CODEC,
  GET_CONFIG_REQUEST: VOID,
  GET_CONFIG_REPLY: GET_CONFIG_REPLY_CODEC,
  SET_CONFIG: SET_CONFIG_CODEC,
  PACKET_IN: PACKET_IN_CODEC,
  FLOW_REMOVED: FLOW_REMOVED_CODEC,
  PORT_STATUS: PORT_STATUS_CODEC,
  PACKET_OUT: PACKET_OUT_CODEC,
  FLOW_MOD: FLOW_MOD_CODEC,
  GROUP_MOD: GROUP_MOD_CODEC,
  PORT_MOD: PORT_MOD_CODEC,
  TABLE_MOD: TABLE_MOD_CODEC,
  BARRIER_REQUEST: VOID,
  BARRIER_REPLY: VOID,
  QUEUE_GET_CONFIG_REQUEST: QUEUE_CONFIG_REQUEST_CODEC,
  QUEUE_GET_CONFIG_REPLY: QUEUE_CONFIG_LIST,
  ROLE_REQUEST: ROLE_CODEC,
  ROLE_REPLY: ROLE_CODEC,
  GET_ASYNC_REQUEST: VOID,
  GET_ASYNC_REPLY: GET_ASYNC_REPLY_CODEC,
  SET_ASYNC_CONFIG: SET_ASYNC_CODEC,
  METER_MOD: METER_MOD_CODEC,
  ROLE_STATUS: ROLE_STATUS_CODEC,
  TABLE_STATUS: TABLE_STATUS_CODEC,
  REQUESTFORWARD: REQUESTFORWARD_CODEC,
  BUNDLE_CONTROL: BUNDLE_CONTROL_CODEC,
  BUNDLE_ADD_MESSAGE: BUNDLE_ADD_CODEC,
  DESC_STATS_REQUEST: VOID,
  DESC_STATS_REPLY: DESC_CODEC,
  FLOW_STATS_REQUEST: FLOW_STATS_REQUEST_CODEC,
  FLOW_STATS_REPLY: FLOW_STATS_LIST,
  AGGREGATE_STATS_REQUEST: FLOW_STATS_REQUEST_CODEC,
  AGGREGATE_STATS_REPLY: AGGREGATE_CODEC,
  TABLE_STATS_REQUEST: VOID,
  TABLE_STATS_REPLY: TABLE_STATS_LIST,
  PORT_STATS_REQUEST: PORT_REQUEST,
  PORT_STATS_REPLY: PORT_STATS_LIST,
  QUEUE_STATS_REQUEST: QUEUE_STATS_REQUEST_CODEC,
  QUEUE_STATS_REPLY: QUEUE_STATS_LIST,
  GROUP_STATS_REQUEST: GROUP_REQUEST,
  GROUP_STATS_REPLY: GROUP_STATS_LIST,
  GROUP_DESC_STATS_REQUEST: GROUP_DESC_REQUEST,
  GROUP_DESC_STATS_REPLY: GROUP_DESC_LIST,
  GROUP_FEATURES_STATS_REQUEST: VOID,
  GROUP_FEATURES_STATS_REPLY: GROUP_FEATURES_CODEC,
  METER_STATS_REQUEST: METER_REQUEST,
  METER_STATS_REPLY: METER_STATS_LIST,
  METER_CONFIG_STATS_REQUEST: METER_REQUEST,
  METER_CONFIG_STATS_REPLY: METER_CONFIG_LIST,
  METER_FEATURES_STATS_REQUEST: VOID,
  METER_FEATURES_STATS_REPLY: METER_FEATURES_CODEC,
  TABLE_FEATURES_STATS_REQUEST: TABLE_FEATURES_LIST,
  TABLE_FEATURES_STATS_REPLY: TABLE_FEATURES_LIST,
  TABLE_DESC_REQUEST: VOID,
  TABLE_DESC_REPLY: TABLE_DESC_LIST,
  PORT_DESC_STATS_REQUEST: PORT_DESC_REQUEST,
  PORT_DESC_STATS_REPLY: PORT_DESC_LIST,
  FLOW_MONITOR_STATS_REQUEST: FLOW_MONITOR_REQUEST_LIST,
  FLOW_MONITOR_STATS_REPLY: FLOW_UPDATE_LIST,
  FLOW_MONITOR_CANCEL: FLOW_MONITOR_CANCEL_CODEC,
  FLOW_MONITOR_PAUSED: VOID,
  FLOW_MONITOR_RESUMED: VOID,
  SET_FLOW_FORMAT: FLOW_FORMAT_CODEC,
  FLOW_MOD_TABLE_ID: TABLE_ID_CODEC,
  SET_PACKET_IN_FORMAT: PACKET_IN_FORMAT_CODEC,
  FLOW_AGE: VOID,
  SET_CONTROLLER_ID: NUMBER16_CODEC,
  NXT_TLV_TABLE_MOD: TLV_TABLE_MOD_CODEC,
  NXT_TLV_TABLE_REQUEST: VOID,
  NXT_TLV_TABLE_REPLY: TLV_TABLE_REPLY_CODEC,
  NXT_RESUME: RESUME_CODEC,
  CT_FLUSH_ZONE: NUMBER16_CODEC,
  CT_FLUSH: CT_FLUSH_CODEC,
  IPFIX_BRIDGE_STATS_REQUEST: VOID,
  IPFIX_BRIDGE_STATS_REPLY: IPFIX_BRIDGE_CODEC,
  IPFIX_FLOW_STATS_REQUEST: VOID,
  IPFIX_FLOW_STATS_REPLY: IPFIX_FLOW_LIST,
}

export interface DecodeOptions {
  /** NXT_FLOW_MOD_TABLE_ID switched the table number in 1.0's flow-mod commands on. */
  tableIdExtension?: boolean
  /** Of flow-mods: an empty match to fill in place of a new one, for who is done with it before the next. */
  match?: Match
  /** Of flow-mods: lists of actions read before; those of the message come from there and must not be changed. */
  actions?: ActionListCache
}

/** Decodes one whole message; `b` is all of it. HELLOs are understood in versions beyond 1.5 too. */
export function decodeMessage(
  b: Uint8Array,
  { tableIdExtension = false, match, actions }: DecodeOptions = {},
): Message | OfFault {
  b = plainBytes(b)
  if (isFutureHello(b)) return decodeFutureHello(b)
  const identified = identifyMessage(b)
  if (isFault(identified)) return identified
  const { version, xid, form, more, o, end } = identified
  const codec = CODECS[form.type] as BodyCodec<unknown>
  const body = codec.decode({ b, o, end, version, form, tableIdExtension, match, actions })
  if (isFault(body)) return body
  return { type: form.type, version, xid, form, more, body } as Message
}

/** Subclasses (Node's Buffer) share memory when they are sliced, but what is decoded must outlive the bytes. */
function plainBytes(b: Uint8Array): Uint8Array {
  return b.constructor === Uint8Array ? b : new Uint8Array(b.buffer, b.byteOffset, b.length)
}

/** A HELLO may have any version: its sender does not know ours yet (OpenFlow 1.3 §6.3.1). */
function isFutureHello(b: Uint8Array): boolean {
  return b.length >= HEADER_LEN && b[1] === 0 && b[0] > OF15
}

function decodeFutureHello(b: Uint8Array): Message | OfFault {
  const asKnown = b.slice()
  asKnown[0] = OF15
  const identified = identifyMessage(asKnown)
  if (isFault(identified)) return identified
  const { xid, form, o, end } = identified
  return { type: 'HELLO', version: OF15, xid, form, more: false, body: decodeHello(b, o, end, b[0]) }
}

export interface EncodeOptions {
  version: OfVersion
  /** 0 for messages that nobody asked for. */
  xid?: number
  /** One of the type's forms (formsOf, replyForm) where it has several; the standard's own by default. */
  form?: MessageForm | undefined
}

/**
 * Encodes a message that fits into one; undefined if the version has no such message. Lists that may grow large
 * go through MultipartWriter or encodeMessages instead.
 */
export function encodeMessage<T extends MessageType>(
  type: T,
  body: MessageBodies[T],
  { version, xid = 0, form = formsOf(type, version)[0] }: EncodeOptions,
): Uint8Array | undefined {
  if (form === undefined) return undefined
  const w = new ByteWriter()
  putHeader(w, version, form, xid)
  const codec = CODECS[type] as BodyCodec<MessageBodies[T]>
  codec.encode(w, body, { version, form })
  if (w.length > MAX_MESSAGE) return undefined
  w.patch16(2, w.length)
  return w.finish()
}

/** Writes one entry of a list. */
export function encodeEntry<T extends ListType>(
  w: ByteWriter,
  type: T,
  entry: ListEntry<T>,
  version: OfVersion,
  form: MessageForm,
): void {
  const codec = CODECS[type] as unknown as ListCodec<ListEntry<T>>
  codec.encodeEntry(w, entry, { version, form })
}

/**
 * The error that answers the message `b` (or its beginning): with its xid and its first 64 bytes, in its own
 * version, or in the one that the connection has when its own is none.
 */
export function encodeErrorReply(
  name: OfErrorName,
  b: Uint8Array,
  connectionVersion: OfVersion = OF10,
): Uint8Array {
  const own = b.length > 0 ? messageVersion(b) : 0
  const version = own >= OF10 && own <= OF15 ? (own as OfVersion) : connectionVersion
  const xid = b.length >= HEADER_LEN ? messageXid(b) : 0
  return encodeMessage('ERROR', errorMessage(name, version, b.subarray(0, ERROR_DATA)), { version, xid })!
}
