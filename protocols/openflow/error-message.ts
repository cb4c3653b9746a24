/** Error messages. */

import type { OfErrorName } from './error.ts'

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
