/** Description of the switch. */

import { fixedText, putFixedText } from './fixed-text.ts'
import type { BodyCodec } from './message-codec.ts'

export interface SwitchDesc {
  manufacturer: string
  hardware: string
  software: string
  serial: string
  /** "datapath description" in the specification. */
  datapath: string
}

const DESC_LEN = 256
const SERIAL_LEN = 32

export const DESC_CODEC: BodyCodec<SwitchDesc> = {
  decode({ b, o }) {
    return {
      manufacturer: fixedText(b, o, DESC_LEN),
      hardware: fixedText(b, o + DESC_LEN, DESC_LEN),
      software: fixedText(b, o + 2 * DESC_LEN, DESC_LEN),
      serial: fixedText(b, o + 3 * DESC_LEN, SERIAL_LEN),
      datapath: fixedText(b, o + 3 * DESC_LEN + SERIAL_LEN, DESC_LEN),
    }
  },
  encode(w, d) {
    putFixedText(w, d.manufacturer, DESC_LEN)
    putFixedText(w, d.hardware, DESC_LEN)
    putFixedText(w, d.software, DESC_LEN)
    putFixedText(w, d.serial, SERIAL_LEN)
    putFixedText(w, d.datapath, DESC_LEN)
  },
}
