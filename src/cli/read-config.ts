import { loadConfigFile } from '../config/load.ts'
import type { Network } from '../config/network.ts'
import { CliError } from '../errors.ts'
import { EXIT_CONFIG } from './exit-codes.ts'

/** The network a file describes; a CliError that lists all that is wrong with it. */
export function readConfig(path: string): Network {
  const result = loadConfigFile(path)
  if (result.ok) return result.network
  const count = result.errors.length === 1 ? 'one error' : `${result.errors.length} errors`
  const list = result.errors.map((e) => `  ${e.message}`).join('\n')
  throw new CliError(`${path} has ${count}:\n${list}`, {
    code: EXIT_CONFIG,
    hint: '`vswitchd-ts schema` prints a JSON Schema with which editors complete and explain every key.',
  })
}
