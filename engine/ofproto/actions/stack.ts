/** push and pop: subfields on a stack. */

import { W_VLAN } from '../../../protocols/flow-key.ts'
import type { Subfield } from '../../../protocols/openflow/action.ts'
import { type ActionContext, MAX_STACK } from '../action-context.ts'
import { fillSubfield, readSubfieldBits, writeSubfieldBits } from '../flow-bits.ts'
import { written } from './fields.ts'
import { noteSubfield } from './note-subfield.ts'

export function pushStack(ctx: ActionContext, { field, ofs, nBits }: Subfield): void {
  const { x, stack } = ctx
  if (stack.length === MAX_STACK) {
    x.fail('Stack too deep', 'stack too deep')
    return
  }
  const from = x.fields[field]
  fillSubfield(x.wc, from, ofs, nBits)
  const words = new Uint32Array(4)
  readSubfieldBits(x.flow, from, ofs, nBits, words, 128)
  stack.push({ nBits, words })
}

/** A value wider than where it goes loses its high bits, a narrower one gains zeros. */
export function popStack(ctx: ActionContext, subfield: Subfield): void {
  const { field, ofs, nBits } = subfield
  const { x } = ctx
  const frame = ctx.stack.pop()
  if (frame === undefined) {
    ctx.note(' >>>> stack underflow <<<<')
    return
  }
  const to = x.fields[field]
  const tags = x.flow[W_VLAN]
  fillSubfield(x.wc, to, ofs, nBits)
  writeSubfieldBits(x.flow, to, ofs, nBits, frame.words, 128)
  written(x, to, tags)
  noteSubfield(ctx, subfield)
}
