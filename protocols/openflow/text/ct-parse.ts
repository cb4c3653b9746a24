/** ct() and its nat() from text. */

import { CT_ALG_FTP, CT_ALG_TFTP, type CtAction, type NatSpec, type OfAction } from '../action.ts'
import { requiresCt } from '../ct-codec.ts'
import { bigOf } from '../subfield.ts'
import { parseIpv4, parseIpv6 } from './address.ts'
import { type NameMaps, parseTable } from './names.ts'
import { keyValues, parseBig, syntaxError } from './scan.ts'
import { parseActionSubfield } from './subfield-text.ts'

/** `10.0.0.1-10.0.0.9:1000-2000`, `[fc00::1]-[fc00::9]:1000`, or nothing. */
function parseRange(s: string, nat: NatSpec): NatSpec {
  if (s === '') return nat
  const v4 = /^(\d+\.\d+\.\d+\.\d+)(?:-(\d+\.\d+\.\d+\.\d+))?(?::(\d+)(?:-(\d+))?)?$/.exec(s)
  const v6 =
    /^\[([0-9a-fA-F:.]+)\](?:-\[([0-9a-fA-F:.]+)\])?(?::(\d+)(?:-(\d+))?)?$/.exec(s) ??
    /^([0-9a-fA-F:.]+)(?:-([0-9a-fA-F:.]+))?()()$/.exec(s)
  const m = v4 ?? v6
  const bad = (): never => syntaxError(`invalid nat range "${s}"`)
  if (m === null) return bad()
  const parse = v4 === null ? parseIpv6 : parseIpv4
  const min = parse(m[1]) ?? bad()
  nat.minAddress = min
  if (m[2] !== undefined) {
    const max = parse(m[2]) ?? bad()
    if (bigOf(max) < bigOf(min)) bad()
    nat.maxAddress = max
  }
  nat.minPort = Number(m[3] || 0)
  nat.maxPort = Number(m[4] || 0)
  if (nat.minPort > 0xffff || nat.maxPort > 0xffff || (m[4] && nat.maxPort < nat.minPort)) bad()
  return nat
}

export function parseNat(arg: string): NatSpec {
  const nat: NatSpec = { minPort: 0, maxPort: 0, persistent: false, hash: false, random: false }
  for (const [key, value] of keyValues(arg)) {
    if (key === 'src' || key === 'dst') {
      if (nat.kind !== undefined && nat.kind !== key) syntaxError('May only specify one of "src" or "dst".')
      nat.kind = key
      parseRange(value, nat)
    } else if (key === 'persistent' || key === 'hash' || key === 'random') nat[key] = true
    else syntaxError(`invalid key "${key}" in "nat" argument`)
  }
  if (nat.kind === undefined && (nat.persistent || nat.hash || nat.random)) {
    syntaxError('Flags allowed only with "src" or "dst".')
  }
  if (nat.hash && nat.random) syntaxError('Both "hash" and "random" are not allowed.')
  return nat
}

function checkExec(list: readonly OfAction[]): void {
  for (const a of list) {
    const field = a.type === 'set_field' ? a.field : a.type === 'move' ? a.dst.field : undefined
    if (field === undefined) syntaxError(`ct action doesn't support nested action ${a.type}`)
    else if (!requiresCt(field)) syntaxError("ct action doesn't support nested modification of that field")
  }
}

const ALGS: Readonly<Record<string, number>> = { ftp: CT_ALG_FTP, tftp: CT_ALG_TFTP }

export function parseCt(
  arg: string,
  names: NameMaps | undefined,
  nested: (text: string, names?: NameMaps) => OfAction[],
): CtAction {
  const a: CtAction = { type: 'ct', commit: false, force: false, zone: 0, alg: 0, exec: [] }
  for (const [key, value] of keyValues(arg)) {
    if (key === 'commit') a.commit = true
    else if (key === 'force') a.force = true
    else if (key === 'table') {
      const table = parseTable(value, names)
      if (table === undefined) return syntaxError(`unknown table ${value}`)
      if (table === 0xff) return syntaxError('invalid table 0xff')
      a.table = table
    } else if (key === 'zone') {
      const zone = parseBig(value)
      a.zone = zone !== undefined && zone <= 0xffffn ? Number(zone) : parseActionSubfield(value)
    } else if (key === 'alg') a.alg = ALGS[value] ?? syntaxError(`invalid conntrack helper "${value}"`)
    else if (key === 'nat') a.nat = parseNat(value)
    else if (key === 'exec') {
      const list = nested(value, names)
      checkExec(list)
      a.exec = [...a.exec, ...list]
    } else syntaxError(`invalid argument to "ct" action: \`${key}'`)
  }
  if (a.force && !a.commit) syntaxError('"force" flag requires "commit" flag.')
  return a
}
