/** The trace tells what a subfield has become. */
import { readField } from '../../../protocols/meta-flow.ts'
import type { Subfield } from '../../../protocols/openflow/action.ts'
import { formatFieldValue } from '../../../protocols/openflow/text/field-value.ts'
import { formatHash } from '../../../protocols/openflow/text/scan.ts'
import { formatSubfield } from '../../../protocols/openflow/text/subfield-text.ts'
import type { ActionContext } from '../action-context.ts'
import { readSubfieldBits } from '../flow-bits.ts'
import type { Xlate } from '../xlate.ts'

export function noteSubfield(ctx: ActionContext, subfield: Subfield): void {
  if (ctx.x.trace !== undefined) ctx.note(` -> ${formatSubfield(subfield)} is now ${textOf(ctx.x, subfield)}`)
}

function textOf({ fields, flow }: Xlate, { field: id, ofs, nBits }: Subfield): string {
  const field = fields[id]
  if (ofs === 0 && nBits >= field.bits) return formatFieldValue(field, readField(flow, field), undefined)
  const words = new Uint32Array(Math.ceil(nBits / 32))
  readSubfieldBits(flow, field, ofs, nBits, words, 32 * words.length)
  return formatHash(words.reduce((bits, word) => (bits << 32n) | BigInt(word), 0n))
}
