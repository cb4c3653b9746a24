/** What Open vSwitch and our engine trace of one packet, made comparable. */
import { parseIpv6 } from '../../protocols/openflow/text/address.ts'

export interface Trace {
  readonly flow: string
  /** Tables, rules and actions. */
  readonly steps: string
  readonly finalFlow: string
  readonly megaflow: string
  readonly actions: string
}

/** @param names of ports by numbers of the datapath; empty where datapath actions have names already */
export function readTrace(text: string, names: ReadonlyMap<string, string>): Trace {
  const line = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? ''
  const steps = text.split('\n').filter((l) => !/^(Flow|Final flow|Megaflow|Datapath actions):/.test(l))
  const flow = line('Flow')
  const finalFlow = line('Final flow')
  return {
    flow,
    // It learns from what it traces; what is beyond its datapath, and not beyond ours, it says at the end.
    steps: steps
      .join('\n')
      .replaceAll(/^ *-> learned that .*\n/gm, '')
      .replace(/\n\nThis flow is handled by the userspace slow path.*/s, '')
      .trim(),
    // Open vSwitch tells the flow anew when only its actset_output, which it does not print, has changed.
    finalFlow: finalFlow === flow ? 'unchanged' : finalFlow,
    megaflow: line('Megaflow'),
    actions: comparable(line('Datapath actions'), names),
  }
}

function comparable(actions: string, names: ReadonlyMap<string, string>): string {
  return (
    actions
      // An output is a number in Open vSwitch's datapath; it stands by itself, or behind a trunc().
      .replaceAll(/(?<=^|[,(])\d+(?=$|[,)])/g, (number, at) =>
        /trunc\($/.test(actions.slice(0, at)) ? number : (names.get(number) ?? number),
      )
      // What goes to a controller with a packet Open vSwitch tells too.
      .replaceAll(/userspace\((?:pid=0,)?controller\([^)]*\)\)/g, 'controller')
      // Why a packet is dropped only we tell.
      .replaceAll(/drop\([a-z-]+\)/g, 'drop')
      // With us the copy that is cut short is a branch of its own.
      .replaceAll(/clone\((trunc\(\d+\),\w+)\)/g, '$1')
      // With us a tag that stays gets another TCI.
      .replaceAll(/pop_vlan,push_vlan\((?:tpid=0x88a8,)?(vid=\d+,pcp=\d+)\)/g, 'set(vlan($1))')
      // Headers are written in other portions, and under masks or whole: the final flow says what they become.
      .replaceAll(/set\(\w+\([^()]*\)\)(?:,set\(\w+\([^()]*\)\))*/g, 'set')
      // Ports that a flood means are in no order that anybody has promised.
      .replaceAll(/\b(?:p\d|br0)(?:,(?:p\d|br0)\b)+/g, (run) => run.split(',').sort().join())
  )
}

/** Fields of which one megaflow depends on bits that the other does not. */
export interface Difference {
  readonly more: readonly string[]
  readonly less: readonly string[]
}

/** @param theirs Open vSwitch's megaflow, and ours, as traces print them */
export function megaflowDifference(theirs: string, ours: string): Difference {
  const [a, b] = [lookedAt(theirs), lookedAt(ours)]
  const beyond = (one: Map<string, bigint>, other: Map<string, bigint>): string[] =>
    [...one].filter(([field, mask]) => (mask & ~(other.get(field) ?? 0n)) !== 0n).map(([field]) => field)
  return { more: beyond(b, a), less: beyond(a, b) }
}

/** They stand for nw_proto. */
const PROTOCOLS = new Set(['tcp', 'udp', 'icmp', 'tcp6', 'udp6', 'icmp6', 'sctp', 'sctp6'])
/** What all megaflows tell. */
const IMPLIED = new Set(['recirc_id', 'eth', 'ip', 'ipv6', 'arp', 'mpls', 'dl_type', 'in_port'])
/** Parts of a TCI that have names of their own: the VID with the bit that there is a tag, and the priority. */
const TCI: Record<string, readonly [field: string, mask: bigint]> = {
  dl_vlan: ['vlan_tci', 0x1fffn],
  dl_vlan_pcp: ['vlan_tci', 0xe000n],
  dl_vlan1: ['vlan_tci1', 0x1fffn],
  dl_vlan_pcp1: ['vlan_tci1', 0xe000n],
}

/** What a megaflow says of each field: the bits looked at, -1 for all of them. */
function lookedAt(megaflow: string): Map<string, bigint> {
  const fields = new Map<string, bigint>()
  for (const part of megaflow.split(',')) {
    const [, name, mask] = /^(\w+)(?:=[^/]*(?:\/(.*))?)?$/.exec(part) ?? []
    const [field, whole] = TCI[name] ?? [name, name.startsWith('vlan_tci') ? 0xffffn : -1n]
    if (PROTOCOLS.has(name)) fields.set('nw_proto', -1n)
    else if (!IMPLIED.has(name)) {
      fields.set(field, (fields.get(field) ?? 0n) | (mask === undefined ? whole : bits(name, mask)))
    }
  }
  return fields
}

/** The bits of a mask. Those of addresses are counted from the first of 128, so that prefixes need no width. */
function bits(field: string, mask: string): bigint {
  // Types and codes are bytes, whatever is printed of the words they are kept in.
  if (field.startsWith('icmp')) return (BigInt(mask) & 0xffn) === 0xffn ? -1n : BigInt(mask) & 0xffn
  if (mask.startsWith('0x')) return BigInt(mask)
  if (/^\d+$/.test(mask)) return ((1n << BigInt(mask)) - 1n) << (128n - BigInt(mask))
  if (/^([0-9a-f]{2}:){5}/.test(mask)) return BigInt(`0x${mask.replaceAll(':', '')}`)
  const octets = mask.includes(':') ? [...parseIpv6(mask)!] : mask.split('.').map(Number)
  return octets.reduce((value, octet, i) => value | (BigInt(octet) << BigInt(120 - 8 * i)), 0n)
}
