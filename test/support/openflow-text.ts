/** Writes the reference's rules as ovs-ofctl(8) reads them. */
import type { RefAction, RefField, RefFlow, RefGroup, RefSubfield } from '../reference/openflow.ts'

const MAC = new Set(['dl_src', 'dl_dst', 'arp_sha', 'arp_tha'])
const IPV4 = new Set(['nw_src', 'nw_dst', 'arp_spa', 'arp_tpa'])
const IPV6 = new Set(['ipv6_src', 'ipv6_dst'])
const FRAGMENTS: Record<string, string> = {
  '0/3': 'no',
  '1/1': 'yes',
  '1/3': 'first',
  '3/3': 'later',
  '0/2': 'not_later',
}

/** Bits of each field that rules are made of. */
export const BITS: Record<string, number> = {
  in_port: 16,
  metadata: 64,
  reg0: 32,
  reg1: 32,
  reg2: 32,
  dl_src: 48,
  dl_dst: 48,
  dl_type: 16,
  vlan_tci: 16,
  vlan_vid: 12,
  vlan_pcp: 3,
  nw_src: 32,
  nw_dst: 32,
  nw_proto: 8,
  nw_ttl: 8,
  ip_dscp: 6,
  nw_ecn: 2,
  nw_frag: 2,
  ipv6_src: 128,
  ipv6_dst: 128,
  ipv6_label: 20,
  arp_op: 16,
  arp_sha: 48,
  arp_tha: 48,
  arp_spa: 32,
  arp_tpa: 32,
  tcp_src: 16,
  tcp_dst: 16,
  tcp_flags: 12,
  udp_src: 16,
  udp_dst: 16,
  icmp_type: 8,
  icmp_code: 8,
}

export const allOnes = (field: string): bigint => (1n << BigInt(BITS[field])) - 1n

function groups(value: bigint, digits: number, size: number): string[] {
  const text = value.toString(16).padStart(digits, '0')
  return text.match(new RegExp(`.{${size}}`, 'g'))!
}

function valueText(field: string, value: bigint): string {
  if (MAC.has(field)) return groups(value, 12, 2).join(':')
  if (IPV4.has(field))
    return groups(value, 8, 2)
      .map((byte) => Number.parseInt(byte, 16))
      .join('.')
  if (IPV6.has(field)) return groups(value, 32, 4).join(':')
  if (field === 'in_port') return String(value)
  return `0x${value.toString(16)}`
}

export function matchText(match: readonly RefField[]): string[] {
  return match.map(({ field, value, mask }) => {
    if (field === 'nw_frag') return `nw_frag=${FRAGMENTS[`${value}/${mask}`]}`
    const exact = mask === allOnes(field) || (field === 'vlan_vid' && mask === 0x1fffn)
    const masked = exact ? '' : `/${valueText(field, mask)}`
    return `${field}=${valueText(field, value & mask)}${masked}`
  })
}

const subfield = ({ field, ofs, bits }: RefSubfield): string => `${field}[${ofs}..${ofs + bits - 1}]`

function setText({ field, value, mask }: RefField): string {
  if (field === 'vlan_vid') return `set_field:${valueText(field, value | 0x1000n)}->vlan_vid`
  const masked = mask === allOnes(field) ? '' : `/${valueText(field, mask)}`
  return `set_field:${valueText(field, value & mask)}${masked}->${field}`
}

export function actionText(a: RefAction): string {
  switch (a.do) {
    case 'output':
      return typeof a.port === 'number' ? `output:${a.port}` : a.port
    case 'output_reg':
      return `output:${subfield(a.src)}`
    case 'set':
      return setText(a)
    case 'move':
      return `move:${subfield(a.src)}->${subfield(a.dst)}`
    case 'push':
    case 'pop':
      return `${a.do}:${subfield(a.at)}`
    case 'mod_vlan_vid':
    case 'mod_vlan_pcp':
      return `${a.do}:${a.value}`
    case 'push_vlan':
      return `push_vlan:0x${a.tpid.toString(16)}`
    case 'resubmit':
      return `resubmit(${a.port ?? ''},${a.table})`
    case 'goto_table':
      return `goto_table:${a.table}`
    case 'write_actions':
    case 'clone':
      return `${a.do}(${actionsText(a.actions)})`
    case 'write_metadata':
      return `write_metadata:0x${a.value.toString(16)}/0x${a.mask.toString(16)}`
    case 'group':
      return `group:${a.group}`
    default:
      return a.do
  }
}

export function actionsText(actions: readonly RefAction[]): string {
  return actions.length === 0 ? 'drop' : actions.map(actionText).join(',')
}

/** Where a rule stands: what a strict deletion names. */
export function ruleText({ table, priority, match }: RefFlow): string {
  return [`table=${table}`, `priority=${priority}`, ...matchText(match)].join(',')
}

export function flowText(flow: RefFlow): string {
  return `${ruleText(flow)} actions=${actionsText(flow.actions)}`
}

const NEW = new Set(['push_vlan', 'group', 'write_actions', 'clear_actions', 'goto_table'])
const OLD = new Set(['mod_vlan_vid', 'mod_vlan_pcp', 'strip_vlan'])

/** Whether a rule means what it says only in OpenFlow 1.0 or NXM: mod_vlan_vid pushes a tag where there is none. */
export function isOld({ match, actions }: RefFlow): boolean {
  if (match.some((f) => f.field === 'vlan_tci')) return true
  return actions.some((a) => OLD.has(a.do)) && !actions.some((a) => NEW.has(a.do))
}

export function groupText(id: number, { type, buckets }: RefGroup): string {
  return `group_id=${id},type=${type}${buckets.map((b) => `,bucket=${actionsText(b)}`).join('')}`
}
