import {
  count,
  ephemeral,
  flag,
  integer,
  map,
  oneOf,
  optional,
  set,
  strong,
  type TableJson,
  text,
  uint32,
  words,
} from './columns.ts'

const OPEN_VSWITCH: TableJson = {
  isRoot: true,
  maxRows: 1,
  columns: {
    datapaths: map('string', strong('Datapath')),
    bridges: set(strong('Bridge')),
    manager_options: set(strong('Manager')),
    ssl: optional(strong('SSL')),
    other_config: words,
    external_ids: words,
    next_cfg: count,
    cur_cfg: count,
    statistics: ephemeral(words),
    ovs_version: optional('string'),
    db_version: optional('string'),
    system_type: optional('string'),
    system_version: optional('string'),
    datapath_types: set('string'),
    iface_types: set('string'),
    dpdk_initialized: flag,
    dpdk_version: optional('string'),
  },
}

const CONTROLLER: TableJson = {
  columns: {
    type: optional(oneOf('primary', 'service')),
    target: text,
    max_backoff: optional(integer(1000)),
    inactivity_probe: optional('integer'),
    connection_mode: optional(oneOf('in-band', 'out-of-band')),
    local_ip: optional('string'),
    local_netmask: optional('string'),
    local_gateway: optional('string'),
    enable_async_messages: optional('boolean'),
    controller_queue_size: optional(integer(1, 512)),
    controller_rate_limit: optional(integer(100)),
    controller_burst_limit: optional(integer(25)),
    other_config: words,
    external_ids: words,
    is_connected: ephemeral(flag),
    role: ephemeral(optional(oneOf('other', 'master', 'slave'))),
    status: ephemeral(words),
  },
}

const MANAGER: TableJson = {
  indexes: [['target']],
  columns: {
    target: text,
    max_backoff: optional(integer(1000)),
    inactivity_probe: optional('integer'),
    connection_mode: optional(oneOf('in-band', 'out-of-band')),
    other_config: words,
    external_ids: words,
    is_connected: ephemeral(flag),
    status: ephemeral(words),
  },
}

const SSL: TableJson = {
  maxRows: 1,
  columns: {
    private_key: text,
    certificate: text,
    ca_cert: text,
    bootstrap_ca_cert: flag,
    external_ids: words,
  },
}

const DATAPATH: TableJson = {
  columns: {
    datapath_version: text,
    ct_zones: map(integer(0, 65535), strong('CT_Zone')),
    capabilities: words,
    external_ids: words,
  },
}

const CT_ZONE: TableJson = {
  columns: { timeout_policy: optional(strong('CT_Timeout_Policy')), external_ids: words },
}

const CT_TIMEOUT_POLICY: TableJson = {
  columns: {
    timeouts: map(
      oneOf(
        'tcp_syn_sent',
        'tcp_syn_recv',
        'tcp_established',
        'tcp_fin_wait',
        'tcp_close_wait',
        'tcp_last_ack',
        'tcp_time_wait',
        'tcp_close',
        'tcp_syn_sent2',
        'tcp_retransmit',
        'tcp_unack',
        'udp_first',
        'udp_single',
        'udp_multiple',
        'icmp_first',
        'icmp_reply',
      ),
      uint32,
    ),
    external_ids: words,
  },
}

export const CONTROL_TABLES = {
  Open_vSwitch: OPEN_VSWITCH,
  Controller: CONTROLLER,
  Manager: MANAGER,
  SSL,
  Datapath: DATAPATH,
  CT_Zone: CT_ZONE,
  CT_Timeout_Policy: CT_TIMEOUT_POLICY,
}
