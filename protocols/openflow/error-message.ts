/** Error messages. */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { errorByNumbers, errorNumbers, NXET_VENDOR, OFPET_EXPERIMENTER, type OfErrorName } from './error.ts'
import type { Body, BodyCodec } from './message-codec.ts'
import { OF12, type OfVersion } from './version.ts'

export interface ErrorMessage {
  /** Undefined for numbers that have no name here. */
  name: OfErrorName | undefined
  /** 0, or the experimenter that numbers the error. */
  vendor: number
  errorType: number
  code: number
  /** The message that gave offence, or its beginning; of HELLO_FAILED errors text. */
  data: Uint8Array
}

function decode({ b, o, end, version }: Body): ErrorMessage {
  const errorType = u16(b, o)
  const code = u16(b, o + 2)
  // Nicira's errors in 1.0 and 1.1: vendor, type and code follow; experimenter errors later: the experimenter.
  if (version < OF12 && errorType === NXET_VENDOR && end - o >= 12) {
    const numbers = { vendor: u32(b, o + 4), type: u16(b, o + 8), code: u16(b, o + 10) }
    return message(numbers.vendor, numbers.type, numbers.code, b.slice(o + 12, end))
  }
  if (version >= OF12 && errorType === OFPET_EXPERIMENTER && end - o >= 8) {
    return message(u32(b, o + 4), errorType, code, b.slice(o + 8, end))
  }
  return message(0, errorType, code, b.slice(o + 4, end))

  function message(vendor: number, type: number, code: number, data: Uint8Array): ErrorMessage {
    return { name: errorByNumbers({ vendor, type, code }, version), vendor, errorType: type, code, data }
  }
}

function encode(w: ByteWriter, e: ErrorMessage, version: OfVersion): void {
  if (e.vendor === 0) w.u16(e.errorType).u16(e.code)
  else if (version < OF12) w.u16(NXET_VENDOR).u16(0).u32(e.vendor).u16(e.errorType).u16(e.code)
  else w.u16(OFPET_EXPERIMENTER).u16(e.code).u32(e.vendor)
  w.raw(e.data)
}

export const ERROR_CODEC: BodyCodec<ErrorMessage> = {
  decode,
  encode: (w, e, { version }) => encode(w, e, version),
}

/**
 * How many bytes of the offending message an error message brings back: all of it, as in Open vSwitch, that fits
 * behind the longest header of an error (OpenFlow 1.0 §5.4.4 asks for 64).
 */
export const ERROR_DATA = 0xffff - 32

/**
 * The error `name` in the words of `version`. What a version cannot say is said as NXBRC_UNENCODABLE_ERROR, which
 * all can.
 */
export function errorMessage(name: OfErrorName, version: OfVersion, data: Uint8Array): ErrorMessage {
  const numbers = errorNumbers(name, version) ?? errorNumbers('NXBRC_UNENCODABLE_ERROR', version)!
  return { name, vendor: numbers.vendor, errorType: numbers.type, code: numbers.code, data }
}
