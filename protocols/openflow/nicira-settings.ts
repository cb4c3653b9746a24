/** Nicira's messages that set how a connection behaves. */

import { u32 } from '../wire/big-endian.ts'
import { fault } from './error.ts'
import type { BodyCodec } from './message-codec.ts'
import type { PacketInFormat } from './packet-in.ts'

/** NXT_SET_FLOW_FORMAT: which flow-mods and flow-removeds OpenFlow 1.0 is to have. */
export type FlowFormat = 'openflow10' | 'nxm'
const FLOW_FORMATS: Readonly<Record<number, FlowFormat>> = { 0: 'openflow10', 2: 'nxm' }

export const FLOW_FORMAT_CODEC: BodyCodec<FlowFormat> = {
  decode: ({ b, o }) => FLOW_FORMATS[u32(b, o)] ?? fault('OFPBRC_EPERM'),
  encode: (w, format) => {
    w.u32(format === 'nxm' ? 2 : 0)
  },
}

const PACKET_IN_FORMATS: readonly PacketInFormat[] = ['standard', 'nxt_packet_in', 'nxt_packet_in2']

export const PACKET_IN_FORMAT_CODEC: BodyCodec<PacketInFormat> = {
  decode: ({ b, o }) => PACKET_IN_FORMATS[u32(b, o)] ?? fault('OFPBRC_EPERM'),
  encode: (w, format) => {
    w.u32(PACKET_IN_FORMATS.indexOf(format))
  },
}

/** NXT_FLOW_MOD_TABLE_ID: whether a table stands in the command of 1.0's flow-mods. */
export const TABLE_ID_CODEC: BodyCodec<boolean> = {
  decode({ b, o }) {
    for (let i = 1; i < 8; i++) if (b[o + i] !== 0) return fault('OFPBRC_EPERM')
    return b[o] > 1 ? fault('OFPBRC_EPERM') : b[o] === 1
  },
  encode: (w, on) => {
    w.u8(on ? 1 : 0).zeros(7)
  },
}
