/** Which versions of OpenFlow a connection may have, as ovs-ofctl's -O says it. */

import { OF10, OF13, OF14, OF15, type OfVersion } from '../../protocols/openflow/version.ts'
import { EXIT_USAGE } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'

/** As ovs-ofctl has it: what is not asked for is 1.0. */
export const DEFAULT_VERSIONS = 1 << OF10
/** Bundles came with 1.4. */
export const BUNDLE_VERSIONS = (1 << OF14) | (1 << OF15)

/** `OpenFlow13`, the name in options. */
export function versionName(version: OfVersion): string {
  return `OpenFlow1${version - OF10}`
}

/** `OpenFlow10,OpenFlow13` as bits, 1 << version. */
export function parseVersions(text: string): number {
  let versions = 0
  for (const word of text.split(/[, ]+/).filter((s) => s !== '')) {
    const m = /^OpenFlow1\.?([0-5])$/i.exec(word)
    if (m === null) {
      throw new CliError(`"${word}" is no version of OpenFlow.`, {
        code: EXIT_USAGE,
        hint: `Versions are ${versionName(OF10)} to ${versionName(OF15)}; most switches speak ${versionName(OF13)}.`,
      })
    }
    versions |= 2 << Number(m[1])
  }
  return versions
}
