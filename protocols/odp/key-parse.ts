/** Reads flows of the datapath in the words of ovs-dpctl(8): what odp/key-format.ts writes, and what people do. */
import {
  FLAG_FRAG,
  FLAG_LATER,
  FLAG_OUTER_AD,
  FLOW_WORDS,
  KEY_MPLS,
  VLAN_PRESENT,
  W_CT_MARK,
  W_CT_STATE,
  W_CT_ZONE,
  W_DP_HASH,
  W_IN_PORT,
  W_IPV6_DST,
  W_IPV6_LABEL,
  W_IPV6_SRC,
  W_L4,
  W_MPLS,
  W_ND_TARGET,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_PACKET_TYPE,
  W_PKT_MARK,
  W_RECIRC,
  W_SKB_PRIORITY,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../flow-key.ts'
import { parseIpv6 } from '../openflow/text/address.ts'
import { CT_STATES, type FlagNames, parseFlags, TCP_FLAGS } from '../openflow/text/flags.ts'
import { FlowSyntaxError, keyValues, parseBig } from '../openflow/text/scan.ts'
import { parseMac } from '../wire/ethernet.ts'
import { parseIpv4 } from '../wire/ipv4.ts'
import { setAddressAt, setArpSha, setArpTha, setEthDst, setEthSrc, setNdSll, setNdTll } from './key-words.ts'

type Words = Uint32Array

class Wrong extends Error {}

const wrong = (): never => {
  throw new Wrong()
}

/** Which of the two in `value/mask` is read; without a mask all bits count. */
type Part = 'value' | 'mask'

/** Members of attributes: what each sets in the words. */
type Members = Readonly<Record<string, (w: Words, text: string, part: Part) => void>>

function partOf<T>(text: string, part: Part, parse: (text: string) => T | undefined, whole: T): T {
  const [value, mask] = text.split('/')
  if (part === 'value') return parse(value) ?? wrong()
  return mask === undefined ? whole : (parse(mask) ?? wrong())
}

const number = (text: string, part: Part, bits = 32): number => {
  const whole = (1n << BigInt(bits)) - 1n
  const v = partOf(text, part, parseBig, whole)
  return v > whole ? wrong() : Number(v)
}
const mac = (text: string, part: Part): number => partOf(text, part, parseMac, 0xffff_ffff_ffff)
const ip = (text: string, part: Part): number => partOf(text, part, parseIpv4, 0xffff_ffff)
const ipv6 = (text: string, part: Part): Uint8Array =>
  partOf(text, part, parseIpv6, new Uint8Array(16).fill(0xff))

/** Sets some bits of a word. */
const bitsOf =
  (at: number, shift: number, bits: number) =>
  (w: Words, text: string, part: Part): void => {
    const mask = bits === 32 ? 0xffff_ffff : ((1 << bits) - 1) << shift
    w[at] = ((w[at] & ~mask) | (number(text, part, bits) << shift)) >>> 0
  }

function frag(w: Words, text: string, part: Part): void {
  const flags = { no: 0, first: FLAG_FRAG, later: FLAG_FRAG | FLAG_LATER }[text.split('/')[0]] ?? wrong()
  w[W_TYPE] |= part === 'value' ? flags : FLAG_FRAG | FLAG_LATER
}

const ETH: Members = { src: (w, t, p) => setEthSrc(w, mac(t, p)), dst: (w, t, p) => setEthDst(w, mac(t, p)) }
const VLAN: Members = {
  vid: bitsOf(W_VLAN, 16, 12),
  pcp: bitsOf(W_VLAN, 29, 3),
  tci: bitsOf(W_VLAN, 16, 16),
  cfi: (w, t, p) => {
    if (number(t, p, 1) === 0) w[W_VLAN] = (w[W_VLAN] & ~(VLAN_PRESENT << 16)) >>> 0
  },
}
const IPV4: Members = {
  src: (w, t, p) => {
    w[W_NW_SRC] = ip(t, p)
  },
  dst: (w, t, p) => {
    w[W_NW_DST] = ip(t, p)
  },
  proto: bitsOf(W_NW, 24, 8),
  tos: bitsOf(W_NW, 16, 8),
  ttl: bitsOf(W_NW, 8, 8),
  frag,
}
const IPV6: Members = {
  src: (w, t, p) => setAddressAt(w, W_IPV6_SRC, ipv6(t, p)),
  dst: (w, t, p) => setAddressAt(w, W_IPV6_DST, ipv6(t, p)),
  label: bitsOf(W_IPV6_LABEL, 0, 20),
  proto: bitsOf(W_NW, 24, 8),
  tclass: bitsOf(W_NW, 16, 8),
  hlimit: bitsOf(W_NW, 8, 8),
  frag,
}
const PORTS: Members = { src: bitsOf(W_TP, 16, 16), dst: bitsOf(W_TP, 0, 16) }
const ICMP: Members = { type: bitsOf(W_TP, 16, 8), code: bitsOf(W_TP, 0, 8) }
const ARP: Members = {
  sip: IPV4.src,
  tip: IPV4.dst,
  op: bitsOf(W_NW, 24, 8),
  sha: (w, t, p) => setArpSha(w, mac(t, p)),
  tha: (w, t, p) => setArpTha(w, mac(t, p)),
}
const ND: Members = {
  target: (w, t, p) => setAddressAt(w, W_ND_TARGET, ipv6(t, p)),
  sll: (w, t, p) => setNdSll(w, mac(t, p)),
  tll: (w, t, p) => setNdTll(w, mac(t, p)),
}
/** Entries follow each other, each beginning with its label. */
function mpls(w: Words, text: string, part: Part): void {
  let at = W_MPLS - 1
  for (const [name, value] of keyValues(text)) {
    if (name === 'label' && ++at === KEY_MPLS) wrong()
    const [shift, bits] = MPLS[name] ?? wrong()
    bitsOf(Math.max(at, W_MPLS), shift, bits)(w, value, part)
  }
}

const MPLS: Readonly<Record<string, readonly [shift: number, bits: number]>> = {
  label: [12, 20],
  tc: [9, 3],
  ttl: [0, 8],
  bos: [8, 1],
}
const PACKET_TYPE: Members = { ns: bitsOf(W_PACKET_TYPE, 16, 16), id: bitsOf(W_PACKET_TYPE, 0, 16) }

const members =
  (of: Members) =>
  (w: Words, text: string, part: Part): void => {
    for (const [name, value] of keyValues(text)) (of[name] ?? wrong())(w, value, part)
  }

/** Flags say by themselves which of them count. */
const flagsOf = (names: FlagNames, text: string, allowed: number, what: string, part: Part): number => {
  const { flags, mask } = parseFlags(names, text, allowed, what)
  return part === 'value' ? flags : mask & allowed
}

/** Attributes in parentheses, by name. */
const ATTRIBUTES: Readonly<Record<string, (w: Words, text: string, part: Part, ports: PortNumbers) => void>> =
  {
    skb_priority: bitsOf(W_SKB_PRIORITY, 0, 32),
    skb_mark: bitsOf(W_PKT_MARK, 0, 32),
    ct_state: (w, t, p) => {
      w[W_CT_STATE] = flagsOf(CT_STATES, t, 0xff, 'ct_state', p)
    },
    ct_zone: bitsOf(W_CT_ZONE, 0, 16),
    ct_mark: bitsOf(W_CT_MARK, 0, 32),
    recirc_id: bitsOf(W_RECIRC, 0, 32),
    dp_hash: bitsOf(W_DP_HASH, 0, 32),
    in_port: (w, t, p, ports) => {
      const named = ports(t.split('/')[0])
      w[W_IN_PORT] = named === undefined ? number(t, p) : p === 'value' ? named : 0xffff_ffff
    },
    packet_type: members(PACKET_TYPE),
    eth: members(ETH),
    eth_type: bitsOf(W_TYPE, 16, 16),
    vlan: (w, t, p) => {
      w[W_VLAN] |= VLAN_PRESENT << 16
      members(VLAN)(w, t, p)
    },
    ipv4: members(IPV4),
    ipv6: members(IPV6),
    tcp: members(PORTS),
    udp: members(PORTS),
    sctp: members(PORTS),
    tcp_flags: (w, t, p) => {
      w[W_L4] = ((w[W_L4] & 0xffff) | (flagsOf(TCP_FLAGS, t, 0xfff, 'TCP', p) << 16)) >>> 0
    },
    icmp: members(ICMP),
    icmpv6: members(ICMP),
    arp: members(ARP),
    nd: members(ND),
    mpls,
  }

/** The number of a port that is given by name. */
export type PortNumbers = (name: string) => number | undefined

/** `name(…)` one after the other; the text between the parentheses, which may hold more of them. */
function* attributes(text: string): Generator<readonly [name: string, inside: string, at: number]> {
  let at = 0
  while (at < text.length) {
    at += /^[\s,]*/.exec(text.slice(at))![0].length
    if (at === text.length) return
    const open = text.indexOf('(', at)
    if (open < 0) throw new FlowSyntaxError(`syntax error at ${text.slice(at)}`)
    let level = 1
    let end = open + 1
    for (; end < text.length && level > 0; end++) level += text[end] === '(' ? 1 : text[end] === ')' ? -1 : 0
    if (level > 0) throw new FlowSyntaxError(`syntax error at ${text.slice(at)}`)
    yield [text.slice(at, open), text.slice(open + 1, end - 1), at]
    at = end
  }
}

function readInto(w: Words, text: string, part: Part, ports: PortNumbers): void {
  for (const [name, inside, at] of attributes(text)) {
    if (name === 'encap') {
      // What the frame said before its tag was the tag's own type.
      if (part === 'mask' || w[W_TYPE] >>> 16 === 0x88a8) w[W_TYPE] |= FLAG_OUTER_AD
      w[W_TYPE] &= 0xffff
      readInto(w, inside, part, ports)
      continue
    }
    const read = ATTRIBUTES[name]
    try {
      if (read === undefined) wrong()
      read(w, inside, part, ports)
    } catch (error) {
      if (!(error instanceof Wrong || error instanceof FlowSyntaxError)) throw error
      throw new FlowSyntaxError(`syntax error at ${text.slice(at)}`)
    }
  }
}

/**
 * The flow words that a text speaks of; masks are read over.
 * @throws FlowSyntaxError `syntax error at …`
 */
export function parseOdpKey(text: string, ports: PortNumbers = () => undefined): Words {
  const words = new Uint32Array(FLOW_WORDS)
  readInto(words, text, 'value', ports)
  return words
}

/**
 * The same with the bits that count. Without a tag's attribute there is no tag.
 * @throws FlowSyntaxError
 */
export function parseOdpMatch(text: string, ports: PortNumbers): { value: Words; mask: Words } {
  const mask = new Uint32Array(FLOW_WORDS)
  readInto(mask, text, 'mask', ports)
  mask[W_VLAN] |= VLAN_PRESENT << 16
  mask[W_RECIRC] = 0xffff_ffff
  const value = parseOdpKey(text, ports).map((word, i) => (word & mask[i]) >>> 0)
  return { value, mask }
}
