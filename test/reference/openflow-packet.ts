/**
 * A packet as the OpenFlow reference sees it: bytes, and fields that are looked for in the bytes anew each time
 * they are asked for. Written from ovs-fields(7); a field whose prerequisites the packet does not meet is not
 * there (undefined). Checksums are computed from nothing after each change.
 */

type Bytes = number[]

export function number(b: ArrayLike<number>, at: number, length: number): bigint {
  let v = 0n
  for (let i = 0; i < length; i++) v = v * 256n + BigInt(b[at + i])
  return v
}

function put(b: Bytes, at: number, length: number, value: bigint): void {
  for (let i = length - 1; i >= 0; i--) {
    b[at + i] = Number(value % 256n)
    value /= 256n
  }
}

interface Layers {
  /** Where each VLAN tag's TPID stands. */
  readonly tags: number[]
  readonly type: number
  readonly l3: number
  /** 'ip', 'ip6', 'arp' or '' when there is none or it is damaged. */
  readonly network: string
  readonly proto: number
  /** 0, 1 first fragment, 3 later fragment. */
  readonly frag: number
  /** 0 when there is no readable transport header. */
  readonly l4: number
  readonly l4Length: number
}

function layers(b: Bytes): Layers {
  const tags: number[] = []
  let at = 12
  const two = (o: number) => b[o] * 256 + b[o + 1]
  while (tags.length < 2 && (two(at) === 0x8100 || two(at) === 0x88a8)) {
    tags.push(at)
    at += 4
  }
  const type = two(at)
  const l3 = at + 2
  const none = { tags, type, l3, network: '', proto: 0, frag: 0, l4: 0, l4Length: 0 }
  if (type === 0x0806) return b.length >= l3 + 28 ? { ...none, network: 'arp' } : none
  if (type === 0x0800) {
    if (b.length < l3 + 20 || b[l3] !== 0x45) return none
    const length = two(l3 + 2)
    if (length < 20 || l3 + length > b.length) return none
    const proto = b[l3 + 9]
    const word = two(l3 + 6)
    const frag = word % 0x2000 !== 0 ? 3 : (word & 0x2000) !== 0 ? 1 : 0
    const l4 = frag === 3 ? 0 : transport(proto, l3 + 20, length - 20)
    return { ...none, network: 'ip', proto, frag, l4, l4Length: length - 20 }
  }
  if (type === 0x86dd) {
    if (b.length < l3 + 40) return none
    const length = two(l3 + 4)
    if (l3 + 40 + length > b.length) return none
    const proto = b[l3 + 6]
    return { ...none, network: 'ip6', proto, l4: transport(proto, l3 + 40, length), l4Length: length }
  }
  return none
}

function transport(proto: number, at: number, length: number): number {
  const least = proto === 6 ? 20 : proto === 17 || proto === 1 || proto === 58 ? 8 : Number.POSITIVE_INFINITY
  return length >= least ? at : 0
}

/** The Internet checksum of bytes. */
function checksum(bytes: Bytes): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i] * 256 + (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000)
  return 0xffff - sum
}

const CHECKSUM_AT: Record<number, number> = { 1: 2, 6: 16, 17: 6, 58: 2 }

const words = (values: number[]): Bytes => values.flatMap((v) => [v >> 8, v & 0xff])

/** The checksum of the transport part with its pseudo-header; the checksum itself is at `at`. */
function transportSum(bytes: Bytes, at: number): number {
  const b = bytes.slice()
  put(b, at, 2, 0n)
  const l = layers(b)
  const addresses = l.network === 'ip' ? b.slice(l.l3 + 12, l.l3 + 20) : b.slice(l.l3 + 8, l.l3 + 40)
  const pseudo = l.proto === 1 ? [] : [...addresses, ...words([l.proto, l.l4Length])]
  return checksum([...pseudo, ...b.slice(l.l4, l.l4 + l.l4Length)])
}

/** Where a header field lies: offset, length in bytes, then bits from the least significant one. */
interface Place {
  readonly at: number
  readonly length: number
  readonly shift: bigint
  readonly width: bigint
}

const whole = (at: number, length: number): Place => ({ at, length, shift: 0n, width: BigInt(length * 8) })

const PORTS: Record<string, number> = { tcp: 6, udp: 17 }

/** The place of a field in these bytes, or undefined where the packet has no such field. */
function place(b: Bytes, name: string): Place | undefined {
  const l = layers(b)
  const ip = l.network === 'ip'
  const ip6 = l.network === 'ip6'
  const arp = l.network === 'arp'
  switch (name) {
    case 'dl_dst':
      return whole(0, 6)
    case 'dl_src':
      return whole(6, 6)
    case 'dl_type':
      return whole(l.l3 - 2, 2)
    case 'nw_src':
    case 'nw_dst':
      return ip ? whole(l.l3 + (name === 'nw_src' ? 12 : 16), 4) : undefined
    case 'nw_proto':
      return ip ? whole(l.l3 + 9, 1) : ip6 ? whole(l.l3 + 6, 1) : undefined
    case 'nw_ttl':
      return ip ? whole(l.l3 + 8, 1) : ip6 ? whole(l.l3 + 7, 1) : undefined
    case 'ip_dscp':
    case 'nw_ecn': {
      const [shift, width] = name === 'ip_dscp' ? [2n, 6n] : [0n, 2n]
      if (ip) return { at: l.l3 + 1, length: 1, shift, width }
      return ip6 ? { at: l.l3, length: 2, shift: shift + 4n, width } : undefined
    }
    case 'ipv6_src':
    case 'ipv6_dst':
      return ip6 ? whole(l.l3 + (name === 'ipv6_src' ? 8 : 24), 16) : undefined
    case 'ipv6_label':
      return ip6 ? { at: l.l3, length: 4, shift: 0n, width: 20n } : undefined
    case 'arp_op':
      return arp ? whole(l.l3 + 6, 2) : undefined
    case 'arp_sha':
      return arp ? whole(l.l3 + 8, 6) : undefined
    case 'arp_spa':
      return arp ? whole(l.l3 + 14, 4) : undefined
    case 'arp_tha':
      return arp ? whole(l.l3 + 18, 6) : undefined
    case 'arp_tpa':
      return arp ? whole(l.l3 + 24, 4) : undefined
    case 'icmp_type':
    case 'icmp_code':
      return l.l4 > 0 && l.proto === 1 ? whole(l.l4 + (name === 'icmp_type' ? 0 : 1), 1) : undefined
    case 'tcp_flags':
      return l.l4 > 0 && l.proto === 6 ? { at: l.l4 + 12, length: 2, shift: 0n, width: 12n } : undefined
    case 'tcp_src':
    case 'tcp_dst':
    case 'udp_src':
    case 'udp_dst': {
      const [protocol, end] = name.split('_')
      if (l.l4 === 0 || l.proto !== PORTS[protocol]) return undefined
      return whole(l.l4 + (end === 'src' ? 0 : 2), 2)
    }
  }
  return undefined
}

/** Thrown where the manual leaves open what is to happen. */
export class Unspecified extends Error {}

export class RefPacket {
  #b: Bytes
  readonly inPort: number
  #more = new Map<string, bigint>()

  constructor(frame: ArrayLike<number>, inPort: number) {
    this.#b = Array.from(frame)
    this.inPort = inPort
  }

  copy(): RefPacket {
    const copy = new RefPacket(this.#b, this.inPort)
    copy.#more = new Map(this.#more)
    return copy
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#b)
  }

  /** The value of a field, or undefined where the packet has none. */
  get(name: string): bigint | undefined {
    if (name === 'in_port') return BigInt(this.inPort)
    if (name === 'metadata' || name.startsWith('reg')) return this.#more.get(name) ?? 0n
    if (name === 'nw_frag') return this.#fragment()
    if (name === 'vlan_tci' || name === 'vlan_vid' || name === 'vlan_pcp') return this.#tag(name)
    const p = place(this.#b, name)
    if (p === undefined) return undefined
    return (number(this.#b, p.at, p.length) >> p.shift) & ((1n << p.width) - 1n)
  }

  #fragment(): bigint | undefined {
    const l = layers(this.#b)
    return l.network === 'ip' || l.network === 'ip6' ? BigInt(l.frag) : undefined
  }

  /** vlan_tci is 0 without a tag and has 0x1000 with one; vlan_vid likewise; vlan_pcp needs a tag. */
  #tag(name: string): bigint | undefined {
    const [at] = layers(this.#b).tags
    if (at === undefined) return name === 'vlan_pcp' ? undefined : 0n
    const tci = number(this.#b, at + 2, 2)
    if (name === 'vlan_pcp') return tci >> 13n
    return name === 'vlan_vid' ? (tci & 0xfffn) | 0x1000n : tci | 0x1000n
  }

  /** As a match sees it: without transport fields in fragments (fragment handling mode "normal"), absent as 0. */
  seen(name: string): bigint {
    const hidden = /^(tcp|udp)_(src|dst)$|^icmp_/.test(name) && layers(this.#b).frag !== 0
    return hidden ? 0n : (this.get(name) ?? 0n)
  }

  /** Sets the bits of `mask`; nothing happens to a field that is not there. */
  set(name: string, value: bigint, mask: bigint): void {
    const old = this.get(name)
    if (old === undefined) return
    const now = (old & ~mask) | (value & mask)
    if (name === 'metadata' || name.startsWith('reg')) {
      this.#more.set(name, now)
      return
    }
    if (name === 'vlan_vid' || name === 'vlan_pcp') {
      const [at] = layers(this.#b).tags
      if (at === undefined) return
      const tci = number(this.#b, at + 2, 2)
      const changed = name === 'vlan_vid' ? (tci & 0xf000n) | (now & 0xfffn) : (tci & 0x1fffn) | (now << 13n)
      put(this.#b, at + 2, 2, changed)
      return
    }
    const before = this.#b.slice()
    const p = place(this.#b, name)!
    const rest = number(this.#b, p.at, p.length) & ~(((1n << p.width) - 1n) << p.shift)
    put(this.#b, p.at, p.length, rest | (now << p.shift))
    this.#checksums(before)
  }

  /** A third tag is beyond what ovs-actions(7) says anything about. */
  pushVlan(tpid: number): void {
    if (layers(this.#b).tags.length === 2) throw new Unspecified('three VLAN tags')
    this.#b.splice(12, 0, tpid >> 8, tpid & 0xff, 0, 0)
  }

  popVlan(): void {
    if (layers(this.#b).tags.length > 0) this.#b.splice(12, 4)
  }

  get tagged(): boolean {
    return layers(this.#b).tags.length > 0
  }

  #checksums(before: Bytes): void {
    const b = this.#b
    const l = layers(b)
    if (l.network === 'ip') {
      put(b, l.l3 + 10, 2, 0n)
      put(b, l.l3 + 10, 2, BigInt(checksum(b.slice(l.l3, l.l3 + 20))))
    }
    const at = l.l4 + (CHECKSUM_AT[l.proto] ?? 0)
    if (l.l4 === 0 || at === l.l4) return
    const old = Number(number(b, at, 2))
    if (l.proto === 17 && old === 0) return
    let sum = transportSum(b, at)
    // A first fragment does not hold all that its checksum is about, but what it holds has changed by so much.
    if (l.frag !== 0) sum = checksum(words([0xffff - old, 0xffff - sum, transportSum(before, at)]))
    put(b, at, 2, BigInt(sum === 0 && l.proto === 17 ? 0xffff : sum))
  }

  /** Gives a freshly made frame the checksums it must have. */
  fix(): this {
    this.#checksums(this.#b)
    return this
  }
}
