/** set_field, load and move to bytes: each version writes them in another way. */

import { FIELDS, type FieldName, fieldByName, type MetaFlowField } from '../meta-flow.ts'
import type { MoveAction, SetFieldAction, Subfield } from './action.ts'
import type { EncodeContext } from './action-encode.ts'
import { beginAction, beginNicira, endAction, headerOf, ofsNbits, putFieldHeader } from './action-header.ts'
import type { ByteWriter } from './byte-writer.ts'
import { isOnes, toNumber } from './match-field.ts'
import { nxmHeader, putOxmEntry, putOxmHeader } from './oxm.ts'
import { bytesOf, getBits, segments, significant, trimZeros } from './subfield.ts'
import { OF10, OF12, OF15 } from './version.ts'

/** A set_field of a whole field: OpenFlow 1.2 and later. */
export function putSetField(
  w: ByteWriter,
  version: number,
  name: FieldName,
  value: bigint | Uint8Array,
): ByteWriter {
  const field = fieldByName(name)!
  const start = beginAction(w, 25)
  putOxmEntry(w, field, version, typeof value === 'bigint' ? bytesOf(value, field.bytes) : value)
  return endAction(w, start)
}

/** NXAST_REG_LOAD: up to 64 bits into a subfield. */
export function putRegLoad(w: ByteWriter, dst: Subfield, value: bigint): ByteWriter {
  const start = beginNicira(w, 7)
  w.u16(ofsNbits(dst)).u32(headerOf(dst)).u64(value)
  return endAction(w, start)
}

/** An entry with value and mask; of a variable field only the significant bytes. */
function putEntry(
  w: ByteWriter,
  { value, mask }: SetFieldAction,
  field: MetaFlowField,
  version: number,
): void {
  const masked = !isOnes(mask)
  let n = value.length
  if (field.variable) n = masked ? Math.max(significant(value), significant(mask)) : significant(value)
  putOxmHeader(w, field, version, masked, n)
  w.raw(trimZeros(value, n))
  if (masked) w.raw(trimZeros(mask, n))
}

function wholeField(w: ByteWriter, a: SetFieldAction, field: MetaFlowField, version: number): ByteWriter {
  const start = beginAction(w, 25)
  putEntry(w, a, field, version)
  return endAction(w, start)
}

function niciraLoad(w: ByteWriter, a: SetFieldAction, field: MetaFlowField): ByteWriter {
  if (a.as === 'load2' || nxmHeader(field) === 0 || field.variable) {
    const start = beginNicira(w, 33)
    putEntry(w, a, field, 0)
    return endAction(w, start)
  }
  for (const { ofs, nBits } of segments(a.mask, field.bits)) {
    putRegLoad(w, { field: field.id, ofs, nBits }, getBits(a.value, ofs, nBits))
  }
  return w
}

function legacy(w: ByteWriter, type: number, bytes: number, value: number): ByteWriter {
  const start = beginAction(w, type)
  if (bytes === 1) w.u8(value)
  else if (bytes === 2) w.u16(value)
  else if (bytes === 4) w.u32(value)
  return endAction(w, start)
}

/** OpenFlow 1.0 and 1.1 have an action a field, and Nicira's load for the rest. */
function setFieldLegacy(
  w: ByteWriter,
  a: SetFieldAction,
  field: MetaFlowField,
  ctx: EncodeContext,
): ByteWriter {
  const of10 = ctx.version === OF10
  const v = field.bytes <= 4 ? toNumber(a.value) : 0
  switch (field.name) {
    case 'vlan_tci':
      if ((v & 0x1000) === 0) return legacy(w, of10 ? 3 : 18, 0, 0)
      if (!of10 && !ctx.hasVlan) legacy(w, 17, 2, 0x8100)
      legacy(w, 1, 2, v & 0xfff)
      return legacy(w, 2, 1, v >>> 13)
    case 'vlan_vid':
      return legacy(w, 1, 2, v & 0xfff)
    case 'vlan_pcp':
      return legacy(w, 2, 1, v)
    case 'eth_src':
    case 'eth_dst': {
      const start = beginAction(w, (of10 ? 4 : 3) + (field.name === 'eth_src' ? 0 : 1))
      w.raw(a.value)
      return endAction(w, start)
    }
    case 'ip_src':
      return legacy(w, of10 ? 6 : 5, 4, v)
    case 'ip_dst':
      return legacy(w, of10 ? 7 : 6, 4, v)
    case 'nw_tos':
      return legacy(w, of10 ? 8 : 7, 1, v)
    case 'ip_dscp':
      return legacy(w, of10 ? 8 : 7, 1, v << 2)
    case 'nw_ecn':
      return of10 ? putRegLoad(w, { field: field.id, ofs: 0, nBits: 2 }, BigInt(v)) : legacy(w, 8, 1, v)
    case 'tcp_src':
    case 'udp_src':
      return legacy(w, 9, 2, v)
    case 'tcp_dst':
    case 'udp_dst':
      return legacy(w, 10, 2, v)
    default:
      return niciraLoad(w, a, field)
  }
}

export function encodeSetField(w: ByteWriter, a: SetFieldAction, ctx: EncodeContext): ByteWriter {
  const field = FIELDS[a.field]
  const { version } = ctx
  if (version >= OF15) wholeField(w, a, field, version)
  else if (a.as !== 'set_field') niciraLoad(w, a, field)
  else if (version < OF12) setFieldLegacy(w, a, field, ctx)
  else if (isOnes(a.mask)) wholeField(w, a, field, version)
  else niciraLoad(w, a, field)
  if (field.name === 'vlan_tci') ctx.hasVlan = (a.value[0] & 0x10) !== 0
  return w
}

export function encodeMove(w: ByteWriter, { src, dst }: MoveAction, version: number): ByteWriter {
  const of15 = version >= OF15
  const start = of15 ? beginAction(w, 28) : beginNicira(w, 6)
  w.u16(dst.nBits).u16(src.ofs).u16(dst.ofs)
  if (of15) w.zeros(2)
  putFieldHeader(w, src, of15 ? version : 0)
  putFieldHeader(w, dst, of15 ? version : 0)
  return endAction(w, start)
}
