/** The trace tells what a subfield has become. */
import { readField } from '../../../protocols/meta-flow.ts'
import type { Subfield } from '../../../protocols/openflow/action.ts'
import { formatFieldValue } from '../../../protocols/openflow/text/field-value.ts'
import { formatHash } from '../../../protocols/openflow/text/scan.ts'
import { formatSubfield } from '../../../protocols/openflow/text/subfield-text.ts'
import type { ActionContext } from '../action-context.ts'
import { readSubfieldBits } from '../flow-bits.ts'

export function noteSubfield(ctx: ActionContext, subfield: Subfield): void {
  const { x } = ctx
  if (x.trace === undefined) return
  const field = x.fields[subfield.field]
  const { ofs, nBits } = subfield
  const whole = ofs === 0 && nBits >= field.bits
  const value = whole ? formatFieldValue(field, readField(x.flow, field), undefined) : bitsOf()
  ctx.note(` -> ${formatSubfield(subfield)} is now ${value}`)

  function bitsOf(): string {
    const words = new Uint32Array(Math.ceil(nBits / 32))
    readSubfieldBits(x.flow, field, ofs, nBits, words, 32 * words.length)
    return formatHash(words.reduce((bits, word) => (bits << 32n) | BigInt(word), 0n))
  }
}
