import {
  counters,
  ephemeral,
  flag,
  integer,
  one,
  optional,
  set,
  strong,
  type TableJson,
  text,
  uint32,
  vlan,
  weak,
  words,
} from './columns.ts'

const MIRROR: TableJson = {
  columns: {
    name: text,
    select_all: flag,
    select_src_port: set(weak('Port')),
    select_dst_port: set(weak('Port')),
    select_vlan: set(vlan, 0, 4096),
    output_port: optional(weak('Port')),
    output_vlan: optional(integer(1, 4095)),
    snaplen: optional(integer(14, 65535)),
    statistics: ephemeral(counters),
    external_ids: words,
  },
}

const NETFLOW: TableJson = {
  columns: {
    targets: set('string', 1),
    engine_type: optional(integer(0, 255)),
    engine_id: optional(integer(0, 255)),
    add_id_to_interface: flag,
    active_timeout: one(integer(-1)),
    external_ids: words,
  },
}

const SFLOW: TableJson = {
  columns: {
    targets: set('string', 1),
    sampling: optional('integer'),
    polling: optional('integer'),
    header: optional('integer'),
    agent: optional('string'),
    external_ids: words,
  },
}

const IPFIX: TableJson = {
  columns: {
    targets: set('string'),
    sampling: optional(integer(1, 0xffff_ffff)),
    obs_domain_id: optional(uint32),
    obs_point_id: optional(uint32),
    cache_active_timeout: optional(integer(0, 4200)),
    cache_max_flows: optional(uint32),
    other_config: words,
    external_ids: words,
  },
}

const FLOW_SAMPLE_COLLECTOR_SET: TableJson = {
  isRoot: true,
  indexes: [['id', 'bridge']],
  columns: {
    id: one(uint32),
    bridge: one(strong('Bridge')),
    ipfix: optional(strong('IPFIX')),
    external_ids: words,
  },
}

export const MONITORING_TABLES = {
  Mirror: MIRROR,
  NetFlow: NETFLOW,
  sFlow: SFLOW,
  IPFIX,
  Flow_Sample_Collector_Set: FLOW_SAMPLE_COLLECTOR_SET,
}
