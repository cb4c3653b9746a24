/** Whole messages as ovs-ofctl prints them: a title with type, version and xid, and what the message says. */

import { isFault } from '../error.ts'
import type { ErrorMessage } from '../error-message.ts'
import { decodeMessage, type Message, type MessageHead } from '../message.ts'
import { isMultipart } from '../message-forms.ts'
import { OF10, type OfVersion } from '../version.ts'
import {
  formatFlowMod,
  formatFlowRemoved,
  formatFlowUpdate,
  formatPacketIn,
  formatPacketOut,
} from './flow-event-format.ts'
import { formatFlow } from './flow-format.ts'
import { formatGroup, formatGroupFeatures, formatGroupMod, formatGroupStats } from './group-format.ts'
import { formatIpfixBridge, formatIpfixFlows } from './ipfix-format.ts'
import { formatMeter, formatMeterFeatures, formatMeterMod, formatMeterStats } from './meter-text.ts'
import type { NameMaps } from './names.ts'
import { formatPortDesc, formatPortStats } from './port-format.ts'
import { formatQueueConfigs, formatQueueStats } from './queue-format.ts'
import { formatConfig, formatDesc, formatFeatures } from './switch-format.ts'
import { formatTableDesc, formatTableFeatures, formatTableStats } from './table-format.ts'

export interface MessageFormatOptions {
  names?: NameMaps
  /** Describes the packets in packet-ins and packet-outs. */
  packetText?: (packet: Uint8Array) => string
}

/** `OpenFlow13` as (OF1.3); 1.0 is not told. */
function versionText(version: OfVersion): string {
  return version === OF10 ? '' : ` (OF1.${version - OF10})`
}

/** `OFPST_FLOW reply (OF1.3) (xid=0x2):` */
export function formatTitle({ form, version, xid, more }: MessageHead): string {
  let name = form.name.replace(/^([A-Z]+)\d+_/, '$1_')
  if (isMultipart(form))
    name = name.replace(/_(REQUEST|REPLY)$/, (_, word: string) => ` ${word.toLowerCase()}`)
  return `${name}${versionText(version)} (xid=0x${xid.toString(16)}):${more ? ' flags=[more]' : ''}`
}

/** Versions by their bytes: 0x01, 0x04. */
function formatVersions(versions: number): string {
  const list: string[] = []
  for (let v = 1; v < 31; v++) {
    if ((versions & (1 << v)) !== 0) list.push(`0x${v.toString(16).padStart(2, '0')}`)
  }
  return list.join(', ')
}

function formatError(e: ErrorMessage, options: MessageFormatOptions): string {
  const name = e.name ?? `type ${e.errorType}, code ${e.code}`
  const inside = e.data.length < 8 ? undefined : decodeMessage(e.data)
  if (inside !== undefined && !isFault(inside)) return ` ${name}\n${formatMessage(inside, options)}`
  if (e.name === 'OFPHFC_INCOMPATIBLE') return ` ${name}\n${String.fromCharCode(...e.data)}`
  return ` ${name}`
}

/** Entries below the title, with `between` more newlines between them. */
const lines = (list: readonly string[], between = ''): string => list.map((s) => `\n${s}`).join(between)

/** What stands behind the title: on its line, and in lines below it. */
function formatBody(m: Message, options: MessageFormatOptions): string {
  const { names, packetText } = options
  switch (m.type) {
    case 'HELLO':
      return `\n version bitmap: ${formatVersions(m.body.versions)}`
    case 'ERROR':
      return formatError(m.body, options)
    case 'ECHO_REQUEST':
    case 'ECHO_REPLY':
      return ` ${m.body.length} bytes of payload`
    case 'FEATURES_REPLY':
      return formatFeatures(m.body, m.version)
    case 'GET_CONFIG_REPLY':
    case 'SET_CONFIG':
      return formatConfig(m.body)
    case 'PACKET_IN':
    case 'NXT_RESUME':
      return formatPacketIn(m.body, names, packetText)
    case 'PACKET_OUT':
      return formatPacketOut(m.body, names, packetText)
    case 'FLOW_REMOVED':
      return formatFlowRemoved(m.body, m.form.name !== 'OFPT10_FLOW_REMOVED', names)
    case 'PORT_STATUS':
      return ` ${{ add: 'ADD', delete: 'DEL', modify: 'MOD' }[m.body.reason]}:${formatPortDesc(m.body.desc)}`
    case 'FLOW_MOD':
      return formatFlowMod(m.body, names)
    case 'GROUP_MOD':
      return formatGroupMod(m.body, m.version, names)
    case 'METER_MOD':
      return formatMeterMod(m.body)
    case 'ROLE_REQUEST':
    case 'ROLE_REPLY':
      return ` role=${m.body.role}${m.body.generationId === undefined ? '' : ` generation_id=${m.body.generationId}`}`
    case 'BUNDLE_CONTROL':
      return ` bundle_id=0x${m.body.bundle.toString(16)} type=${m.body.control.toUpperCase()}`
    case 'DESC_STATS_REPLY':
      return `\n${formatDesc(m.body)}`
    case 'FLOW_STATS_REPLY':
      return lines(m.body.map((f) => ` ${formatFlow(f, names === undefined ? {} : { names })}`))
    case 'AGGREGATE_STATS_REPLY': {
      const { packetCount, byteCount, flowCount } = m.body
      return ` packet_count=${packetCount ?? '?'} byte_count=${byteCount ?? '?'} flow_count=${flowCount}`
    }
    case 'TABLE_STATS_REPLY':
      return `\n${formatTableStats(m.body, m.version)}`
    case 'TABLE_FEATURES_STATS_REPLY':
      return `\n${formatTableFeatures(m.body, m.version)}`
    case 'TABLE_DESC_REPLY':
      return lines(m.body.map(formatTableDesc), '\n')
    case 'PORT_STATS_REPLY':
      return ` ${m.body.length} ports${lines(m.body.map((s) => formatPortStats(s, names)))}`
    case 'PORT_DESC_STATS_REPLY':
      return lines([...m.body].sort((a, b) => a.port - b.port).map(formatPortDesc))
    case 'QUEUE_STATS_REPLY':
      return ` ${m.body.length} queues${lines(m.body.map((s) => formatQueueStats(s, names)))}`
    case 'QUEUE_GET_CONFIG_REPLY':
      return m.body.length === 0 ? '' : ` ${formatQueueConfigs(m.body, names)}`
    case 'IPFIX_BRIDGE_STATS_REPLY':
      return formatIpfixBridge(m.body)
    case 'IPFIX_FLOW_STATS_REPLY':
      return formatIpfixFlows(m.body)
    case 'GROUP_DESC_STATS_REPLY':
      return lines(m.body.map((g) => ` ${formatGroup(g, m.version, names)}`))
    case 'GROUP_STATS_REPLY':
      return lines(m.body.map((g) => ` ${formatGroupStats(g)}`))
    case 'GROUP_FEATURES_STATS_REPLY':
      return `\n${formatGroupFeatures(m.body, m.version)}`
    case 'METER_CONFIG_STATS_REPLY':
      return lines(m.body.map(formatMeter), '\n')
    case 'METER_STATS_REPLY':
      return lines(m.body.map(formatMeterStats), '\n')
    case 'METER_FEATURES_STATS_REPLY':
      return `\n${formatMeterFeatures(m.body)}`
    case 'FLOW_MONITOR_STATS_REPLY':
      return lines(m.body.map((u) => formatFlowUpdate(u, names)))
    case 'TABLE_STATUS':
      return ` reason=${m.body.reason.toUpperCase()}\ntable_desc:-\n${formatTableDesc(m.body.desc)}`
    default:
      return ''
  }
}

/** Without a newline at the end. Replies to barriers and the like have a title only. */
export function formatMessage(m: Message, options: MessageFormatOptions = {}): string {
  return formatTitle(m) + formatBody(m, options)
}
