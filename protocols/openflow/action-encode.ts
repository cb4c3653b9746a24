/**
 * Actions to bytes: the standard ones of each version, and where a version has none for it, Nicira's. The bytes
 * are those that Open vSwitch makes.
 */

import { VLAN_PRESENT, W_NW, W_VLAN } from '../flow-key.ts'
import type { FieldName } from '../meta-flow.ts'
import type { OfAction } from './action.ts'
import { encodeSetField, putSetField } from './action-encode-field.ts'
import { encodeNicira } from './action-encode-nicira.ts'
import { beginAction, beginNicira, endAction } from './action-header.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { Match } from './match.ts'
import { portToOf10 } from './port.ts'
import { OF10, OF11, OF12, OF15, type OfVersion } from './version.ts'

/** What an encoder must know of the flow, because versions differ in what they take for granted. */
export interface EncodeContext {
  version: OfVersion
  /** The packet has a VLAN tag by now. */
  hasVlan: boolean
  /** ip_proto that the match asks for, or 0. */
  protocol: number
}

export function encodeContext(version: OfVersion, match?: Match): EncodeContext {
  const tci = match === undefined ? 0 : match.value[W_VLAN] >>> 16
  const protocol = match === undefined ? 0 : match.value[W_NW] >>> 24
  return { version, hasVlan: (tci & VLAN_PRESENT) !== 0, protocol }
}

/** An action whose argument is one number behind the header, in 8 bytes altogether. */
function simple(w: ByteWriter, type: number, bytes: 0 | 1 | 2 | 4, value: number): ByteWriter {
  const start = beginAction(w, type)
  if (bytes === 1) w.u8(value)
  else if (bytes === 2) w.u16(value)
  else if (bytes === 4) w.u32(value)
  return endAction(w, start)
}

/** The same of Nicira's: aligned to its size behind ten bytes of header. */
function niciraSimple(w: ByteWriter, subtype: number, bytes: 0 | 1 | 2 | 4, value: number): ByteWriter {
  const start = beginNicira(w, subtype)
  if (bytes === 1) w.u8(value)
  else if (bytes === 2) w.u16(value)
  else if (bytes === 4) w.zeros(2).u32(value)
  if (w.length - start < 16) w.zeros(16 - (w.length - start))
  return endAction(w, start)
}

function output(w: ByteWriter, version: number, port: number, maxLen: number): ByteWriter {
  const start = beginAction(w, 0)
  if (version === OF10) w.u16(portToOf10(port) ?? 0xffff).u16(maxLen)
  else w.u32(port).u16(maxLen)
  return endAction(w, start)
}

const L4_SRC: Record<number, FieldName> = { 6: 'tcp_src', 17: 'udp_src', 132: 'sctp_src' }
const L4_DST: Record<number, FieldName> = { 6: 'tcp_dst', 17: 'udp_dst', 132: 'sctp_dst' }

function setL4Port(w: ByteWriter, ctx: EncodeContext, src: boolean, port: number): ByteWriter {
  const field = (src ? L4_SRC : L4_DST)[ctx.protocol]
  return ctx.version >= OF12 && field !== undefined
    ? putSetField(w, ctx.version, field, BigInt(port))
    : simple(w, src ? 9 : 10, 2, port)
}

/** An action that 1.0 has under Nicira's `nx` and later versions under `type`. */
function either(
  w: ByteWriter,
  ctx: EncodeContext,
  nx: number,
  type: number,
  bytes: 0 | 1 | 2 | 4,
  v = 0,
): ByteWriter {
  return ctx.version === OF10 ? niciraSimple(w, nx, bytes, v) : simple(w, type, bytes, v)
}

function setVlan(
  w: ByteWriter,
  ctx: EncodeContext,
  a: OfAction & { type: 'set_vlan_vid' | 'set_vlan_pcp' },
): ByteWriter {
  const { version } = ctx
  if (version > OF10 && a.pushIfNeeded && !ctx.hasVlan) simple(w, 17, 2, 0x8100)
  const vid = a.type === 'set_vlan_vid'
  const v = a.type === 'set_vlan_vid' ? a.vid : a.pcp
  if (version <= OF11) simple(w, vid ? 1 : 2, vid ? 2 : 1, v)
  else if (vid) putSetField(w, version, 'vlan_vid', BigInt(v | VLAN_PRESENT))
  else putSetField(w, version, 'vlan_pcp', BigInt(v))
  ctx.hasVlan = true
  return w
}

function setLegacy(
  w: ByteWriter,
  ctx: EncodeContext,
  type: number,
  bytes: 1 | 4,
  field: FieldName,
  v: number,
): ByteWriter {
  return ctx.version < OF12 ? simple(w, type, bytes, v) : putSetField(w, ctx.version, field, BigInt(v))
}

function encodeAction(w: ByteWriter, a: OfAction, ctx: EncodeContext): ByteWriter {
  const { version } = ctx
  const of10 = version === OF10
  switch (a.type) {
    case 'output':
      return output(w, version, a.port, a.maxLen)
    case 'enqueue': {
      if (of10) {
        const start = beginAction(w, 11)
        w.u16(portToOf10(a.port) ?? 0xffff)
          .zeros(6)
          .u32(a.queue)
        return endAction(w, start)
      }
      simple(w, 21, 4, a.queue)
      output(w, version, a.port, 0xffff)
      return niciraSimple(w, 5, 0, 0)
    }
    case 'set_queue':
      return either(w, ctx, 4, 21, 4, a.queue)
    case 'group':
      return either(w, ctx, 40, 22, 4, a.group)
    case 'set_vlan_vid':
    case 'set_vlan_pcp':
      return setVlan(w, ctx, a)
    case 'strip_vlan':
      ctx.hasVlan = false
      return simple(w, of10 ? 3 : 18, 0, 0)
    case 'push_vlan':
      ctx.hasVlan = true
      // In 1.0 setting the id pushes the tag.
      return of10 ? w : simple(w, 17, 2, a.ethertype)
    case 'push_mpls':
      ctx.protocol = 0
      return either(w, ctx, 23, 19, 2, a.ethertype)
    case 'pop_mpls':
      return either(w, ctx, 24, 20, 2, a.ethertype)
    case 'set_mpls_label':
      return version < OF12
        ? either(w, ctx, 30, 13, 4, a.label)
        : putSetField(w, version, 'mpls_label', BigInt(a.label))
    case 'set_mpls_tc':
      return version < OF12
        ? either(w, ctx, 31, 14, 1, a.tc)
        : putSetField(w, version, 'mpls_tc', BigInt(a.tc))
    case 'set_mpls_ttl':
      return either(w, ctx, 25, 15, 1, a.ttl)
    case 'dec_mpls_ttl':
      return either(w, ctx, 26, 16, 0)
    case 'set_eth_src':
    case 'set_eth_dst': {
      const src = a.type === 'set_eth_src'
      if (version >= OF12) return putSetField(w, version, src ? 'eth_src' : 'eth_dst', a.mac)
      const start = beginAction(w, (of10 ? 4 : 3) + (src ? 0 : 1))
      w.raw(a.mac)
      return endAction(w, start)
    }
    case 'set_ipv4_src':
      return setLegacy(w, ctx, of10 ? 6 : 5, 4, 'ip_src', a.address)
    case 'set_ipv4_dst':
      return setLegacy(w, ctx, of10 ? 7 : 6, 4, 'ip_dst', a.address)
    case 'set_ip_dscp':
      if (version < OF12) return simple(w, of10 ? 8 : 7, 1, a.value)
      return putSetField(w, version, 'ip_dscp', BigInt(a.value >>> 2))
    case 'set_ip_ecn':
      if (of10) return encodeNicira(w, { type: 'load_bits', field: 'nw_ecn', nBits: 2, value: a.value }, ctx)
      return setLegacy(w, ctx, 8, 1, 'nw_ecn', a.value)
    case 'set_ip_ttl':
      if (of10) return encodeNicira(w, { type: 'load_bits', field: 'nw_ttl', nBits: 8, value: a.value }, ctx)
      return simple(w, 23, 1, a.value)
    case 'set_l4_src_port':
    case 'set_l4_dst_port':
      return setL4Port(w, ctx, a.type === 'set_l4_src_port', a.value)
    case 'dec_ttl':
      if (!a.withIds && a.controllerIds.length === 1 && a.controllerIds[0] === 0)
        return either(w, ctx, 18, 24, 0)
      return encodeNicira(w, a, ctx)
    case 'set_field':
      return encodeSetField(w, a, ctx)
    case 'meter':
      // An instruction before 1.5, and unknown before 1.3.
      return version >= OF15 ? simple(w, 29, 4, a.meter) : w
    default:
      return encodeNicira(w, a, ctx)
  }
}

/** Writes an action list. `ctx` carries what earlier actions made of the packet. */
export function encodeActions(w: ByteWriter, actions: readonly OfAction[], ctx: EncodeContext): ByteWriter {
  for (const a of actions) encodeAction(w, a, ctx)
  return w
}
