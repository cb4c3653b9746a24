/** multipath() and bundle() from text. */

import { FIELDS } from '../../meta-flow.ts'
import { type BundleAction, HASH_FIELDS, MULTIPATH_ALGORITHMS, type OfAction } from '../action.ts'
import { nxmHeader } from '../oxm.ts'
import { type NameMaps, parsePort } from './names.ts'
import { atoi, syntaxError } from './scan.ts'
import { parseActionSubfield } from './subfield-text.ts'

function oneOf<T extends string>(list: readonly T[], s: string, what: string): T {
  return list.find((x) => x === s.toLowerCase()) ?? syntaxError(`unknown ${what} \`${s}'`)
}

function destination(s: string): ReturnType<typeof parseActionSubfield> {
  const dst = parseActionSubfield(s)
  return nxmHeader(FIELDS[dst.field]) === 0 ? syntaxError(`experimenter OXM field '${s}' not supported`) : dst
}

export function parseMultipath(arg: string): OfAction {
  const [fields, basis, algorithm, links, number, dst] = arg.split(/[, ]+/).filter((s) => s !== '')
  if (dst === undefined) return syntaxError(`${arg}: not enough arguments to multipath action`)
  const n = atoi(links)
  if (n < 1 || n > 65536) return syntaxError(`${arg}: n_links ${n} is not in valid range 1 to 65536`)
  const to = destination(dst)
  if (to.nBits < 16 && n > 2 ** to.nBits) {
    return syntaxError(
      `${arg}: ${to.nBits}-bit destination field has ${2 ** to.nBits} possible values, less than specified n_links ${n}`,
    )
  }
  return {
    type: 'multipath',
    fields: oneOf(HASH_FIELDS, fields, 'fields'),
    basis: atoi(basis) & 0xffff,
    algorithm: oneOf(MULTIPATH_ALGORITHMS, algorithm, 'algorithm'),
    links: n,
    arg: atoi(number) >>> 0,
    dst: to,
  }
}

/** `fields,basis,algorithm,ofport,[dst,]members:1,2,…`; members were once called slaves. */
export function parseBundle(arg: string, names: NameMaps | undefined, load: boolean): OfAction {
  const m = /^(.*?)[, ]+(members|slaves)[: ]+(.*)$/i.exec(arg)
  if (m === null) return syntaxError(`${arg}: not enough arguments to bundle action`)
  const parts = m[1].split(/[, ]+/).filter((s) => s !== '')
  if (parts.length !== (load ? 5 : 4)) return syntaxError(`${arg}: not enough arguments to bundle action`)
  const [fields, basis, algorithm, type, dst] = parts
  if (type.toLowerCase() !== 'ofport') return syntaxError(`${arg}: unknown member_type \`${type}'`)
  const members = m[3]
    .split(/[, [\]]+/)
    .filter((s) => s !== '')
    .map((s) => parsePort(s, names) ?? syntaxError(`${s}: bad port number`))
  const a: BundleAction = {
    type: 'bundle',
    fields: oneOf(HASH_FIELDS, fields, 'fields'),
    basis: atoi(basis) & 0xffff,
    algorithm: oneOf(['active_backup', 'hrw'], algorithm, 'algorithm'),
    members,
  }
  if (load) a.dst = destination(dst)
  return a
}
