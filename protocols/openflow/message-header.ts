/**
 * Headers of messages: version, type, length, xid, and behind them what tells the kind of experimenter messages and
 * multiparts (OpenFlow 1.0 §5.1, 1.3 §7.1, §7.3.5, §7.5.4).
 */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, NX_VENDOR, type OfFault, ONF_VENDOR } from './error.ts'
import { type FormKind, formByNumber, isMultipart, type MessageForm } from './message-forms.ts'
import { OF10, OF15, type OfVersion } from './version.ts'

export const HEADER_LEN = 8
/** No message is longer: its length has 16 bits. */
export const MAX_MESSAGE = 0xffff

const OFPT_VENDOR = 4
const STATS_REQUEST10 = 16
const STATS_REQUEST11 = 18
const STATS_VENDOR = 0xffff
const MORE = 1

export function messageVersion(b: Uint8Array): number {
  return b[0]
}
export function messageType(b: Uint8Array): number {
  return b[1]
}
export function messageLength(b: Uint8Array): number {
  return u16(b, 2)
}
export function messageXid(b: Uint8Array): number {
  return u32(b, 4)
}

const OFPT_FLOW_MOD = 14
const NXT_FLOW_MOD = 13

/** Whether a message, at least a header long, is a flow-mod by its type. */
export function isFlowMod(b: Uint8Array): boolean {
  if (b[1] === OFPT_FLOW_MOD) return true
  return b[1] === OFPT_VENDOR && b.length >= 16 && u32(b, 8) === NX_VENDOR && u32(b, 12) === NXT_FLOW_MOD
}

export interface Identified {
  version: OfVersion
  form: MessageForm
  xid: number
  /** Of multiparts: more of it follows in another message. */
  more: boolean
  b: Uint8Array
  /** Where the body begins and ends. */
  o: number
  end: number
}

/** What a message is by its headers; `b` is the whole of it and its length right. The body's length is checked. */
export function identifyMessage(b: Uint8Array): Identified | OfFault {
  const end = b.length
  if (end < HEADER_LEN || u16(b, 2) !== end) return fault('OFPBRC_BAD_LEN')
  const version = b[0]
  if (version < OF10 || version > OF15) return fault('OFPBRC_BAD_VERSION')
  const place = version === OF10 ? identify10(b, end) : identify11(b, end)
  if ('error' in place) return place
  const form = formByNumber(version as OfVersion, place.kind, place.number, place.reply)
  if (form === undefined) return fault(place.unknown)
  const extra = end - place.o - form.minBody
  const { multiple } = form
  if (extra < 0 || (multiple === 0 ? extra !== 0 : extra % multiple !== 0)) return fault('OFPBRC_BAD_LEN')
  const more = isMultipart(form) && (u16(b, 10) & MORE) !== 0
  return { version: version as OfVersion, form, xid: u32(b, 4), more, b, o: place.o, end }
}

interface Place {
  kind: FormKind
  number: number
  reply: boolean
  o: number
  /** The fault if there is no such form. */
  unknown: 'OFPBRC_BAD_TYPE' | 'OFPBRC_BAD_STAT' | 'OFPBRC_BAD_SUBTYPE'
}

function plain(type: number): Place {
  return { kind: 'OFPT', number: type, reply: false, o: HEADER_LEN, unknown: 'OFPBRC_BAD_TYPE' }
}

function vendorMessage(b: Uint8Array, end: number): Place | OfFault {
  if (end < 16) return fault('OFPBRC_BAD_LEN')
  const vendor = u32(b, 8)
  if (vendor !== NX_VENDOR && vendor !== ONF_VENDOR) return fault('OFPBRC_BAD_VENDOR')
  const kind = vendor === NX_VENDOR ? 'NXT' : 'ONFT'
  return { kind, number: u32(b, 12), reply: false, o: 16, unknown: 'OFPBRC_BAD_SUBTYPE' }
}

function identify10(b: Uint8Array, end: number): Place | OfFault {
  const type = b[1]
  if (type === OFPT_VENDOR) return vendorMessage(b, end)
  if (type !== STATS_REQUEST10 && type !== STATS_REQUEST10 + 1) return plain(type)
  const reply = type === STATS_REQUEST10 + 1
  if (end < 12) return fault('OFPBRC_BAD_LEN')
  const number = u16(b, 8)
  if (number !== STATS_VENDOR) return { kind: 'OFPST', number, reply, o: 12, unknown: 'OFPBRC_BAD_STAT' }
  if (end < 16) return fault('OFPBRC_BAD_LEN')
  if (u32(b, 12) !== NX_VENDOR) return fault('OFPBRC_BAD_VENDOR')
  if (end < 24) return fault('OFPBRC_BAD_LEN')
  return { kind: 'NXST', number: u32(b, 16), reply, o: 24, unknown: 'OFPBRC_BAD_SUBTYPE' }
}

function identify11(b: Uint8Array, end: number): Place | OfFault {
  const type = b[1]
  if (type === OFPT_VENDOR) return vendorMessage(b, end)
  if (type !== STATS_REQUEST11 && type !== STATS_REQUEST11 + 1) return plain(type)
  const reply = type === STATS_REQUEST11 + 1
  if (end < 16) return fault('OFPBRC_BAD_LEN')
  const number = u16(b, 8)
  if (number !== STATS_VENDOR) return { kind: 'OFPST', number, reply, o: 16, unknown: 'OFPBRC_BAD_STAT' }
  if (end < 24) return fault('OFPBRC_BAD_LEN')
  const vendor = u32(b, 16)
  if (vendor !== NX_VENDOR && vendor !== ONF_VENDOR) return fault('OFPBRC_BAD_VENDOR')
  const kind = vendor === NX_VENDOR ? 'NXST' : 'ONFST'
  return { kind, number: u32(b, 20), reply, o: 24, unknown: 'OFPBRC_BAD_SUBTYPE' }
}

/** Writes all headers of a message, its length still 0: to be patched at 2 bytes from its start. */
export function putHeader(
  w: ByteWriter,
  version: OfVersion,
  form: MessageForm,
  xid: number,
  more = false,
): void {
  const { kind, number, reply } = form
  w.u8(version)
  if (kind === 'OFPT') {
    w.u8(number).u16(0).u32(xid)
    return
  }
  const vendor = kind.startsWith('ONF') ? ONF_VENDOR : NX_VENDOR
  if (!isMultipart(form)) {
    w.u8(OFPT_VENDOR).u16(0).u32(xid).u32(vendor).u32(number)
    return
  }
  w.u8((version === OF10 ? STATS_REQUEST10 : STATS_REQUEST11) + (reply ? 1 : 0))
  w.u16(0).u32(xid)
  w.u16(kind === 'OFPST' ? number : STATS_VENDOR).u16(more ? MORE : 0)
  if (version > OF10) w.u32(0)
  if (kind === 'OFPST') return
  w.u32(vendor).u32(number)
  if (version === OF10) w.u32(0)
}

/** Where the flag "more" of a multipart message stands. */
export const MORE_AT = 10
