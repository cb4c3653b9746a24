import { fieldByName } from '../../protocols/meta-flow.ts'
import type { OfctlCommand } from '../ofctl/command.ts'
import { Context, type OfctlOptions, type SortCriterion, usage } from '../ofctl/context.ts'
import { DEFAULT_VERSIONS, parseVersions } from '../ofctl/versions.ts'
import { type TlsOptions, tlsFiles } from './options.ts'

/** The options of `ofctl` as they were written. */
export interface OfctlFlags extends TlsOptions {
  readonly rundir: string
  readonly protocols?: string
  readonly strict?: boolean
  readonly bundle?: boolean
  readonly readd?: boolean
  readonly mayCreate?: boolean
  readonly stats: boolean
  readonly names?: boolean
  readonly timestamp?: boolean
  readonly packetInFormat?: string
  readonly sort: readonly string[]
  readonly rsort: readonly string[]
}

const FIELDS_HINT = 'It is priority, or one of the fields of ovs-fields(7).'

function criteria(names: readonly string[], descending: boolean): SortCriterion[] {
  return names.map((field) => {
    if (field !== 'priority' && fieldByName(field) === undefined)
      throw usage(`"${field}" is no field to sort by.`, FIELDS_HINT)
    return { field, descending }
  })
}

function contextOptions(flags: OfctlFlags): OfctlOptions {
  return {
    rundir: flags.rundir,
    versions: flags.protocols === undefined ? DEFAULT_VERSIONS : parseVersions(flags.protocols),
    tls: tlsFiles(flags),
    strict: flags.strict === true,
    bundle: flags.bundle === true,
    readd: flags.readd === true,
    mayCreate: flags.mayCreate === true,
    stats: flags.stats,
    names: flags.names !== false,
    showNames: flags.names ?? process.stdout.isTTY === true,
    timestamp: flags.timestamp === true,
    packetInFormat: flags.packetInFormat,
    sort: [...criteria(flags.sort, false), ...criteria(flags.rsort, true)],
  }
}

/** Does one command of `ofctl` with what was given on the command line. */
export async function performOfctl(
  command: OfctlCommand,
  args: readonly string[],
  flags: OfctlFlags,
): Promise<void> {
  const { name } = command
  if (args.length < command.min || args.length > command.max) {
    throw usage(
      `${name} takes other arguments than these.`,
      `It is used as: vswitchd-ts ofctl ${name} ${command.usage}`,
    )
  }
  const context = new Context(args, contextOptions(flags))
  try {
    const { RUNS } = await command.load()
    await RUNS[name]!(context)
  } finally {
    context.close()
  }
}
