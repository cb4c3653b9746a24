/** Nicira's extension actions to bytes (ovs-actions(7); nicira-ext of Open vSwitch). */

import { type FieldName, MFF } from '../meta-flow.ts'
import {
  type BundleAction,
  type ControllerAction,
  HASH_FIELDS,
  MULTIPATH_ALGORITHMS,
  type OfAction,
  TABLE_CURRENT,
} from './action.ts'
import { type EncodeContext, encodeActions } from './action-encode.ts'
import { encodeMove, putRegLoad, putSetField } from './action-encode-field.ts'
import { beginNicira, endAction, headerOf, ofsNbits, putFieldHeader } from './action-header.ts'
import type { ByteWriter } from './byte-writer.ts'
import { encodeCt } from './ct-codec.ts'
import { encodeLearn } from './learn-codec.ts'
import { OFPP_IN_PORT, OFPP_NONE, portToOf10 } from './port.ts'
import { OF10, OF12 } from './version.ts'

/** A load that stands in for an action which OpenFlow 1.0 does not have. */
export interface LoadBits {
  type: 'load_bits'
  field: FieldName
  nBits: number
  value: number
}

const port16 = (port: number): number => portToOf10(port) ?? 0xffff

function property(w: ByteWriter, type: number, body: (w: ByteWriter) => unknown): ByteWriter {
  const start = w.length
  w.u16(type).u16(0)
  body(w)
  w.patch16(start + 2, w.length - start)
  return w.pad8(start)
}

const OFPR_ACTION = 1

function controller(w: ByteWriter, a: ControllerAction): ByteWriter {
  if (!a.v2 && a.userdata.length === 0 && !a.pause && a.meterId === 0) {
    const start = beginNicira(w, 20)
    w.u16(a.maxLen).u16(a.controllerId).u8(a.reason).u8(0)
    return endAction(w, start)
  }
  const start = beginNicira(w, 37)
  w.zeros(6)
  if (a.maxLen !== 0xffff) property(w, 0, (p) => p.u16(a.maxLen))
  if (a.controllerId !== 0) property(w, 1, (p) => p.u16(a.controllerId))
  if (a.reason !== OFPR_ACTION) property(w, 2, (p) => p.u8(a.reason))
  if (a.userdata.length > 0) property(w, 3, (p) => p.raw(a.userdata))
  if (a.pause) property(w, 4, () => {})
  if (a.meterId !== 0) property(w, 5, (p) => p.u32(a.meterId))
  return endAction(w, start)
}

function bundle(w: ByteWriter, a: BundleAction): ByteWriter {
  const start = beginNicira(w, a.dst === undefined ? 12 : 13)
  w.u16(a.algorithm === 'hrw' ? 1 : 0)
    .u16(HASH_FIELDS.indexOf(a.fields))
    .u16(a.basis)
  w.u32(headerOf({ field: MFF.in_port, ofs: 0, nBits: 16 })).u16(a.members.length)
  if (a.dst === undefined) w.u16(0).u32(0)
  else w.u16(ofsNbits(a.dst)).u32(headerOf(a.dst))
  w.zeros(4)
  for (const m of a.members) w.u16(port16(m))
  return endAction(w, start)
}

function sample(w: ByteWriter, a: OfAction & { type: 'sample' }): ByteWriter {
  const form =
    a.form === 3 || a.direction !== 'default' ? 3 : a.form === 2 || a.samplingPort !== OFPP_NONE ? 2 : 1
  const start = beginNicira(w, form === 1 ? 29 : form === 2 ? 38 : 41)
  w.u16(a.probability).u32(a.collectorSetId).u32(a.obsDomainId).u32(a.obsPointId)
  if (form > 1) {
    const direction = a.direction === 'ingress' ? 1 : a.direction === 'egress' ? 2 : 0
    w.u16(port16(a.samplingPort)).u8(direction).zeros(5)
  }
  return endAction(w, start)
}

function resubmitTable(w: ByteWriter, subtype: number, port: number, table: number): ByteWriter {
  const start = beginNicira(w, subtype)
  w.u16(port16(port)).u8(table).zeros(3)
  return endAction(w, start)
}

function encap(w: ByteWriter, a: OfAction & { type: 'encap' }): ByteWriter {
  const start = beginNicira(w, 46)
  w.u16(0).u32(a.packetType)
  for (const p of a.properties) {
    const at = w.length
    w.u16(p.class)
      .u8(p.type)
      .u8(p.data.length + 4)
      .raw(p.data)
    w.pad8(at)
  }
  return endAction(w, start)
}

/** Actions that are alike in all versions, and never standard. */
export function encodeNicira(w: ByteWriter, a: OfAction | LoadBits, ctx: EncodeContext): ByteWriter {
  const { version } = ctx
  let start: number
  switch (a.type) {
    case 'load_bits':
      return putRegLoad(w, { field: MFF[a.field], ofs: 0, nBits: a.nBits }, BigInt(a.value))
    case 'move':
      return encodeMove(w, a, version)
    case 'controller':
      return controller(w, a)
    case 'bundle':
      return bundle(w, a)
    case 'sample':
      return sample(w, a)
    case 'learn':
      return encodeLearn(w, a)
    case 'ct':
      return encodeCt(w, a, ctx)
    case 'encap':
      return encap(w, a)
    case 'resubmit':
      if (a.table !== TABLE_CURRENT || !a.plain)
        return resubmitTable(w, a.withCt ? 44 : 14, a.inPort, a.table)
      start = beginNicira(w, 1)
      w.u16(port16(a.inPort)).zeros(4)
      break
    case 'goto_table':
      // An instruction from OpenFlow 1.1 on.
      return version === OF10 ? resubmitTable(w, 14, OFPP_IN_PORT, a.table) : w
    case 'write_metadata':
      if (version !== OF10) return w
      start = beginNicira(w, 22)
      w.zeros(6).u64(a.metadata).u64(a.mask)
      break
    case 'set_tunnel':
      if (version >= OF12) return putSetField(w, version, 'tun_id', a.id)
      if (a.wide || a.id > 0xffff_ffffn) {
        start = beginNicira(w, 9)
        w.zeros(6).u64(a.id)
      } else {
        start = beginNicira(w, 2)
        w.zeros(2).u32(Number(a.id))
      }
      break
    case 'pop_queue':
    case 'exit':
    case 'ct_clear':
    case 'dec_nsh_ttl':
      start = beginNicira(w, { pop_queue: 5, exit: 17, ct_clear: 43, dec_nsh_ttl: 48 }[a.type])
      w.zeros(6)
      break
    case 'note':
      start = beginNicira(w, 8)
      w.raw(a.data)
      if (a.data.length < 6) w.zeros(6 - a.data.length)
      break
    case 'multipath':
      start = beginNicira(w, 10)
      w.u16(HASH_FIELDS.indexOf(a.fields)).u16(a.basis).zeros(2)
      w.u16(MULTIPATH_ALGORITHMS.indexOf(a.algorithm))
        .u16(a.links - 1)
        .u32(a.arg)
        .zeros(2)
      w.u16(ofsNbits(a.dst)).u32(headerOf(a.dst))
      break
    case 'output_reg':
      if (headerOf(a.src) !== 0) {
        start = beginNicira(w, 15)
        w.u16(ofsNbits(a.src)).u32(headerOf(a.src)).u16(a.maxLen).zeros(6)
      } else {
        start = beginNicira(w, 32)
        w.u16(ofsNbits(a.src)).u16(a.maxLen)
        putFieldHeader(w, a.src, 0)
      }
      break
    case 'output_trunc':
      start = beginNicira(w, 39)
      w.u16(port16(a.port)).u32(a.maxLen)
      break
    case 'fin_timeout':
      start = beginNicira(w, 19)
      w.u16(a.idleTimeout).u16(a.hardTimeout).zeros(2)
      break
    case 'dec_ttl':
      start = beginNicira(w, 21)
      w.u16(a.controllerIds.length).zeros(4)
      for (const id of a.controllerIds) w.u16(id)
      break
    case 'push':
    case 'pop':
      start = beginNicira(w, a.type === 'push' ? 27 : 28)
      w.u16(a.subfield.ofs)
      putFieldHeader(w, a.subfield, 0)
      w.u16(a.subfield.nBits)
      w.zeros(24 - (w.length - start))
      break
    case 'conjunction':
      start = beginNicira(w, 34)
      w.u8(a.clause).u8(a.clauses).u32(a.id)
      break
    case 'clone':
      start = beginNicira(w, 42)
      w.zeros(6)
      encodeActions(w, a.actions, ctx)
      break
    case 'decap':
      start = beginNicira(w, 47)
      w.zeros(2).u32(a.packetType)
      break
    case 'check_pkt_larger':
      start = beginNicira(w, 49)
      w.u16(a.length).u16(a.dst.ofs)
      putFieldHeader(w, a.dst, 0)
      w.zeros(24 - (w.length - start))
      break
    case 'delete_field':
      start = beginNicira(w, 50)
      putFieldHeader(w, { field: a.field, ofs: 0, nBits: 1 }, 0)
      w.zeros(24 - (w.length - start))
      break
    default:
      return w
  }
  return endAction(w, start)
}
