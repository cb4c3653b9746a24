/** Matches from text, in all forms of ovs-ofctl(8). */

import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  KEY_WORDS,
  W_ARP_SHA,
  W_NW,
  W_PACKET_TYPE,
  W_TYPE,
} from '../../flow-key.ts'
import { fieldByName, type MetaFlowField } from '../../meta-flow.ts'
import { emptyMatch, type Match, setMatchBits } from '../match.ts'
import { getMatchField, isOnes, setDefaultPacketType, setMatchField } from '../match-field.ts'
import { ETH_MPLS, ETH_MPLS_MCAST, ETH_NSH, ETH_RARP, flowEthType, isArp, isMpls } from '../prerequisites.ts'
import { bigOf, putBits, significant, trimZeros } from '../subfield.ts'
import { type MaskedValue, parseFieldValue } from './field-value.ts'
import type { NameMaps } from './names.ts'
import { FlowSyntaxError, keyValues, parseIntBytes, syntaxError } from './scan.ts'
import { parseSubfield } from './subfield-text.ts'

const PROTOCOLS: Readonly<Record<string, readonly [ethType: number, protocol: number]>> = {
  ip: [ETH_IPV4, 0],
  ipv4: [ETH_IPV4, 0],
  ip4: [ETH_IPV4, 0],
  arp: [ETH_ARP, 0],
  icmp: [ETH_IPV4, 1],
  tcp: [ETH_IPV4, 6],
  udp: [ETH_IPV4, 17],
  sctp: [ETH_IPV4, 132],
  ipv6: [ETH_IPV6, 0],
  ip6: [ETH_IPV6, 0],
  icmp6: [ETH_IPV6, 58],
  tcp6: [ETH_IPV6, 6],
  udp6: [ETH_IPV6, 17],
  sctp6: [ETH_IPV6, 132],
  rarp: [ETH_RARP, 0],
  mpls: [ETH_MPLS, 0],
  mplsm: [ETH_MPLS_MCAST, 0],
}

/** A field's value for later: fields of ARP, IPv6, MPLS and NSH share bits, so that the type must be known first. */
interface Pending {
  field: MetaFlowField
  value: MaskedValue
}

function isShared(field: MetaFlowField): boolean {
  return field.at >= 32 * W_ARP_SHA && field.at < 32 * KEY_WORDS
}

function belongs(field: MetaFlowField, ethType: number): boolean {
  switch (field.prerequisite) {
    case 'arp':
      return isArp(ethType)
    case 'mpls':
      return isMpls(ethType)
    case 'nsh':
      return ethType === ETH_NSH
    default:
      return ethType === ETH_IPV6
  }
}

/** Builds a match from one key and value after the other. */
export class MatchParser {
  private readonly match = emptyMatch()
  private readonly pending: Pending[] = []
  private readonly names: NameMaps | undefined

  constructor(names?: NameMaps) {
    this.names = names
  }

  /** Whether `key` is of a match; throws FlowSyntaxError if its value is none. */
  take(key: string, value: string): boolean {
    const protocol = Object.hasOwn(PROTOCOLS, key) ? PROTOCOLS[key] : undefined
    const { match } = this
    if (protocol !== undefined) {
      setMatchBits(match, W_TYPE, protocol[0] << 16, 0xffff_0000)
      if (protocol[1] !== 0) setMatchBits(match, W_NW, protocol[1] << 24, 0xff00_0000)
      setDefaultPacketType(match)
      return true
    }
    if (key === 'eth') {
      setMatchBits(match, W_PACKET_TYPE, 0, 0xffff_ffff)
      return true
    }
    const field = fieldByName(key)
    if (field !== undefined) this.field(field, value)
    else if (key.includes('[')) this.subfield(key, value)
    else return false
    return true
  }

  private field(field: MetaFlowField, text: string): void {
    const value = parseFieldValue(field, text === '' ? '0/0' : text, this.names)
    if (field.variable) {
      this.tunMetadata(field, text, value)
      return
    }
    if (isShared(field)) this.pending.push({ field, value })
    else setMatchField(this.match, field, value.value, value.mask)
    if (field.prerequisite !== 'none') setDefaultPacketType(this.match)
  }

  /** A value alone is exact; nothing at all means that the option is there. */
  private tunMetadata(field: MetaFlowField, text: string, { value, mask }: MaskedValue): void {
    if (text === '') setMatchField(this.match, field, new Uint8Array(0), new Uint8Array(0))
    else if (isOnes(mask)) setMatchField(this.match, field, trimZeros(value))
    else {
      const n = Math.max(significant(value), significant(mask))
      setMatchField(this.match, field, trimZeros(value, n), trimZeros(mask, n))
    }
  }

  /** `reg0[0..15]=5`, `NXM_NX_REG0[3]=1` */
  private subfield(key: string, text: string): void {
    const { field, ofs, nBits } = parseSubfield(key)
    const v = parseIntBytes(text, field.bytes)
    if (v === undefined) throw new FlowSyntaxError(`${key}: cannot parse integer value: ${text}`)
    if (bigOf(v) >> BigInt(nBits) !== 0n)
      throw new FlowSyntaxError(`${key}: value ${text} does not fit into ${nBits} bits`)
    const current = getMatchField(this.match, field)
    putBits(current.mask, ofs, nBits, (1n << BigInt(nBits)) - 1n)
    putBits(current.value, ofs, nBits, bigOf(v))
    if (isShared(field)) this.pending.push({ field, value: current })
    else setMatchField(this.match, field, current.value, current.mask)
    if (field.prerequisite !== 'none') setDefaultPacketType(this.match)
  }

  /** The match; what its type of packet does not have is left out. */
  finish(): Match {
    const { match } = this
    const packetType = match.value[W_PACKET_TYPE]
    if (packetType >>> 16 === 1) match.value[W_TYPE] = (packetType << 16) | (match.value[W_TYPE] & 0xffff)
    const ethType = flowEthType(match.value)
    for (const { field, value } of this.pending) {
      if (belongs(field, ethType)) setMatchField(match, field, value.value, value.mask)
    }
    if ((match.mask[W_TYPE] & 0xffff_0000) === 0) match.value[W_TYPE] &= 0xffff
    return match
  }
}

/** A match alone: `tcp,nw_dst=10.0.0.0/8`. Throws FlowSyntaxError. */
export function parseMatch(text: string, names?: NameMaps): Match {
  const p = new MatchParser(names)
  for (const [key, value] of keyValues(text)) if (!p.take(key, value)) syntaxError(`unknown keyword ${key}`)
  return p.finish()
}
