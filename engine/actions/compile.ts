/**
 * Actions of the datapath as a program, for flows that somebody puts there by hand. A header is only rewritten where
 * the flow says that each of its packets has it, whole.
 */
import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  ETH_MPLS,
  ETH_MPLS_MULTICAST,
  FLAG_BAD_L3,
  FLAG_BAD_L4,
  FLAG_LATER,
  PT_ETHERNET,
  VLAN_PRESENT,
  W_NW,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'
import type { OdpAction } from '../../protocols/odp/action.ts'
import { isWholeField, type SetField } from '../../protocols/odp/set-fields.ts'
import {
  OP_CHECK_LEN,
  OP_OUTPUT,
  OP_POP_VLAN,
  OP_PUSH_VLAN,
  OP_RECIRC,
  OP_SET_ARP,
  OP_SET_ETH,
  OP_SET_ETH_DST,
  OP_SET_ETH_SRC,
  OP_SET_ICMP,
  OP_SET_IPV6_DST,
  OP_SET_IPV6_LABEL,
  OP_SET_IPV6_SRC,
  OP_SET_IPV6_TCLASS,
  OP_SET_MPLS,
  OP_SET_NW_DST,
  OP_SET_NW_SRC,
  OP_SET_NW_TOS,
  OP_SET_NW_TTL,
  OP_SET_TP_DST,
  OP_SET_TP_SRC,
  OP_SET_VLAN,
  OP_TRUNC,
} from './ops.ts'
import type { ProgramBuilder } from './program-builder.ts'

type Words = Uint32Array

/** Why a list cannot be carried out. */
class Unfit extends Error {}

/** Headers that all packets of a flow have. */
interface Headers {
  readonly type: number
  /** -1 where it is not known, or the transport header may be missing. */
  readonly proto: number
  tags: number
}

/** As `set` of `program`; ends it. @returns why that cannot be done, or undefined */
export function compileActions(
  actions: readonly OdpAction[],
  value: Words,
  mask: Words,
  program: ProgramBuilder,
): string | undefined {
  program.reset()
  try {
    compileList(actions, headersOf(value, mask), program)
  } catch (error) {
    if (error instanceof Unfit) return error.message
    throw error
  }
  program.end()
  return program.overflow ? 'too many actions' : undefined
}

function headersOf(value: Words, mask: Words): Headers {
  const known = (at: number, bits: number) => (mask[at] & bits) >>> 0 === bits >>> 0
  const whole = (flag: number) => known(W_TYPE, flag) && (value[W_TYPE] & flag) === 0
  const type = known(W_TYPE, 0xffff_0000) && whole(FLAG_BAD_L3) ? value[W_TYPE] >>> 16 : -1
  const transport = known(W_NW, 0xff00_0000) && whole(FLAG_LATER | FLAG_BAD_L4)
  const tag = (bit: number) => (value[W_VLAN] & mask[W_VLAN] & bit) !== 0
  const tags = tag(VLAN_PRESENT << 16) ? (tag(VLAN_PRESENT) ? 2 : 1) : 0
  return { type, proto: transport ? value[W_NW] >>> 24 : -1, tags }
}

function compileList(actions: readonly OdpAction[], headers: Headers, program: ProgramBuilder): void {
  for (let i = 0; i < actions.length; i++) {
    const action = actions[i]
    if (action.type !== 'trunc') {
      compileOne(action, headers, program)
      continue
    }
    // It holds for the output that follows.
    const output = actions[++i]
    if (output?.type !== 'output') throw new Unfit('trunc is followed by an output')
    const mark = program.beginClone()
    program.op1(OP_TRUNC, action.length)
    program.op1(OP_OUTPUT, output.port)
    program.endClone(mark)
  }
}

function compileOne(action: OdpAction, headers: Headers, program: ProgramBuilder): void {
  switch (action.type) {
    case 'output':
      program.op1(OP_OUTPUT, action.port)
      return
    case 'push_vlan':
      if (headers.tags === 2) throw new Unfit('there are two tags')
      headers.tags++
      program.op2(OP_PUSH_VLAN, action.tpid, action.tci & ~VLAN_PRESENT)
      return
    case 'pop_vlan':
      if (headers.tags === 0) throw new Unfit('there is no tag')
      headers.tags--
      program.op(OP_POP_VLAN)
      return
    case 'set':
      compileSet(action.attribute, action.fields, headers, program)
      return
    case 'ct_clear':
      // A packet carries no state of its connection.
      return
    case 'clone': {
      const mark = program.beginClone()
      compileList(action.actions, { ...headers }, program)
      program.endClone(mark)
      return
    }
    case 'check_pkt_len': {
      const mark = program.beginBranches(OP_CHECK_LEN, action.size)
      compileList(action.greater, { ...headers }, program)
      program.endBranch(mark, true)
      compileList(action.other, { ...headers }, program)
      program.endBranch(mark, false)
      return
    }
    case 'recirc': {
      // It ends a program: a copy is what goes round.
      const mark = program.beginClone()
      program.op2(OP_RECIRC, action.id, PT_ETHERNET)
      program.endClone(mark)
      return
    }
    default:
      throw new Unfit(`${action.type} is not supported`)
  }
}

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132, icmp: 1, icmpv6: 58 }

function compileSet(
  attribute: string,
  fields: readonly SetField[],
  headers: Headers,
  program: ProgramBuilder,
): void {
  if (!fields.every((field) => isWholeField(attribute, field))) throw new Unfit('masks are not supported')
  const at = new Map(fields.map(({ name, value }) => [name, value]))
  const number = (name: string): number => Number(at.get(name))
  /** All of them at once, or none. */
  const all = (...names: string[]): void => {
    if (names.some((name) => !at.has(name))) throw new Unfit(`${attribute}: ${names} are set together`)
  }
  const needs = (holds: boolean): void => {
    if (!holds) throw new Unfit(`packets need not be ${attribute}`)
  }
  const one = (name: string, op: number): void => {
    if (at.has(name)) program.op1(op, number(name) | 0)
  }
  const only = (...names: string[]): void => {
    for (const name of at.keys())
      if (!names.includes(name)) throw new Unfit(`${attribute}: ${name} is not set`)
  }
  switch (attribute) {
    case 'eth':
      if (at.has('dst') && at.has('src')) {
        const middle = low(number('dst')) | upper(number('src'))
        program.op3(OP_SET_ETH, high(number('dst')), middle, number('src') | 0)
      } else if (at.has('dst')) program.op2(OP_SET_ETH_DST, high(number('dst')), low(number('dst')))
      else program.op2(OP_SET_ETH_SRC, upper(number('src')), number('src') | 0)
      return
    case 'vlan':
      needs(headers.tags > 0)
      all('vid', 'pcp')
      program.op1(OP_SET_VLAN, (number('pcp') << 13) | number('vid'))
      return
    case 'ipv4':
      needs(headers.type === ETH_IPV4)
      only('src', 'dst', 'tos', 'ttl')
      one('src', OP_SET_NW_SRC)
      one('dst', OP_SET_NW_DST)
      one('tos', OP_SET_NW_TOS)
      one('ttl', OP_SET_NW_TTL)
      return
    case 'ipv6':
      needs(headers.type === ETH_IPV6)
      only('src', 'dst', 'label', 'tclass', 'hlimit')
      if (at.has('src')) program.words(OP_SET_IPV6_SRC, wordsOf(at.get('src')!), 0, 4)
      if (at.has('dst')) program.words(OP_SET_IPV6_DST, wordsOf(at.get('dst')!), 0, 4)
      one('label', OP_SET_IPV6_LABEL)
      one('tclass', OP_SET_IPV6_TCLASS)
      one('hlimit', OP_SET_NW_TTL)
      return
    case 'tcp':
    case 'udp':
    case 'sctp':
      needs(isIp(headers) && headers.proto === PROTOCOLS[attribute])
      one('src', OP_SET_TP_SRC)
      one('dst', OP_SET_TP_DST)
      return
    case 'icmp':
    case 'icmpv6':
      needs(isIp(headers) && headers.proto === PROTOCOLS[attribute])
      all('type', 'code')
      program.op1(OP_SET_ICMP, (number('type') << 8) | number('code'))
      return
    case 'arp':
      needs(headers.type === ETH_ARP)
      only('sip', 'tip', 'op')
      all('sip', 'tip', 'op')
      program.op3(OP_SET_ARP, number('op'), number('sip') | 0, number('tip') | 0)
      return
    case 'mpls':
      needs(headers.type === ETH_MPLS || headers.type === ETH_MPLS_MULTICAST)
      all('label', 'tc', 'ttl', 'bos')
      program.op1(
        OP_SET_MPLS,
        (number('label') << 12) | (number('tc') << 9) | (number('bos') << 8) | number('ttl'),
      )
      return
    default:
      throw new Unfit(`${attribute} is not set`)
  }
}

const isIp = ({ type }: Headers): boolean => type === ETH_IPV4 || type === ETH_IPV6

/** A MAC address as the words of a key hold it: first in the upper half, or second in the lower. */
const high = (mac: number): number => Math.floor(mac / 0x1_0000) | 0
const low = (mac: number): number => (mac % 0x1_0000) << 16
const upper = (mac: number): number => Math.floor(mac / 0x1_0000_0000)

function wordsOf(value: bigint): Uint32Array {
  return Uint32Array.from([96n, 64n, 32n, 0n], (shift) => Number((value >> shift) & 0xffff_ffffn))
}
