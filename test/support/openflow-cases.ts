/**
 * Rules, groups and frames by chance, from pools small enough that frames meet rules and rules each other. What
 * Open vSwitch refuses to add is not made: fields stand behind their prerequisites, tables are left upwards.
 */
import type { Random } from '../../protocols/random.ts'
import type { RefAction, RefField, RefFlow, RefGroup, RefSubfield } from '../reference/openflow.ts'
import { RefPacket } from '../reference/openflow-packet.ts'
import { allOnes, BITS } from './openflow-text.ts'

export interface CaseOptions {
  readonly ports: number
  readonly tables: number
  /** Whether NORMAL may be among the actions. */
  readonly normal: boolean
  readonly groups: number
  /** Whether fragments other than the first may be of TCP, UDP and ICMP. Open vSwitch 3.1 spoils their payload. */
  readonly laterFragments?: boolean
}

const MACS = [
  0x020000000001n,
  0x020000000002n,
  0x020000000103n,
  0x020001000004n,
  0xffffffffffffn,
  0x01005e000001n,
]
const IPS = [0x0a000001n, 0x0a000002n, 0x0a000101n, 0x0a010001n, 0xc0a80001n, 0xe0000001n]
const IP6S = [1n, 2n, 0x10001n, 1n << 64n].map((low) => (0x20010db8n << 96n) + low)
const PORTS = [80n, 81n, 443n, 1024n, 0x8050n]
const SMALL = [0n, 1n, 2n, 5n]
const POOLS: Record<string, readonly bigint[]> = {
  metadata: [0n, 1n, 0x8000000000000001n, 0xff00n],
  vlan_tci: [0n, 0x1005n, 0x1006n, 0xb005n, 0x5005n],
  vlan_vid: [0n, 5n, 6n, 4095n],
  vlan_pcp: [0n, 3n, 7n],
  nw_ttl: [0n, 1n, 2n, 64n, 255n],
  ip_dscp: [0n, 10n, 46n],
  nw_ecn: [0n, 1n, 3n],
  ipv6_label: [0n, 1n, 0xfffffn],
  arp_op: [1n, 2n],
  tcp_flags: [0x002n, 0x012n, 0x010n, 0x001n],
  icmp_type: [0n, 8n, 3n],
  icmp_code: [0n, 1n],
}
const poolOf = (field: string): readonly bigint[] => {
  if (POOLS[field] !== undefined) return POOLS[field]
  const bits = BITS[field]
  return bits === 48
    ? MACS
    : bits === 128
      ? IP6S
      : field.startsWith('reg')
        ? SMALL
        : bits === 32
          ? IPS
          : PORTS
}
const UNMASKED = new Set(['nw_ttl', 'ip_dscp', 'nw_ecn', 'arp_op', 'icmp_type', 'icmp_code', 'vlan_pcp'])

/** What is not made for action sets, since it asks for a tag or for OpenFlow 1.0. */
const OLD = new Set(['mod_vlan_vid', 'mod_vlan_pcp', 'strip_vlan'])
/** What OpenFlow 1.0 has no form for. */
const MODERN = new Set(['push_vlan', 'group', 'write_actions', 'clear_actions', 'goto_table'])

interface Kind {
  readonly type: bigint
  readonly proto?: bigint
  readonly matched: readonly string[]
  readonly written: readonly string[]
}
const IP = ['nw_src', 'nw_dst', 'nw_ttl', 'ip_dscp', 'nw_ecn']
const IP6 = ['ipv6_src', 'ipv6_dst', 'ipv6_label', 'nw_ttl', 'ip_dscp', 'nw_ecn']
const TCP = ['tcp_src', 'tcp_dst']
const UDP = ['udp_src', 'udp_dst']
const ICMP = ['icmp_type', 'icmp_code']
const ARP = ['arp_op', 'arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha']
const KINDS: readonly Kind[] = [
  { type: 0x800n, matched: [...IP, 'nw_frag'], written: IP },
  { type: 0x800n, proto: 6n, matched: [...IP, ...TCP, 'tcp_flags'], written: [...IP, ...TCP] },
  { type: 0x800n, proto: 17n, matched: [...IP, ...UDP, 'nw_frag'], written: [...IP, ...UDP] },
  { type: 0x800n, proto: 1n, matched: [...IP, ...ICMP], written: [...IP, ...ICMP] },
  { type: 0x806n, matched: ARP, written: ARP },
  { type: 0x86ddn, matched: IP6, written: IP6 },
  { type: 0x86ddn, proto: 6n, matched: [...IP6, ...TCP, 'tcp_flags'], written: [...IP6, ...TCP] },
  { type: 0x86ddn, proto: 17n, matched: [...IP6, ...UDP], written: [...IP6, ...UDP] },
  { type: 0x88b5n, matched: [], written: [] },
]
const ALWAYS = ['reg0', 'reg1', 'reg2', 'metadata']
const ETHERNET = ['dl_src', 'dl_dst']

/** ovs-ofctl drops the mask when it writes a set_field as OpenFlow 1.0's set_dl_src. */
function wholeAddress(a: RefAction): RefAction {
  if (a.do === 'clone') return { ...a, actions: a.actions.map(wholeAddress) }
  return a.do === 'set' && ETHERNET.includes(a.field) ? { ...a, mask: allOnes(a.field) } : a
}

export class Cases {
  readonly #random: Random
  readonly #options: CaseOptions

  constructor(random: Random, options: CaseOptions) {
    this.#random = random
    this.#options = options
  }

  below(n: number): number {
    return this.#random() % n
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]
  }

  #mask(field: string): bigint {
    const full = allOnes(field)
    if (UNMASKED.has(field) || this.chance(50)) return full
    const bits = BITS[field]
    // ovs-ofctl takes an IPv6 mask that begins with a decimal digit for a prefix length.
    const least = bits === 128 ? 0xffffn << 112n : 0n
    if (this.chance(60)) return least | (full & ~((1n << BigInt(this.below(bits))) - 1n))
    return least | (full & ((BigInt(this.#random()) << 32n) | BigInt(this.#random()))) || full
  }

  #field(field: string): RefField {
    if (field === 'nw_frag') {
      const [value, mask] = this.pick([
        [0n, 3n],
        [1n, 1n],
        [1n, 3n],
        [3n, 3n],
        [0n, 2n],
      ] as const)
      return { field, value, mask }
    }
    const mask = this.#mask(field)
    return { field, value: this.pick(poolOf(field)) & mask, mask }
  }

  #kind(): Kind | undefined {
    return this.chance(30) ? undefined : this.pick(KINDS)
  }

  #match(kind: Kind | undefined): RefField[] {
    const match: RefField[] = []
    if (this.chance(50)) {
      match.push({ field: 'in_port', value: BigInt(1 + this.below(this.#options.ports)), mask: 0xffffn })
    }
    if (this.chance(25)) match.push(this.#vlanMatch())
    if (kind !== undefined) match.push({ field: 'dl_type', value: kind.type, mask: 0xffffn })
    if (kind?.proto !== undefined) match.push({ field: 'nw_proto', value: kind.proto, mask: 0xffn })
    const fields = [...ALWAYS, ...ETHERNET, ...(kind?.matched ?? []), ...(kind?.matched ?? [])]
    const chosen = new Set<string>()
    for (let n = this.below(3); n > 0; n--) chosen.add(this.pick(fields))
    for (const field of chosen) match.push(this.#field(field))
    return match
  }

  #vlanMatch(): RefField {
    if (this.chance(40))
      return { field: 'vlan_vid', value: 0x1000n | this.pick(POOLS.vlan_vid), mask: 0x1fffn }
    return this.#field('vlan_tci')
  }

  #sub(field: string, bits: number): RefSubfield {
    return { field, ofs: this.below(BITS[field] - bits + 1), bits }
  }

  #set(field: string): RefAction {
    return { do: 'set', ...this.#field(field) }
  }

  /** What needs no knowledge of where it stands. */
  #plain(kind: Kind | undefined, flat: boolean): RefAction {
    const fields = [...ALWAYS, ...ETHERNET, ...(kind?.written ?? [])]
    const roll = this.below(flat ? 60 : 100)
    const ip = kind?.type === 0x800n || kind?.type === 0x86ddn
    if (roll < 30) return this.#set(this.pick(fields))
    if (roll < 36) {
      const [from, to] = [this.pick(fields), this.pick(fields)]
      const bits = 1 + this.below(Math.min(BITS[from], BITS[to], 32))
      return { do: 'move', src: this.#sub(from, bits), dst: this.#sub(to, bits) }
    }
    if (roll < 44) return ip ? { do: 'dec_ttl' } : { do: 'push_vlan', tpid: 0x8100 }
    if (roll < 48) return { do: 'push_vlan', tpid: this.pick([0x8100, 0x88a8]) }
    if (roll < 54) return { do: 'mod_vlan_vid', value: Number(this.pick(POOLS.vlan_vid)) }
    if (roll < 57) return { do: 'mod_vlan_pcp', value: Number(this.pick(POOLS.vlan_pcp)) }
    if (roll < 60) return { do: 'strip_vlan' }
    if (roll < 64) {
      const field = this.pick(fields)
      return { do: this.pick(['push', 'pop'] as const), at: this.#sub(field, Math.min(8, BITS[field])) }
    }
    return this.#output()
  }

  #output(toGroups = true): RefAction {
    const { ports, groups, normal } = this.#options
    const roll = this.below(100)
    if (roll < 8) return { do: 'output', port: 'IN_PORT' }
    if (roll < 14) return { do: 'output', port: this.pick(['ALL', 'FLOOD'] as const) }
    if (roll < 20) return { do: 'output_reg', src: { field: 'reg0', ofs: 0, bits: 4 } }
    if (roll < 28 && normal) return { do: 'output', port: 'NORMAL' }
    if (roll < 38 && toGroups && groups > 0) return { do: 'group', group: 1 + this.below(groups) }
    return { do: 'output', port: 1 + this.below(ports) }
  }

  /** @param tagged the match is only met by packets with a tag, which strip_vlan asks for. */
  actions(table: number, kind: Kind | undefined, tagged: boolean, nxm: boolean): RefAction[] {
    // mod_vlan_vid pushes a tag if needed only in OpenFlow 1.0, so that such a rule has nothing that is newer.
    const old = nxm || this.chance(25)
    const made = this.#anyActions(table, kind)
    if (old) return made.filter((a) => !MODERN.has(a.do)).map(wholeAddress)
    let strip = tagged
    let pushed = false
    const actions: RefAction[] = []
    for (const a of made) {
      if (a.do === 'mod_vlan_vid' || a.do === 'mod_vlan_pcp') continue
      if ((a.do === 'strip_vlan' && !strip) || (a.do === 'push_vlan' && pushed)) continue
      if (a.do === 'strip_vlan' || a.do === 'push_vlan') strip = false
      if (a.do === 'write_actions' && (pushed || tagged)) {
        actions.push({ ...a, actions: a.actions.filter((nested) => nested.do !== 'push_vlan') })
      } else actions.push(a)
      if (a.do !== 'push_vlan') continue
      pushed = true
      actions.push({ do: 'set', field: 'vlan_vid', value: this.pick(POOLS.vlan_vid), mask: 0xfffn })
    }
    return actions
  }

  #anyActions(table: number, kind: Kind | undefined): RefAction[] {
    const actions: RefAction[] = []
    const higher = this.#options.tables - 1 - table
    for (let n = this.below(6); n > 0; n--) {
      if (higher > 0 && this.chance(12)) {
        const port = this.chance(20) ? 1 + this.below(this.#options.ports) : undefined
        actions.push({ do: 'resubmit', port, table: table + 1 + this.below(higher) })
      } else if (this.chance(4)) {
        actions.push({ do: 'clone', actions: [this.#set(this.pick(ETHERNET)), this.#output(false)] })
      } else actions.push(this.#plain(kind, false))
    }
    if (this.chance(3)) actions.push({ do: 'exit' })
    if (this.chance(5)) actions.push({ do: 'clear_actions' })
    if (this.chance(15)) actions.push({ do: 'write_actions', actions: this.#set3(kind) })
    if (this.chance(8)) {
      const { value, mask } = this.#field('metadata')
      actions.push({ do: 'write_metadata', value, mask })
    }
    if (higher > 0 && this.chance(30)) {
      actions.push({ do: 'goto_table', table: table + 1 + this.below(higher) })
    }
    return actions
  }

  /** For an action set or a bucket. */
  #set3(kind: Kind | undefined): RefAction[] {
    const actions: RefAction[] = []
    for (let n = this.below(3); n > 0; n--) {
      const action = this.#plain(kind, true)
      if (!OLD.has(action.do)) actions.push(action)
    }
    const output = this.#output()
    // An action set does not take it.
    if (output.do !== 'output_reg' && this.chance(85)) actions.push(output)
    return actions
  }

  flow(): RefFlow {
    const kind = this.#kind()
    const table = this.chance(50) ? 0 : this.below(this.#options.tables)
    const match = this.#match(kind)
    const tagged = match.some((f) => f.field.startsWith('vlan') && (f.value & f.mask & 0x1000n) !== 0n)
    const nxm = match.some((f) => f.field === 'vlan_tci')
    return { table, priority: 0, match, actions: this.actions(table, kind, tagged, nxm) }
  }

  group(): RefGroup {
    const type = this.pick(['all', 'indirect'] as const)
    const count = type === 'indirect' ? 1 : this.below(4)
    const buckets = Array.from({ length: count }, () =>
      // A group in a group is another test's business.
      this.#set3(undefined).filter((a) => a.do !== 'group'),
    )
    return { type, buckets }
  }

  frame(): Uint8Array {
    const bytes: number[] = []
    const put = (value: bigint, length: number) => {
      for (let i = length - 1; i >= 0; i--) bytes.push(Number((value >> BigInt(8 * i)) & 0xffn))
    }
    put(this.pick(MACS), 6)
    put(this.pick(MACS.slice(0, 4)), 6)
    const tags = this.pick([0, 0, 0, 1, 1, 2])
    for (let i = 0; i < tags; i++) {
      put(this.chance(75) ? 0x8100n : 0x88a8n, 2)
      put((this.pick(POOLS.vlan_pcp) << 13n) | this.pick(POOLS.vlan_vid), 2)
    }
    const kind = this.pick(KINDS)
    put(kind.type, 2)
    const proto = kind.proto ?? this.pick([1n, 6n, 17n, 89n])
    const l4 = kind.type === 0x86ddn && proto === 1n ? [0, 0, 0, 0, 0, 0, 0, 0] : this.#transport(proto)
    const tos = (this.pick(POOLS.ip_dscp) << 2n) | this.pick(POOLS.nw_ecn)
    if (kind.type === 0x800n) {
      const later = this.#options.laterFragments !== false || proto === 89n
      const frags = later ? [0n, 0n, 0n, 0x4000n, 0x2000n, 0x2003n, 5n] : [0n, 0n, 0x4000n, 0x2000n]
      const frag = kind.proto === 6n ? 0n : this.pick(frags)
      put(0x45n, 1)
      put(tos, 1)
      put(BigInt(20 + l4.length), 2)
      put(BigInt(this.#random() & 0xffff), 2)
      put(frag, 2)
      put(this.pick(POOLS.nw_ttl), 1)
      put(proto, 1)
      put(0n, 2)
      put(this.pick(IPS), 4)
      put(this.pick(IPS), 4)
      bytes.push(...l4)
    } else if (kind.type === 0x86ddn) {
      put((6n << 28n) | (tos << 20n) | this.pick(POOLS.ipv6_label), 4)
      put(BigInt(l4.length), 2)
      put(proto, 1)
      put(this.pick(POOLS.nw_ttl), 1)
      put(this.pick(IP6S), 16)
      put(this.pick(IP6S), 16)
      bytes.push(...l4)
    } else if (kind.type === 0x806n) {
      put(0x000108000604n, 6)
      put(this.pick(POOLS.arp_op), 2)
      put(this.pick(MACS), 6)
      put(this.pick(IPS), 4)
      put(this.pick(MACS), 6)
      put(this.pick(IPS), 4)
    } else bytes.push(1, 2, 3, 4)
    // The checksums of a header are written when one of its fields is.
    return new RefPacket(bytes, 0).fix().bytes
  }

  #transport(proto: bigint): number[] {
    const ports = [this.pick(PORTS), this.pick(PORTS)].flatMap((p) => [Number(p >> 8n), Number(p & 0xffn)])
    const data = Array.from({ length: this.below(9) }, () => this.below(256))
    if (proto === 6n) {
      const flags = Number(this.pick(POOLS.tcp_flags))
      return [...ports, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 4, 0, 0, 0, 0, 0, ...data]
    }
    if (proto === 17n) return [...ports, 0, 8 + data.length, 0, this.chance(80) ? 1 : 0, ...data]
    if (proto === 1n) {
      const [type, code] = [this.pick(POOLS.icmp_type), this.pick(POOLS.icmp_code)]
      return [Number(type), Number(code), 0, 0, 1, 2, 3, 4, ...data]
    }
    return [...ports, 1, 2, 3, 4, ...data]
  }
}
