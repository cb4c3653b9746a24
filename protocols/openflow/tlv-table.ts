/** Geneve options in tun_metadata: NXT_TLV_TABLE_MOD, _REQUEST, _REPLY. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import type { BodyCodec } from './message-codec.ts'

export interface TlvMap {
  optionClass: number
  optionType: number
  /** Bytes: a multiple of 4, 4 to 124. */
  optionLength: number
  /** Which tun_metadata: 0 to 63. */
  index: number
}

export interface TlvTableMod {
  command: 'add' | 'delete' | 'clear'
  maps: readonly TlvMap[]
}

export interface TlvTableReply {
  /** Bytes that all options together may have. */
  maxOptionSpace: number
  maxFields: number
  maps: readonly TlvMap[]
}

const COMMANDS = ['add', 'delete', 'clear'] as const
const OPTIONS = 64
const MAX_LENGTH = 124

function decodeMaps(b: Uint8Array, o: number, end: number): TlvMap[] | OfFault {
  const maps: TlvMap[] = []
  for (; o < end; o += 8) {
    const m: TlvMap = {
      optionClass: u16(b, o),
      optionType: b[o + 2],
      optionLength: b[o + 3],
      index: u16(b, o + 4),
    }
    if (m.optionLength % 4 !== 0 || m.optionLength > MAX_LENGTH) return fault('NXTTMFC_BAD_OPT_LEN')
    if (m.index >= OPTIONS) return fault('NXTTMFC_BAD_FIELD_IDX')
    maps.push(m)
  }
  return maps
}

function putMaps(w: ByteWriter, maps: readonly TlvMap[]): void {
  for (const m of maps) w.u16(m.optionClass).u8(m.optionType).u8(m.optionLength).u16(m.index).u16(0)
}

export const TLV_TABLE_MOD_CODEC: BodyCodec<TlvTableMod> = {
  decode({ b, o, end }) {
    const command = COMMANDS[u16(b, o)]
    if (command === undefined) return fault('NXTTMFC_BAD_COMMAND')
    const maps = decodeMaps(b, o + 8, end)
    return isFault(maps) ? maps : { command, maps }
  },
  encode(w, { command, maps }) {
    w.u16(COMMANDS.indexOf(command)).zeros(6)
    putMaps(w, maps)
  },
}

export const TLV_TABLE_REPLY_CODEC: BodyCodec<TlvTableReply> = {
  decode({ b, o, end }) {
    const maps = decodeMaps(b, o + 16, end)
    return isFault(maps) ? maps : { maxOptionSpace: u32(b, o), maxFields: u16(b, o + 4), maps }
  },
  encode(w, { maxOptionSpace, maxFields, maps }) {
    w.u32(maxOptionSpace).u16(maxFields).zeros(10)
    putMaps(w, maps)
  },
}
