/** The trace tells what a subfield has become. */
import { readField } from '../../../protocols/meta-flow.ts'
import type { Subfield } from '../../../protocols/openflow/action.ts'
import { formatFieldValue } from '../../../protocols/openflow/text/field-value.ts'
import { formatHash } from '../../../protocols/openflow/text/scan.ts'
import { formatSubfield } from '../../../protocols/openflow/text/subfield-text.ts'
import type { ActionContext } from '../action-context.ts'
import { firstBit, readBits } from '../flow-bits.ts'

export function noteSubfield(ctx: ActionContext, subfield: Subfield): void {
  const { x } = ctx
  if (x.trace === undefined) return
  const field = x.fields[subfield.field]
  const { ofs, nBits } = subfield
  const whole = ofs === 0 && nBits >= field.bits
  const value = whole ? formatFieldValue(field, readField(x.flow, field), undefined) : bitsOf()
  ctx.note(` -> ${formatSubfield(subfield)} is now ${value}`)

  function bitsOf(): string {
    const first = firstBit(field, ofs, nBits)
    let bits = 0n
    for (let done = 0; done < nBits; done += 32) {
      const n = Math.min(32, nBits - done)
      bits = (bits << BigInt(n)) | BigInt(readBits(x.flow, first + done, n) >>> 0)
    }
    return formatHash(bits)
  }
}
