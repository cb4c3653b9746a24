import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { EXIT_CONFIG } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import { checkBridges } from './checks/bridges.ts'
import { checkAttachments, checkHosts } from './checks/interfaces.ts'
import { type LooseConfig, Reporter } from './checks/reporter.ts'
import { checkRouters } from './checks/routers.ts'
import { checkUniqueness } from './checks/uniqueness.ts'
import { type ConfigError, configError } from './config-error.ts'
import { readDocument } from './document.ts'
import { prune, schemaProblems } from './issues.ts'
import type { Network } from './network.ts'
import { normalize } from './normalize.ts'
import type { ConfigInput } from './schema.ts'

export type LoadResult =
  | { readonly ok: true; readonly network: Network }
  | { readonly ok: false; readonly errors: readonly ConfigError[] }

const MAX_BYTES = 16 * 1024 * 1024

/**
 * Reads a configuration: JSON with comments. Every error there is comes at once, in the order of the text:
 * what is no JSON, what the schema refuses, and what contradicts itself.
 * @param directory that relative paths start from
 */
export function loadConfig(text: string, directory = '.'): LoadResult {
  const document = readDocument(text)
  // Text that is no JSON has been read only in part; what seems missing may stand behind the mistake.
  if (document.errors.some((e) => e.path === '$')) return { ok: false, errors: document.errors }

  const problems = schemaProblems(document.value)
  const report = new Reporter(document)
  for (const p of problems) {
    const position = p.atKey ? document.positionOfKey(p.path) : document.positionOf(p.path)
    report.errors.push(configError(p.path, position, p.found, p.expected, p.suggestion))
  }
  if (!problems.some((p) => p.path.length === 0 && !p.atKey)) {
    const readable = problems.length === 0 ? document.value : structuredClone(document.value)
    prune(readable, problems)
    const config = readable as LooseConfig
    const bridgesReadable = !problems.some((p) => p.path.length === 1 && p.path[0] === 'bridges')
    checkBridges(config, report)
    checkAttachments(config, bridgesReadable, report)
    checkHosts(config, report)
    checkRouters(config, report)
    checkUniqueness(config, report)
  }
  const errors = [...document.errors, ...report.errors]
  if (errors.length > 0) {
    return { ok: false, errors: errors.sort((a, b) => a.line - b.line || a.column - b.column) }
  }
  return { ok: true, network: normalize(document.value as ConfigInput, directory) }
}

/** As loadConfig; a file that cannot be read is a CliError. */
export function loadConfigFile(path: string): LoadResult {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      throw new CliError(`There is no configuration file ${path}.`, {
        code: EXIT_CONFIG,
        hint: 'examples/netns-lab.json is one to begin with.',
      })
    }
    throw new CliError(`The configuration file ${path} cannot be read: ${message}.`, { code: EXIT_CONFIG })
  }
  if (bytes.length > MAX_BYTES) {
    throw new CliError(`${path} has more than 16 MiB; that is no configuration file.`, { code: EXIT_CONFIG })
  }
  return loadConfig(bytes.toString('utf8'), dirname(path))
}
