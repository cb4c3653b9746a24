/** What a router's interface is told about its DHCP server: the server's own configuration. */
export type { DhcpServerConfig as DhcpSettings } from '../../protocols/dhcp/config.ts'
