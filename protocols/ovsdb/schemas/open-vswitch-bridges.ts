import {
  count,
  counters,
  ephemeral,
  flag,
  immutable,
  integer,
  map,
  oneOf,
  optional,
  set,
  strong,
  type TableJson,
  text,
  uint32,
  vlan,
  words,
} from './columns.ts'

const BRIDGE: TableJson = {
  indexes: [['name']],
  columns: {
    name: immutable(text),
    datapath_type: text,
    datapath_version: text,
    datapath_id: ephemeral(optional('string')),
    stp_enable: flag,
    rstp_enable: flag,
    mcast_snooping_enable: flag,
    ports: set(strong('Port')),
    mirrors: set(strong('Mirror')),
    netflow: optional(strong('NetFlow')),
    sflow: optional(strong('sFlow')),
    ipfix: optional(strong('IPFIX')),
    controller: set(strong('Controller')),
    protocols: set(oneOf('OpenFlow10', 'OpenFlow11', 'OpenFlow12', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15')),
    fail_mode: optional(oneOf('standalone', 'secure')),
    status: ephemeral(words),
    rstp_status: ephemeral(words),
    other_config: words,
    external_ids: words,
    flood_vlans: set(vlan, 0, 4096),
    flow_tables: map(integer(0, 254), strong('Flow_Table')),
    auto_attach: optional(strong('AutoAttach')),
  },
}

const PORT: TableJson = {
  indexes: [['name']],
  columns: {
    name: immutable(text),
    interfaces: set(strong('Interface'), 1),
    trunks: set(vlan, 0, 4096),
    cvlans: set(vlan, 0, 4096),
    tag: optional(vlan),
    vlan_mode: optional(oneOf('trunk', 'access', 'native-tagged', 'native-untagged', 'dot1q-tunnel')),
    qos: optional(strong('QoS')),
    mac: optional('string'),
    bond_mode: optional(oneOf('balance-tcp', 'balance-slb', 'active-backup')),
    lacp: optional(oneOf('active', 'passive', 'off')),
    bond_updelay: count,
    bond_downdelay: count,
    bond_active_slave: optional('string'),
    bond_fake_iface: flag,
    fake_bridge: flag,
    status: ephemeral(words),
    rstp_status: ephemeral(words),
    rstp_statistics: ephemeral(counters),
    statistics: ephemeral(counters),
    protected: flag,
    other_config: words,
    external_ids: words,
  },
}

const FLOW_TABLE: TableJson = {
  columns: {
    name: optional('string'),
    flow_limit: optional(integer(0)),
    overflow_policy: optional(oneOf('refuse', 'evict')),
    groups: set('string'),
    prefixes: set('string', 0, 3),
    external_ids: words,
  },
}

const QOS: TableJson = {
  isRoot: true,
  columns: {
    type: text,
    queues: map(uint32, strong('Queue')),
    other_config: words,
    external_ids: words,
  },
}

const QUEUE: TableJson = {
  isRoot: true,
  columns: { dscp: optional(integer(0, 63)), other_config: words, external_ids: words },
}

const AUTO_ATTACH: TableJson = {
  columns: {
    system_name: text,
    system_description: text,
    mappings: map(integer(0, 0xff_ffff), vlan),
  },
}

export const BRIDGE_TABLES = {
  Bridge: BRIDGE,
  Port: PORT,
  Flow_Table: FLOW_TABLE,
  QoS: QOS,
  Queue: QUEUE,
  AutoAttach: AUTO_ATTACH,
}
