/** Subfields in text: `NXM_NX_REG0[0..15]`, `eth_src[]`, `reg1`. */

import { FIELDS, fieldByName, fieldByOxmName, type MetaFlowField, oxmOf } from '../../meta-flow.ts'
import type { Subfield } from '../action.ts'
import { syntaxError } from './scan.ts'

/** Fields may be called by their NXM or OXM names too, and these end in _W for "with mask". */
export function parseFieldName(name: string): MetaFlowField | undefined {
  return fieldByOxmName(name) ?? fieldByOxmName(name.replace(/_W$/, '')) ?? fieldByName(name)
}

export interface ParsedSubfield {
  field: MetaFlowField
  ofs: number
  nBits: number
}

/** Reads a subfield at the beginning of `s` and gives what follows it. */
export function parseSubfieldPrefix(s: string): { subfield: ParsedSubfield; rest: string } {
  const m = /^([^[-]*)(?:\[(?:(\d+)(?:\.\.(\d+))?)?\]|(?=$|-))/.exec(s)
  if (m === null) return syntaxError(`${s}: syntax error expecting [] or [<bit>] or [<start>..<end>]`)
  const [whole, name, from, to] = m
  const field = parseFieldName(name)
  if (field === undefined) return syntaxError(`${s}: unknown field \`${name}'`)
  const start = from === undefined ? 0 : Number(from)
  const end = from === undefined ? field.bits - 1 : Number(to ?? from)
  if (start > end) syntaxError(`${s}: starting bit ${start} is after ending bit ${end}`)
  for (const [what, bit] of [
    ['starting', start],
    ['ending', end],
  ] as const) {
    if (bit >= field.bits) {
      syntaxError(`${s}: ${what} bit ${bit} is not valid because field is only ${field.bits} bits wide`)
    }
  }
  return { subfield: { field, ofs: start, nBits: end - start + 1 }, rest: s.slice(whole.length) }
}

export function parseSubfield(s: string): ParsedSubfield {
  const { subfield, rest } = parseSubfieldPrefix(s)
  if (rest !== '') syntaxError(`${s}: extra characters \`${rest}'`)
  return subfield
}

/** The same as an action has it. */
export function parseActionSubfield(s: string): Subfield {
  const { field, ofs, nBits } = parseSubfield(s)
  return { field: field.id, ofs, nBits }
}

export function formatSubfield({ field, ofs, nBits }: Subfield): string {
  const f = FIELDS[field]
  const name = oxmOf(f, 0)?.name ?? f.name
  if (ofs === 0 && nBits === f.bits) return `${name}[]`
  return nBits === 1 ? `${name}[${ofs}]` : `${name}[${ofs}..${ofs + nBits - 1}]`
}
