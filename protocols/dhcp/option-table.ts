/**
 * Names, numbers and types of DHCP options: RFC 2132 whole, and those of later documents that are in use. The
 * first name is IANA's in the spelling of ISC's dhcp-options(5); after it stand dnsmasq's and other spellings.
 */

/** How the value of an option is written and encoded, see option-value.ts. */
export type OptionType =
  | 'ip'
  | 'ip-list'
  | 'ip-pairs'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'i32'
  | 'bool'
  | 'u8-list'
  | 'u16-list'
  | 'text'
  | 'hex'
  | 'empty'
  | 'routes'
  | 'domain-list'
  | 'sip-servers'

export const OPTION_TYPES: readonly OptionType[] = [
  'ip',
  'ip-list',
  'ip-pairs',
  'u8',
  'u16',
  'u32',
  'i32',
  'bool',
  'u8-list',
  'u16-list',
  'text',
  'hex',
  'empty',
  'routes',
  'domain-list',
  'sip-servers',
]

export interface OptionDefinition {
  readonly code: number
  readonly type: OptionType
  /** All spellings; the first is the one to print. */
  readonly names: readonly string[]
}

type Row = readonly [code: number, type: OptionType, names: string]

const ROWS: readonly Row[] = [
  // RFC 2132 §3: RFC 1497 vendor extensions
  [1, 'ip', 'subnet-mask netmask'],
  [2, 'i32', 'time-offset'],
  [3, 'ip-list', 'router routers gateway'],
  [4, 'ip-list', 'time-servers time-server'],
  [5, 'ip-list', 'ien116-name-servers name-servers name-server'],
  [6, 'ip-list', 'domain-name-servers domain-name-server dns-servers dns-server dns'],
  [7, 'ip-list', 'log-servers log-server'],
  [8, 'ip-list', 'cookie-servers cookie-server quotes-server'],
  [9, 'ip-list', 'lpr-servers lpr-server'],
  [10, 'ip-list', 'impress-servers impress-server'],
  [11, 'ip-list', 'resource-location-servers resource-location-server'],
  [12, 'text', 'host-name hostname'],
  [13, 'u16', 'boot-size boot-file-size'],
  [14, 'text', 'merit-dump'],
  [15, 'text', 'domain-name'],
  [16, 'ip', 'swap-server'],
  [17, 'text', 'root-path'],
  [18, 'text', 'extensions-path extension-path'],
  // §4: IP layer parameters per host
  [19, 'bool', 'ip-forwarding ip-forward-enable'],
  [20, 'bool', 'non-local-source-routing'],
  [21, 'ip-pairs', 'policy-filter'],
  [22, 'u16', 'max-dgram-reassembly max-datagram-reassembly'],
  [23, 'u8', 'default-ip-ttl default-ttl'],
  [24, 'u32', 'path-mtu-aging-timeout'],
  [25, 'u16-list', 'path-mtu-plateau-table'],
  // §5: IP layer parameters per interface
  [26, 'u16', 'interface-mtu mtu'],
  [27, 'bool', 'all-subnets-local'],
  [28, 'ip', 'broadcast-address broadcast'],
  [29, 'bool', 'perform-mask-discovery'],
  [30, 'bool', 'mask-supplier'],
  [31, 'bool', 'router-discovery'],
  [32, 'ip', 'router-solicitation-address router-solicitation'],
  [33, 'ip-pairs', 'static-routes static-route'],
  // §6: link layer parameters per interface
  [34, 'bool', 'trailer-encapsulation'],
  [35, 'u32', 'arp-cache-timeout arp-timeout'],
  [36, 'bool', 'ieee802-3-encapsulation ethernet-encap'],
  // §7: TCP parameters
  [37, 'u8', 'default-tcp-ttl tcp-ttl'],
  [38, 'u32', 'tcp-keepalive-interval tcp-keepalive'],
  [39, 'bool', 'tcp-keepalive-garbage'],
  // §8: application and service parameters
  [40, 'text', 'nis-domain'],
  [41, 'ip-list', 'nis-servers nis-server'],
  [42, 'ip-list', 'ntp-servers ntp-server'],
  [43, 'hex', 'vendor-encapsulated-options vendor-encap vendor-specific-information'],
  [44, 'ip-list', 'netbios-name-servers netbios-ns'],
  [45, 'ip-list', 'netbios-dd-server netbios-dd'],
  [46, 'u8', 'netbios-node-type netbios-nodetype'],
  [47, 'text', 'netbios-scope'],
  [48, 'ip-list', 'font-servers x-windows-fs'],
  [49, 'ip-list', 'x-display-manager x-windows-dm'],
  [64, 'text', 'nisplus-domain nis+-domain'],
  [65, 'ip-list', 'nisplus-servers nis+-server'],
  [68, 'ip-list', 'mobile-ip-home-agent mobile-ip-home'],
  [69, 'ip-list', 'smtp-server smtp-servers'],
  [70, 'ip-list', 'pop-server pop3-server'],
  [71, 'ip-list', 'nntp-server nntp-servers'],
  [72, 'ip-list', 'www-server www-servers'],
  [73, 'ip-list', 'finger-server finger-servers'],
  [74, 'ip-list', 'irc-server irc-servers'],
  [75, 'ip-list', 'streettalk-server streettalk-servers'],
  [76, 'ip-list', 'streettalk-directory-assistance-server stda-server'],
  // §9: DHCP extensions
  [50, 'ip', 'dhcp-requested-address requested-address'],
  [51, 'u32', 'dhcp-lease-time lease-time'],
  [52, 'u8', 'dhcp-option-overload option-overload'],
  [53, 'u8', 'dhcp-message-type message-type'],
  [54, 'ip', 'dhcp-server-identifier server-identifier'],
  [55, 'u8-list', 'dhcp-parameter-request-list parameter-request-list'],
  [56, 'text', 'dhcp-message message'],
  [57, 'u16', 'dhcp-max-message-size max-message-size'],
  [58, 'u32', 'dhcp-renewal-time renewal-time t1'],
  [59, 'u32', 'dhcp-rebinding-time rebinding-time t2'],
  [60, 'text', 'vendor-class-identifier vendor-class'],
  [61, 'hex', 'dhcp-client-identifier client-identifier client-id'],
  [66, 'text', 'tftp-server-name tftp-server'],
  [67, 'text', 'bootfile-name boot-file bootfile'],
  // Later documents
  [77, 'hex', 'user-class'], // RFC 3004
  [80, 'empty', 'rapid-commit'], // RFC 4039
  [81, 'hex', 'fqdn client-fqdn'], // RFC 4702
  [82, 'hex', 'relay-agent-information agent-id'], // RFC 3046
  [85, 'ip-list', 'nds-servers'], // RFC 2241
  [86, 'text', 'nds-tree-name'],
  [87, 'text', 'nds-context'],
  [88, 'domain-list', 'bcms-controller-names'], // RFC 4280
  [89, 'ip-list', 'bcms-controller-address'],
  [93, 'u16-list', 'client-system-architecture client-arch'], // RFC 4578
  [94, 'hex', 'client-network-interface client-interface-id'],
  [97, 'hex', 'client-machine-identifier client-machine-id'],
  [98, 'text', 'uap-servers'], // RFC 2485
  [100, 'text', 'pcode posix-timezone'], // RFC 4833
  [101, 'text', 'tcode tzdb-timezone'],
  [108, 'u32', 'v6-only-preferred ipv6-only-preferred'], // RFC 8925
  [112, 'ip-list', 'netinfo-server-address'],
  [113, 'text', 'netinfo-server-tag'],
  [114, 'text', 'captive-portal default-url v4-captive-portal'], // RFC 8910
  [116, 'u8', 'auto-configure'], // RFC 2563
  [117, 'u16-list', 'name-service-search'], // RFC 2937
  [118, 'ip', 'subnet-selection subnet-select'], // RFC 3011
  [119, 'domain-list', 'domain-search'], // RFC 3397
  [120, 'sip-servers', 'sip-servers sip-server'], // RFC 3361
  [121, 'routes', 'classless-static-routes classless-static-route rfc3442-classless-static-routes'], // RFC 3442
  [122, 'hex', 'cablelabs-client-configuration'], // RFC 3495
  [124, 'hex', 'vivco vendor-identifying-class'], // RFC 3925
  [125, 'hex', 'vivso vendor-id-encap vendor-identifying-options'],
  [136, 'ip-list', 'pana-agent'], // RFC 5192
  [137, 'text', 'v4-lost lost-server'], // RFC 5223
  [138, 'ip-list', 'capwap-ac-v4 capwap-ac'], // RFC 5417
  [150, 'ip-list', 'tftp-server-address tftp-servers'], // RFC 5859
  [208, 'hex', 'pxelinux-magic loader-pxelinux-magic'], // RFC 5071
  [209, 'text', 'loader-configfile pxelinux-configfile'],
  [210, 'text', 'loader-pathprefix pxelinux-pathprefix'],
  [211, 'u32', 'loader-reboottime pxelinux-reboottime'],
  [249, 'routes', 'ms-classless-static-routes'],
  [252, 'text', 'wpad wpad-url'],
]

export const OPTION_DEFINITIONS: readonly OptionDefinition[] = ROWS.map(([code, type, names]) => ({
  code,
  type,
  names: names.split(' '),
}))

const byName = new Map<string, OptionDefinition>()
const byCode = new Map<number, OptionDefinition>()
for (const definition of OPTION_DEFINITIONS) {
  byCode.set(definition.code, definition)
  for (const name of definition.names) byName.set(name, definition)
}

/**
 * What the server itself puts into replies, or what only clients and relay agents send: RFC 2131 table 3 and
 * RFC 3046. Nobody configures these.
 */
const PROTOCOL_OPTIONS: ReadonlySet<number> = new Set([0, 50, 51, 52, 53, 54, 55, 56, 57, 61, 82, 255])

/** Whether an option belongs to the protocol itself, so that it cannot be configured. */
export function isProtocolOption(code: number): boolean {
  return PROTOCOL_OPTIONS.has(code)
}

/** Finds an option by any of its names, in either case, or by its number in decimal. */
export function findOption(name: string): OptionDefinition | undefined {
  if (/^\d{1,3}$/.test(name)) return byCode.get(Number(name))
  return byName.get(name.toLowerCase())
}

/** The option of a number, if it is in the table. */
export function optionByCode(code: number): OptionDefinition | undefined {
  return byCode.get(code)
}

/** The name to print for a number. */
export function optionName(code: number): string {
  return byCode.get(code)?.names[0] ?? `option ${code}`
}
