/**
 * Actions of the datapath in the words of ovs-dpctl(8): those that only need the packet. What goes by connections, to
 * controllers or into tunnels is not read.
 */
import { parseBig } from '../openflow/text/scan.ts'
import { formatSetFields, parseSetFields, type SetField } from './set-fields.ts'

export type OdpAction =
  | { readonly type: 'output'; readonly port: number }
  | { readonly type: 'push_vlan'; readonly tpid: number; readonly tci: number }
  | { readonly type: 'pop_vlan' }
  | { readonly type: 'set'; readonly attribute: string; readonly fields: readonly SetField[] }
  | { readonly type: 'trunc'; readonly length: number }
  | { readonly type: 'meter'; readonly meter: number }
  | { readonly type: 'recirc'; readonly id: number }
  | { readonly type: 'ct_clear' }
  | { readonly type: 'clone'; readonly actions: readonly OdpAction[] }
  | {
      readonly type: 'check_pkt_len'
      readonly size: number
      readonly greater: readonly OdpAction[]
      readonly other: readonly OdpAction[]
    }

const TPID = 0x8100
const CFI = 0x1000
/** Lists inside lists. */
const MAX_DEPTH = 16

class Wrong extends Error {}

const wrong = (): never => {
  throw new Wrong()
}

function number(text: string | undefined, bits = 32): number {
  const value = text === undefined ? undefined : parseBig(text)
  return value === undefined || value >> BigInt(bits) !== 0n ? wrong() : Number(value)
}

/** Words with what stands in their parentheses; commas and blanks lie between them. */
function* words(text: string): Generator<readonly [word: string, inside: string | undefined]> {
  let at = 0
  for (;;) {
    at += /^[\s,]*/.exec(text.slice(at))![0].length
    if (at === text.length) return
    const word = /^[^\s,()]+/.exec(text.slice(at))?.[0] ?? wrong()
    at += word.length
    if (text[at] !== '(') {
      yield [word, undefined]
      continue
    }
    const from = at + 1
    let level = 0
    do {
      if (at === text.length) wrong()
      if (text[at] === '(') level++
      else if (text[at] === ')') level--
      at++
    } while (level > 0)
    yield [word, text.slice(from, at - 1)]
  }
}

/** `name=value` members, each of which must be known. */
function members(text: string, known: readonly string[]): Map<string, string> {
  const found = new Map(text.split(',').map((part) => part.split('=') as [string, string]))
  for (const [name, value] of found) if (!known.includes(name) || value === undefined) wrong()
  return found
}

function pushVlan(text: string): OdpAction {
  const given = members(text, ['tpid', 'vid', 'pcp', 'cfi'])
  const cfi = number(given.get('cfi') ?? '1', 1) * CFI
  const tci = (number(given.get('pcp'), 3) << 13) | cfi | number(given.get('vid'), 12)
  return { type: 'push_vlan', tpid: number(given.get('tpid') ?? String(TPID), 16), tci }
}

function checkLength(text: string, depth: number): OdpAction {
  const [, size, greater, other] = /^size=(\d+),gt\((.*)\),le\((.*)\)$/.exec(text) ?? wrong()
  return {
    type: 'check_pkt_len',
    size: number(size, 16),
    greater: list(greater, depth + 1),
    other: list(other, depth + 1),
  }
}

function set(text: string): OdpAction {
  const [, attribute, inside] = /^(\w+)\((.*)\)$/.exec(text) ?? wrong()
  return { type: 'set', attribute, fields: parseSetFields(attribute, inside) ?? wrong() }
}

function action(word: string, inside: string | undefined, depth: number): OdpAction {
  if (inside === undefined) {
    if (word === 'pop_vlan' || word === 'ct_clear') return { type: word }
    return { type: 'output', port: number(word) }
  }
  if (word === 'push_vlan') return pushVlan(inside)
  if (word === 'set') return set(inside)
  if (word === 'trunc') return { type: 'trunc', length: number(inside) }
  if (word === 'meter') return { type: 'meter', meter: number(inside) }
  if (word === 'recirc') return { type: 'recirc', id: number(inside) }
  if (word === 'clone') return { type: 'clone', actions: list(inside, depth + 1) }
  return word === 'check_pkt_len' ? checkLength(inside, depth) : wrong()
}

function list(text: string, depth: number): OdpAction[] {
  if (depth > MAX_DEPTH) wrong()
  if (text.trim() === 'drop') return []
  return Array.from(words(text), ([word, inside]) => action(word, inside, depth))
}

/** None for `drop`; undefined for what is no such list. */
export function parseOdpActions(text: string): OdpAction[] | undefined {
  try {
    return list(text, 0)
  } catch (error) {
    if (error instanceof Wrong) return undefined
    throw error
  }
}

export function formatOdpActions(actions: readonly OdpAction[]): string {
  return actions.length === 0 ? 'drop' : actions.map(formatAction).join(',')
}

function formatAction(a: OdpAction): string {
  switch (a.type) {
    case 'output':
      return String(a.port)
    case 'push_vlan': {
      const tpid = a.tpid === TPID ? '' : `tpid=0x${a.tpid.toString(16).padStart(4, '0')},`
      const cfi = (a.tci & CFI) === 0 ? ',cfi=0' : ''
      return `push_vlan(${tpid}vid=${a.tci & 0xfff},pcp=${a.tci >>> 13}${cfi})`
    }
    case 'pop_vlan':
    case 'ct_clear':
      return a.type
    case 'set':
      return `set(${formatSetFields(a.attribute, a.fields)})`
    case 'trunc':
      return `trunc(${a.length})`
    case 'meter':
      return `meter(${a.meter})`
    case 'recirc':
      return `recirc(0x${a.id.toString(16)})`
    case 'clone':
      return `clone(${formatOdpActions(a.actions)})`
    case 'check_pkt_len':
      return `check_pkt_len(size=${a.size},gt(${formatOdpActions(a.greater)}),le(${formatOdpActions(a.other)}))`
  }
}
