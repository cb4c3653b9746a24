import {
  type ColumnJson,
  ephemeral,
  flag,
  immutable,
  integer,
  map,
  one,
  oneOf,
  optional,
  type SchemaJson,
  set,
  strong,
  type TableJson,
  text,
  uint32,
  words,
} from './columns.ts'

/**
 * What is plugged into the bridges: hosts, routers and the addresses of the machine itself. Their ports are rows of
 * the Open_vSwitch database (Interface types `host`, `router` and `internal`), found by name; VLANs, MAC address, MTU
 * and quality of service stand there.
 *
 * Addresses are text, a subnet is "10.0.0.0/24", a range "10.0.0.1-10.0.0.9". Where order matters there is a map
 * from position to element; positions may have gaps. Times are seconds.
 */

const port = integer(1, 65535)
const list = (element: Parameters<typeof map>[1]): ColumnJson => map('integer', element)
/** Why a row could not be put into effect; empty when it has been. */
const error = ephemeral(optional('string'))

const LAB: TableJson = {
  isRoot: true,
  maxRows: 1,
  columns: {
    hosts: set(strong('Host')),
    routers: set(strong('Router')),
    devices: set(strong('Device')),
    external_ids: words,
  },
}

/** A device of the machine itself on a bridge. */
const DEVICE: TableJson = {
  indexes: [['port']],
  columns: {
    /** Port of type `internal`, or the bridge's own. */
    port: immutable(text),
    address: optional('string'),
    error,
  },
}

const HOST: TableJson = {
  indexes: [['name']],
  columns: {
    name: immutable(text),
    /** Whether its loopback interface is up; so when empty. */
    loopback: optional('boolean'),
    addresses: list('string'),
    interfaces: set(strong('Host_Interface')),
    routes: set(strong('Route')),
    dns: list('string'),
    external_ids: words,
    error,
  },
}

const HOST_INTERFACE: TableJson = {
  columns: {
    name: immutable(text),
    port: text,
    addressing: one(oneOf('none', 'static', 'dhcp')),
    addresses: list('string'),
    gateway: optional('string'),
    error,
  },
}

const ROUTE: TableJson = {
  columns: { to: text, via: text, metric: one(uint32), error },
}

const ROUTER: TableJson = {
  indexes: [['name']],
  columns: {
    name: immutable(text),
    interfaces: set(strong('Router_Interface')),
    routes: set(strong('Route')),
    nat: list(strong('NAT_Rule')),
    redirects: flag,
    icmp_error_rate: optional(integer(0)),
    max_connections: optional(integer(1)),
    /** Protocols whose payload is not read. */
    helpers_off: set(oneOf('ftp', 'tftp')),
    timeouts: map(oneOf('tcp_established', 'tcp_transitory', 'udp', 'icmp'), 'real'),
    external_ids: words,
    error,
  },
}

const ROUTER_INTERFACE: TableJson = {
  columns: {
    name: immutable(text),
    port: text,
    addresses: list('string'),
    dhcp: optional(strong('DHCP_Server')),
    error,
  },
}

const NAT_RULE: TableJson = {
  columns: {
    type: one(oneOf('dnat', 'masquerade', 'snat')),
    protocol: optional(oneOf('tcp', 'udp', 'icmp')),
    source: optional('string'),
    not_source: optional('string'),
    destination: optional('string'),
    not_destination: optional('string'),
    out_interface: optional('string'),
    in_interface: optional('string'),
    /** dnat: the address that was sent to. */
    address: optional('string'),
    first_port: optional(port),
    last_port: optional(port),
    filtering: optional(oneOf('endpoint-independent', 'address-dependent', 'address-and-port-dependent')),
    /** Addresses or ranges; of dnat one address. */
    to: list('string'),
    to_port: optional(port),
    error,
  },
}

const DHCP_SERVER: TableJson = {
  columns: {
    server_id: text,
    subnets: list(strong('DHCP_Subnet')),
    probe: optional('boolean'),
    authoritative: optional('boolean'),
    offer_time: optional('real'),
    quarantine_time: optional('real'),
    max_offers: optional(integer(0)),
    max_leases: optional(integer(0)),
    max_message_length: optional(integer(0)),
    error,
  },
}

const DHCP_SUBNET: TableJson = {
  columns: {
    subnet: text,
    ranges: list('string'),
    lease_time: one(uint32),
    min_lease_time: optional(uint32),
    max_lease_time: optional(uint32),
    /** Code of the option to its data in hexadecimal. */
    options: map(integer(1, 254), 'string'),
    reservations: list(strong('DHCP_Reservation')),
    exclude: set('string'),
    next_server: optional('string'),
    server_name: optional('string'),
    boot_file: optional('string'),
    error,
  },
}

const DHCP_RESERVATION: TableJson = {
  columns: {
    mac: optional('string'),
    client_id: optional('string'),
    address: optional('string'),
    hostname: optional('string'),
    options: map(integer(1, 254), 'string'),
    lease_time: optional(uint32),
    error,
  },
}

/** The schema of our own second database. */
export const LAB_SCHEMA: SchemaJson = {
  name: 'Lab',
  version: '1.0.0',
  tables: {
    Lab: LAB,
    Device: DEVICE,
    Host: HOST,
    Host_Interface: HOST_INTERFACE,
    Route: ROUTE,
    Router: ROUTER,
    Router_Interface: ROUTER_INTERFACE,
    NAT_Rule: NAT_RULE,
    DHCP_Server: DHCP_SERVER,
    DHCP_Subnet: DHCP_SUBNET,
    DHCP_Reservation: DHCP_RESERVATION,
  },
}
