/** learn() from text. */

import { FIELDS } from '../../meta-flow.ts'
import type { LearnAction, LearnSpec, OfAction, Subfield } from '../action.ts'
import { DEFAULT_PRIORITY } from '../match.ts'
import { nxmHeader } from '../oxm.ts'
import { bigOf, bytesOf } from '../subfield.ts'
import { parseExactFieldValue } from './field-value.ts'
import { type NameMaps, parseTable } from './names.ts'
import { atoi, FlowSyntaxError, keyValues, parseIntBytes, parseUint64, syntaxError } from './scan.ts'
import { parseActionSubfield, parseSubfieldPrefix } from './subfield-text.ts'

function tryParse<T>(f: () => T): T | FlowSyntaxError {
  try {
    return f()
  } catch (e) {
    if (e instanceof FlowSyntaxError) return e
    throw e
  }
}

/** The last (nBits + 7) / 8 bytes. */
function tail(value: Uint8Array, nBits: number): Uint8Array {
  return value.slice(value.length - Math.ceil(nBits / 8))
}

function checkNxm({ field }: Subfield, name: string): void {
  if (nxmHeader(FIELDS[field]) === 0) syntaxError(`experimenter OXM field '${name}' not supported`)
}

function immediate(dst: Subfield, value: string, names: NameMaps | undefined): Uint8Array {
  const field = FIELDS[dst.field]
  if (dst.ofs === 0 && dst.nBits === field.bits)
    return tail(parseExactFieldValue(field, value, names), dst.nBits)
  const v = parseIntBytes(value, field.bytes)
  if (v === undefined) return syntaxError(`${value}: cannot parse integer value`)
  if (bigOf(v) >> BigInt(dst.nBits) !== 0n) return syntaxError(`${value} does not fit into ${dst.nBits} bits`)
  return tail(v, dst.nBits)
}

function matchSpec(dst: Subfield, name: string, value: string, names: NameMaps | undefined): LearnSpec {
  checkNxm(dst, name)
  const { nBits } = dst
  if (value === '') return { nBits, src: dst, to: 'match', dst }
  const src = tryParse(() => parseActionSubfield(value))
  if (src instanceof FlowSyntaxError) return { nBits, value: immediate(dst, value, names), to: 'match', dst }
  if (src.nBits !== nBits) syntaxError(`bit widths of ${name} (${nBits}) and ${value} (${src.nBits}) differ`)
  return { nBits, src, to: 'match', dst }
}

function loadSpec(value: string): LearnSpec {
  const i = value.indexOf('->')
  if (i <= 0) return syntaxError(`load: missing \`->' in \`${value}'`)
  const dst = parseActionSubfield(value.slice(i + 2))
  const { nBits } = dst
  const v = parseIntBytes(value.slice(0, i), 128)
  if (v !== undefined) {
    checkNxm(dst, value)
    if (bigOf(v) >> BigInt(nBits) !== 0n)
      return syntaxError(`${value}: value does not fit into ${nBits} bits`)
    return { nBits, value: bytesOf(bigOf(v), Math.ceil(nBits / 8)), to: 'load', dst }
  }
  const { field, ofs, nBits: n } = parseSubfieldPrefix(value.slice(0, i)).subfield
  if (n !== nBits)
    return syntaxError(`${value}: source field is ${n} bits wide but destination is ${nBits} bits wide`)
  return { nBits, src: { field: field.id, ofs, nBits }, to: 'load', dst }
}

function spec(name: string, value: string, names: NameMaps | undefined): LearnSpec {
  const dst = tryParse(() => parseActionSubfield(name))
  if (!(dst instanceof FlowSyntaxError)) return matchSpec(dst, name, value, names)
  if (name === 'load') return loadSpec(value)
  if (name !== 'output') return syntaxError(`unknown keyword ${name}`)
  const src = parseActionSubfield(value)
  return { nBits: src.nBits, src, to: 'output' }
}

const u16 = (s: string): number => atoi(s) & 0xffff

export function parseLearn(arg: string, names?: NameMaps): OfAction {
  const specs: LearnSpec[] = []
  const a: LearnAction = {
    type: 'learn',
    idleTimeout: 0,
    hardTimeout: 0,
    finIdleTimeout: 0,
    finHardTimeout: 0,
    priority: DEFAULT_PRIORITY,
    cookie: 0n,
    table: 1,
    sendFlowRem: false,
    deleteLearned: false,
    limit: 0,
    specs,
  }
  for (const [key, value] of keyValues(arg)) {
    if (key === 'table') {
      a.table = parseTable(value, names) ?? syntaxError(`unknown table "${value}"`)
      if (a.table === 255) syntaxError(`${arg}: table id 255 not valid for \`learn' action`)
    } else if (key === 'priority') a.priority = u16(value)
    else if (key === 'idle_timeout') a.idleTimeout = u16(value)
    else if (key === 'hard_timeout') a.hardTimeout = u16(value)
    else if (key === 'fin_idle_timeout') a.finIdleTimeout = u16(value)
    else if (key === 'fin_hard_timeout') a.finHardTimeout = u16(value)
    else if (key === 'cookie') a.cookie = parseUint64(value, key)
    else if (key === 'send_flow_rem') a.sendFlowRem = true
    else if (key === 'delete_learned') a.deleteLearned = true
    else if (key === 'limit') a.limit = atoi(value) >>> 0
    else if (key === 'result_dst') {
      const dst = parseActionSubfield(value)
      if (!FIELDS[dst.field].writable) syntaxError(`${value} is read-only`)
      if (dst.nBits !== 1) syntaxError("result_dst in 'learn' action must be a single bit")
      a.resultDst = dst
    } else specs.push(spec(key, value, names))
  }
  return a
}
