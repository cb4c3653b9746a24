/** How people name a switch: an OpenFlow address, the path of a socket, or a bridge of the switch in the run directory. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT_NOT_RUNNING, EXIT_USAGE } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import type { Address } from '../net/address.ts'
import { parseOfAddress } from '../openflow/address.ts'

const HINT = 'It is a bridge, the path of a socket, unix:FILE, tcp:HOST[:PORT] or ssl:HOST[:PORT].'

/** @param suffix of the sockets of a bridge: `mgmt`, or `snoop` to listen to what others say */
export function switchAddress(text: string, rundir: string, suffix: 'mgmt' | 'snoop' = 'mgmt'): Address {
  const address = parseOfAddress(text)
  if (address !== undefined && !address.passive) return address
  if (text.includes(':')) {
    throw new CliError(`"${text}" is no switch that can be connected to.`, { code: EXIT_USAGE, hint: HINT })
  }
  const bridge = join(rundir, `${text}.${suffix}`)
  if (existsSync(bridge)) return { method: 'unix', passive: false, path: bridge }
  if (text.includes('/') && existsSync(text)) return { method: 'unix', passive: false, path: text }
  throw new CliError(`${text} is not a bridge or a socket.`, {
    code: EXIT_NOT_RUNNING,
    hint: `Bridges have a socket in ${rundir} while their switch runs; another directory is named with --rundir.`,
  })
}
