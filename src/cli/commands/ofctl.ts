import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { nearest } from '../../config/nearest.ts'
import { COMMANDS } from '../../ofctl/commands.ts'
import { rundirOption, tlsOptions } from '../options.ts'
import type { OfctlFlags } from '../perform-ofctl.ts'

/** `--sort` alone and `--sort=FIELD`, as ovs-ofctl has them; what follows behind a blank is an argument. */
class OfctlSyntax extends Command {
  override parseOptions(argv: string[]): { operands: string[]; unknown: string[] } {
    return super.parseOptions(argv.map((a) => (a === '--sort' || a === '--rsort' ? `${a}=priority` : a)))
  }
}

function help(): string {
  const rows = COMMANDS.map((c) => [`${c.name} ${c.usage}`, c.description] as const)
  const width = Math.max(...rows.map(([left]) => (left.length > 34 ? 0 : left.length)))
  const lines = rows.map(([left, right]) =>
    left.length > width ? `  ${left}\n  ${' '.repeat(width)}  ${right}` : `  ${left.padEnd(width)}  ${right}`,
  )
  return `
Commands, as in ovs-ofctl(8); flows, groups and meters are written and printed as there:
${lines.join('\n')}

SWITCH is a bridge of the switch in the run directory (of vswitchd-ts or of Open vSwitch), the path of a
socket, tcp:HOST[:PORT] or ssl:HOST[:PORT].

Examples:
  $ vswitchd-ts ofctl show br0
  $ vswitchd-ts ofctl add-flow br0 'priority=10,tcp,nw_dst=10.0.0.1,actions=output:2'
  $ vswitchd-ts ofctl -O OpenFlow13 dump-flows br0 table=1
  $ vswitchd-ts ofctl --sort=nw_dst --no-stats dump-flows br0`
}

const NAMES = COMMANDS.map((c) => c.name)

/** One of them; there are too many to tell all in an error. */
function commandName(given: string): string {
  if (NAMES.includes(given)) return given
  const meant = nearest(given, NAMES)
  throw new InvalidArgumentError(meant === undefined ? '' : `(Did you mean ${meant}?)`)
}

/** `vswitchd-ts ofctl`: the everyday commands of ovs-ofctl(8), with the same text forms; see ofctl/. */
export function ofctlCommand(): Command {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
  const command = new OfctlSyntax('ofctl')
    .description('ask and program a switch by OpenFlow, as ovs-ofctl does')
    .addArgument(new Argument('<command>', 'what to do').choices(NAMES).argParser(commandName))
    .argument('[args...]', 'what the command takes')
    .option('-O, --protocols <versions>', 'versions allowed, as OpenFlow10,OpenFlow13 (default: OpenFlow10)')
    .option('--strict', 'mod-flows, del-flows: only the very flow that is named')
    .option('--bundle', 'make all changes at once, or none (OpenFlow 1.4)')
    .option('--readd', 'replace-flows: add also what is there already')
    .option('--may-create', 'mod-group: add the group if it is not there')
    .option('--no-stats', 'dump-flows: without counters and ages')
    .addOption(new Option('--names', 'print names of ports and tables (default on a terminal)'))
    .addOption(new Option('--no-names', 'neither print nor accept names'))
    .option('--sort <field>', 'dump-flows: in order of a field, or of priority', collect, [])
    .option('--rsort <field>', 'the same, highest first', collect, [])
    .option('--timestamp', 'monitor, snoop: say when each message came')
    .option('-P, --packet-in-format <format>', 'monitor: standard, nxt_packet_in or nxt_packet_in2')
    .addOption(rundirOption())
    .addHelpText('after', help)
    .action(async (name: string, args: string[], flags: OfctlFlags) => {
      const { performOfctl } = await import('../perform-ofctl.ts')
      await performOfctl(COMMANDS.find((c) => c.name === name)!, args, flags)
    })
  for (const option of tlsOptions()) command.addOption(option)
  return command
}
