import { Command } from 'commander'

/** Every word is the command's own, `--` among them. */
class Verbatim extends Command {
  override parseOptions(argv: string[]): { operands: string[]; unknown: string[] } {
    return { operands: argv, unknown: [] }
  }
}

/** `vswitchd-ts vsctl`: ovs-vsctl(8) for machines without Open vSwitch; see vsctl/. It reads its words by itself. */
export function vsctlCommand(): Command {
  return new Verbatim('vsctl')
    .description('configure a switch through its database, as ovs-vsctl does')
    .argument('[words...]', 'options, and commands parted by --, as for ovs-vsctl')
    .helpOption(false)
    .action(async (_words: string[], _flags: object, command: Command) => {
      const { runVsctl } = await import('../../vsctl/vsctl.ts')
      process.exitCode = await runVsctl(command.args, {
        out: (text) => process.stdout.write(text),
        err: (text) => process.stderr.write(text),
      })
    })
}
