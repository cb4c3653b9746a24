/** Bodies of OpenFlow messages of every type, with as much in them as the type can say. */

import { W_IN_PORT, W_NW_DST, W_REG, W_TYPE } from '../../protocols/flow-key.ts'
import { MFF } from '../../protocols/meta-flow.ts'
import type { OfAction } from '../../protocols/openflow/action.ts'
import { BUCKET_ALL, type GroupBucket } from '../../protocols/openflow/group.ts'
import { emptyMatch, type Match, setMatchBits } from '../../protocols/openflow/match.ts'
import { setDefaultPacketType } from '../../protocols/openflow/match-field.ts'
import type { ListType, MessageBodies, MessageType } from '../../protocols/openflow/message.ts'
import { metadataOfPort } from '../../protocols/openflow/packet-out.ts'
import { OFPP_ANY, OFPP_LOCAL } from '../../protocols/openflow/port.ts'
import type { PortDesc } from '../../protocols/openflow/port-desc.ts'
import { type PortRmonStats, type PortStats, RMON_COUNTERS } from '../../protocols/openflow/port-stats.ts'
import { emptyTableFeatures, type TableFeatures } from '../../protocols/openflow/table-features.ts'
import { OF10, OF11, OF14, OF15, type OfVersion } from '../../protocols/openflow/version.ts'

const ANY_GROUP = 0xffff_ffff
const NO_BUFFER = 0xffff_ffff

export function ipMatch(): Match {
  const m = emptyMatch()
  setDefaultPacketType(m)
  setMatchBits(m, W_IN_PORT, 3, 0xffff_ffff)
  setMatchBits(m, W_TYPE, 0x0800_0000, 0xffff_0000)
  setMatchBits(m, W_NW_DST, 0x0a00_0000, 0xff00_0000)
  return m
}

const mac = Uint8Array.of(2, 0, 0, 0, 0, 9)
const output = (port: number): OfAction => ({ type: 'output', port, maxLen: 0 })

export const samplePort: PortDesc = {
  port: 7,
  hwAddr: mac,
  name: 'veth7',
  config: 0x01 | 0x20,
  state: 0x01,
  curr: 0x840,
  advertised: 0x10,
  supported: 0x20,
  peer: 0x6000,
  currSpeed: 10_000_000,
  maxSpeed: 1_000_000,
}

const counters = (first: number): Omit<PortStats, 'port'> => ({
  rxPackets: first,
  txPackets: first + 1,
  rxBytes: first + 2,
  txBytes: first + 3,
  rxDropped: first + 4,
  txDropped: undefined,
  rxErrors: first + 6,
  txErrors: first + 7,
  rxFrameErrors: first + 8,
  rxOverErrors: first + 9,
  rxCrcErrors: first + 10,
  collisions: 2 ** 40 + 1,
  durationSec: 12,
  durationNsec: 345_000_000,
})

const rmon = Object.fromEntries(RMON_COUNTERS.map((name, i) => [name, i + 1])) as PortRmonStats

const bucket = (id: number, port: number, weight: number): GroupBucket => ({
  id,
  weight,
  watchPort: OFPP_ANY,
  watchGroup: ANY_GROUP,
  actions: [output(port)],
})

const features: TableFeatures = {
  ...emptyTableFeatures(2),
  name: 'classifier',
  metadataMatch: 0xffff_ffff_ffff_ffffn,
  metadataWrite: 0xffn,
  supportsEviction: true,
  supportsVacancyEvents: true,
  maxEntries: 1_000_000,
  hasProperties: true,
  nonmiss: {
    next: [3, 4, 5],
    instructions: ['goto_table', 'write_metadata', 'write_actions', 'apply_actions', 'clear_actions'],
    write: { actions: ['output', 'group'], setFields: [MFF.eth_src] },
    apply: { actions: ['output', 'push_vlan'], setFields: [MFF.eth_src, MFF.ip_dst] },
  },
  missRule: {
    next: [3],
    instructions: ['goto_table'],
    write: { actions: ['output'], setFields: [] },
    apply: { actions: ['output'], setFields: [] },
  },
  match: [MFF.eth_src, MFF.eth_type, MFF.ip_dst],
  mask: [MFF.ip_dst],
  wildcard: [MFF.eth_src, MFF.ip_dst],
}

/** Up to 1.1 what cannot be matched on counts as left out, so that only tables that match on all survive. */
function tableFeatures(version: OfVersion): TableFeatures {
  if (version >= 4) return emptyTableFeatures(2)
  if (version > OF11) return features
  const all = [
    MFF.in_port,
    MFF.eth_src,
    MFF.eth_dst,
    MFF.eth_type,
    MFF.vlan_vid,
    MFF.vlan_pcp,
    MFF.ip_src,
    MFF.ip_dst,
    MFF.nw_tos,
    MFF.nw_proto,
    MFF.tcp_src,
    MFF.tcp_dst,
    MFF.mpls_label,
    MFF.mpls_tc,
    MFF.metadata,
  ]
  return { ...features, match: all, mask: all, wildcard: all }
}

const packet = Uint8Array.from({ length: 60 }, (_, i) => i)

const flowStats = {
  match: ipMatch(),
  cookie: 0x1234n,
  table: 5,
  priority: 100,
  idleTimeout: 10,
  hardTimeout: 20,
  importance: 7,
  durationSec: 61,
  durationNsec: 500_000_000,
  idleAge: 3,
  hardAge: 9,
  packetCount: 1000,
  byteCount: 2 ** 33,
  flags: 1,
  actions: [output(1), output(2)],
}

const flowStatsRequest = {
  match: ipMatch(),
  table: 0xff,
  outPort: 4,
  outGroup: ANY_GROUP,
  cookie: 0x10n,
  cookieMask: 0xf0n,
}

const groupMod: MessageBodies['GROUP_MOD'] = {
  command: 'add',
  groupType: 'select',
  group: 1234,
  commandBucketId: BUCKET_ALL,
  buckets: [bucket(0, 1, 100), bucket(1, 2, 50)],
  selection: { method: '', param: 0n, fields: [] },
}
const groupMod15: MessageBodies['GROUP_MOD'] = {
  ...groupMod,
  selection: {
    method: 'hash',
    param: 7n,
    fields: [{ field: MFF.ip_dst, mask: Uint8Array.of(255, 255, 255, 255) }],
  },
}
const meterMod: MessageBodies['METER_MOD'] = {
  command: 'add',
  meter: 5,
  flags: 1 | 4 | 8,
  bands: [{ type: 'drop', rate: 1000, burst: 100, precLevel: 0 }],
}

const tableMod = {
  table: 4,
  miss: undefined,
  eviction: true,
  evictionFlags: undefined,
  vacancyEvents: true,
  vacancy: { down: 20, up: 80, vacancy: 0 },
}

const fullUpdate = {
  event: 'added' as const,
  reason: undefined,
  idleTimeout: 10,
  hardTimeout: 20,
  table: 3,
  priority: 77,
  cookie: 0xabcn,
  match: ipMatch(),
  actions: [output(9)],
}

function registerMetadata(version: OfVersion): Match {
  const m = metadataOfPort(5)
  if (version === OF15) setMatchBits(m, W_REG, 0x55, 0xffff_ffff)
  return m
}

/** One sample of each type, and where it makes a difference one for the version. */
export function sampleBody<T extends MessageType>(type: T, version: OfVersion): MessageBodies[T] {
  return SAMPLES(version)[type]
}

const SAMPLES = (version: OfVersion): MessageBodies => ({
  HELLO: { versions: 0x12 },
  ERROR: {
    name: 'OFPBAC_BAD_OUT_PORT',
    vendor: 0,
    errorType: 2,
    code: 4,
    data: Uint8Array.of(version, 0, 0, 8, 0, 0, 0, 1),
  },
  ECHO_REQUEST: packet,
  ECHO_REPLY: packet,
  FEATURES_REQUEST: undefined,
  FEATURES_REPLY: {
    datapathId: 0x0000_aabb_ccdd_eeffn,
    buffers: 0,
    tables: 254,
    auxiliaryId: 0,
    capabilities: 0x47 | (version >= OF11 ? 0x08 : 0),
    actions: version === OF10 ? 0xfff : 0,
    ports: version <= 3 ? [samplePort] : [],
  },
  GET_CONFIG_REQUEST: undefined,
  GET_CONFIG_REPLY: {
    frag: 'nx-match',
    invalidTtlToController: version < 4 ? true : undefined,
    missSendLen: 128,
  },
  SET_CONFIG: { frag: 'drop', invalidTtlToController: version < 4 ? false : undefined, missSendLen: 65535 },
  PACKET_IN: {
    packet,
    totalLength: packet.length,
    bufferId: NO_BUFFER,
    reason: 'action',
    table: version === OF10 ? 0 : 6,
    cookie: version < 4 ? 0xffff_ffff_ffff_ffffn : 0x77n,
    metadata: inPort(5),
    userdata: new Uint8Array(0),
  },
  FLOW_REMOVED: {
    match: ipMatch(),
    cookie: 0x1234n,
    priority: 100,
    reason: 'hard_timeout',
    table: 5,
    durationSec: 61,
    durationNsec: 500_000_000,
    idleTimeout: 10,
    hardTimeout: 20,
    packetCount: 1000,
    byteCount: 100_000,
  },
  PORT_STATUS: { reason: 'modify', desc: samplePort },
  PACKET_OUT: { packet, bufferId: NO_BUFFER, metadata: registerMetadata(version), actions: [output(2)] },
  FLOW_MOD: {
    command: 'add',
    match: ipMatch(),
    priority: 100,
    table: 4,
    cookie: 0n,
    cookieMask: 0n,
    newCookie: 0x1234n,
    modifyCookie: false,
    idleTimeout: 10,
    hardTimeout: 20,
    importance: version >= 5 ? 9 : 0,
    bufferId: NO_BUFFER,
    outPort: OFPP_ANY,
    outGroup: ANY_GROUP,
    flags: version <= OF11 ? 7 : 3,
    actions: [output(1), output(OFPP_LOCAL)],
  },
  GROUP_MOD: version === OF10 || version === OF15 ? groupMod15 : groupMod,
  PORT_MOD: { port: 7, hwAddr: mac, config: 0x01, mask: 0x21, advertise: 0x20 },
  TABLE_MOD:
    version < 5
      ? {
          ...tableMod,
          miss: version < 4 ? 'continue' : undefined,
          eviction: undefined,
          vacancyEvents: undefined,
          vacancy: { down: 0, up: 0, vacancy: 0 },
        }
      : tableMod,
  BARRIER_REQUEST: undefined,
  BARRIER_REPLY: undefined,
  QUEUE_GET_CONFIG_REQUEST: { port: 7, queue: version < 5 ? 0xffff_ffff : 55 },
  QUEUE_GET_CONFIG_REPLY: [
    { port: 7, queue: 55, minRate: 500, maxRate: 1000 },
    { port: 7, queue: 56, minRate: undefined, maxRate: 20 },
  ],
  ROLE_REQUEST: { role: 'primary', generationId: 3n },
  ROLE_REPLY: { role: 'secondary', generationId: 3n },
  GET_ASYNC_REQUEST: undefined,
  GET_ASYNC_REPLY: asyncConfig(version),
  SET_ASYNC_CONFIG: asyncConfig(version),
  METER_MOD: meterMod,
  ROLE_STATUS: { role: 'secondary', reason: 'config', generationId: 8n },
  TABLE_STATUS: {
    reason: 'vacancy_up',
    desc: {
      table: 3,
      eviction: false,
      evictionFlags: 1,
      vacancyEvents: true,
      vacancy: { down: 20, up: 80, vacancy: 85 },
    },
  },
  REQUESTFORWARD:
    version >= 4
      ? { xid: 99, reason: 'meter_mod', meterMod }
      : { xid: 99, reason: 'group_mod', groupMod: version === OF10 ? groupMod15 : groupMod },
  BUNDLE_CONTROL: { bundle: 12, control: 'open_request', flags: 3 },
  BUNDLE_ADD_MESSAGE: { bundle: 12, flags: 3, message: portMod(version) },
  DESC_STATS_REQUEST: undefined,
  DESC_STATS_REPLY: {
    manufacturer: 'Nicira, Inc.',
    hardware: 'Open vSwitch',
    software: '3.1.0',
    serial: 'None',
    datapath: 'None',
  },
  FLOW_STATS_REQUEST:
    version === OF10 ? { ...flowStatsRequest, cookie: 0n, cookieMask: 0n } : flowStatsRequest,
  FLOW_STATS_REPLY: [flowStats, { ...flowStats, table: 6, actions: [] }],
  AGGREGATE_STATS_REQUEST:
    version === OF10 ? { ...flowStatsRequest, cookie: 0n, cookieMask: 0n } : flowStatsRequest,
  AGGREGATE_STATS_REPLY: { packetCount: 5, byteCount: 2 ** 35, flowCount: 2 },
  TABLE_STATS_REQUEST: undefined,
  TABLE_STATS_REPLY: [
    {
      table: 2,
      activeCount: 3,
      lookupCount: 4,
      matchedCount: 5,
      features: tableFeatures(version),
    },
  ],
  PORT_STATS_REQUEST: { port: 7 },
  PORT_STATS_REPLY: [
    { port: 7, ...counters(100), ...(version >= 5 ? { rmon } : {}) },
    { port: OFPP_LOCAL, ...counters(200) },
  ],
  QUEUE_STATS_REQUEST: { port: 7, queue: 3 },
  QUEUE_STATS_REPLY: [
    { port: 7, queue: 3, txBytes: 1, txPackets: 2, txErrors: undefined, durationSec: 5, durationNsec: 7 },
  ],
  GROUP_STATS_REQUEST: { group: 1234 },
  GROUP_STATS_REPLY: [
    {
      group: 1234,
      refCount: 2,
      packetCount: 10,
      byteCount: 1000,
      durationSec: 5,
      durationNsec: 6,
      buckets: [
        { packetCount: 4, byteCount: 400 },
        { packetCount: 6, byteCount: 600 },
      ],
    },
  ],
  GROUP_DESC_STATS_REQUEST: { group: version === OF10 || version === OF15 ? 1234 : 0xffff_fffc },
  GROUP_DESC_STATS_REPLY: [
    {
      groupType: 'select',
      group: 1234,
      buckets: groupMod.buckets,
      selection: version === OF10 || version === OF15 ? groupMod15.selection : groupMod.selection,
    },
  ],
  GROUP_FEATURES_STATS_REQUEST: undefined,
  GROUP_FEATURES_STATS_REPLY: {
    types: 0xf,
    capabilities: 7,
    maxGroups: [100, 200, 300, 400],
    actions: [1, 1, 0x1_8001, 1],
  },
  METER_STATS_REQUEST: { meter: 5 },
  METER_STATS_REPLY: [
    {
      meter: 5,
      flowCount: 2,
      packetIn: 10,
      byteIn: 1000,
      durationSec: 3,
      durationNsec: 4,
      bands: [{ packetCount: 1, byteCount: 100 }],
    },
  ],
  METER_CONFIG_STATS_REQUEST: { meter: 0xffff_ffff },
  METER_CONFIG_STATS_REPLY: [
    { meter: 5, flags: 5, bands: meterMod.bands },
    { meter: 6, flags: 2, bands: [] },
  ],
  METER_FEATURES_STATS_REQUEST: undefined,
  METER_FEATURES_STATS_REPLY: { maxMeters: 100, bandTypes: 2, capabilities: 0xf, maxBands: 1, maxColor: 0 },
  TABLE_FEATURES_STATS_REQUEST: [],
  TABLE_FEATURES_STATS_REPLY: [
    version < 5 ? { ...features, supportsEviction: undefined, supportsVacancyEvents: undefined } : features,
  ],
  TABLE_DESC_REQUEST: undefined,
  TABLE_DESC_REPLY: [
    {
      table: 0,
      eviction: false,
      evictionFlags: undefined,
      vacancyEvents: false,
      vacancy: { down: 0, up: 0, vacancy: 0 },
    },
    {
      table: 1,
      eviction: true,
      evictionFlags: 2,
      vacancyEvents: true,
      vacancy: { down: 10, up: 90, vacancy: 50 },
    },
  ],
  PORT_DESC_STATS_REQUEST: { port: version === OF15 ? 7 : OFPP_ANY },
  PORT_DESC_STATS_REPLY: [samplePort, { ...samplePort, port: OFPP_LOCAL, name: 'br0' }],
  FLOW_MONITOR_STATS_REQUEST: [
    {
      id: 9,
      command: 'add',
      flags: 0x1f | 0x40,
      outPort: OFPP_ANY,
      outGroup: ANY_GROUP,
      table: 0xff,
      match: ipMatch(),
    },
  ],
  FLOW_MONITOR_STATS_REPLY: [
    fullUpdate,
    { ...fullUpdate, event: 'deleted', reason: 1, actions: [] },
    { event: 'abbrev', xid: 0x1234_5678 },
  ],
  FLOW_MONITOR_CANCEL: { id: 9 },
  FLOW_MONITOR_PAUSED: undefined,
  FLOW_MONITOR_RESUMED: undefined,
  SET_FLOW_FORMAT: 'nxm',
  FLOW_MOD_TABLE_ID: true,
  SET_PACKET_IN_FORMAT: 'nxt_packet_in2',
  FLOW_AGE: undefined,
  SET_CONTROLLER_ID: 123,
  NXT_TLV_TABLE_MOD: {
    command: 'add',
    maps: [{ optionClass: 0xffff, optionType: 0, optionLength: 4, index: 0 }],
  },
  NXT_TLV_TABLE_REQUEST: undefined,
  NXT_TLV_TABLE_REPLY: {
    maxOptionSpace: 256,
    maxFields: 64,
    maps: [{ optionClass: 0xffff, optionType: 3, optionLength: 8, index: 5 }],
  },
  NXT_RESUME: {
    packet,
    totalLength: packet.length,
    bufferId: NO_BUFFER,
    reason: 'action',
    table: 6,
    cookie: 0x77n,
    metadata: inPort(5),
    userdata: new Uint8Array(0),
    continuation: {
      bridge: Uint8Array.from({ length: 16 }, (_, i) => i + 1),
      stack: [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(9)],
      mirrors: 3,
      conntracked: true,
      frames: [
        { table: 0, cookie: 0n, actions: [output(1)] },
        { table: 4, cookie: 0x99n, actions: [output(2)] },
      ],
      actionSet: [output(3)],
      odpPort: 12,
    },
  },
  CT_FLUSH_ZONE: 13,
  CT_FLUSH: {
    ipProto: 6,
    family: 2,
    zone: 13,
    original: { src: Uint8Array.of(10, 1, 1, 1), dst: Uint8Array.of(10, 1, 1, 2), srcPort: 1, dstPort: 2 },
    reply: { src: Uint8Array.of(10, 1, 1, 2) },
  },
  IPFIX_BRIDGE_STATS_REQUEST: undefined,
  IPFIX_BRIDGE_STATS_REPLY: ipfix(0),
  IPFIX_FLOW_STATS_REQUEST: undefined,
  IPFIX_FLOW_STATS_REPLY: [ipfix(1), ipfix(2)],
})

function inPort(port: number): Match {
  const m = emptyMatch()
  setMatchBits(m, W_IN_PORT, port, 0xffff_ffff)
  return m
}

function ipfix(collectorSetId: number): MessageBodies['IPFIX_BRIDGE_STATS_REPLY'] {
  return {
    totalFlows: 1,
    currentFlows: 2,
    packets: 3,
    ipv4Packets: 4,
    ipv6Packets: 5,
    errorPackets: 6,
    ipv4ErrorPackets: 7,
    ipv6ErrorPackets: 8,
    transmittedPackets: 9,
    transmitErrors: 10,
    collectorSetId,
  }
}

function asyncConfig(version: OfVersion): MessageBodies['SET_ASYNC_CONFIG'] {
  const three = {
    // Before 1.4 "action" stands for what it was split into then.
    packet_in: { primary: version < OF14 ? 0x3a : 0x02, secondary: 0x04 },
    port_status: { primary: 0x07, secondary: 0x01 },
    flow_removed: { primary: 0x03, secondary: 0x00 },
  }
  const none = { primary: 0, secondary: 0 }
  const rest = version >= 5 ? { primary: 0x03, secondary: 0x01 } : none
  const status = version >= 5 ? { primary: 0x18, secondary: 0 } : none
  return { ...three, role_status: rest, table_status: status, requestforward: rest }
}

/** A port-mod as it stands in a bundle whose message has xid 1. */
function portMod(version: OfVersion): Uint8Array {
  const bytes = Uint8Array.of(version, 16, 0, version < 5 ? 40 : 32, 0, 0, 0, 1)
  const body = new Uint8Array(bytes[3] - 8)
  body.set([0, 0, 0, 7])
  return Uint8Array.of(...bytes, ...body)
}

export const LIST_TYPES: readonly ListType[] = [
  'FLOW_STATS_REPLY',
  'PORT_STATS_REPLY',
  'PORT_DESC_STATS_REPLY',
]
