import { Command, InvalidArgumentError, Option } from 'commander'
import { tlsOptions } from '../options.ts'
import type { ControllerFlags } from '../run-controller.ts'

function seconds(text: string): number {
  if (text === 'permanent') return 0
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1 || n > 65535) {
    throw new InvalidArgumentError('It must be a number of seconds, 1 to 65535, or permanent.')
  }
  return n
}

function queueNumber(text: string): number {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 0 || n > 0xffff_fffe)
    throw new InvalidArgumentError('It must be the number of a queue.')
  return n
}

export function controllerCommand(): Command {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
  const command = new Command('controller')
    .description('control OpenFlow switches: make learning switches, or hubs, of them')
    .argument(
      '<methods...>',
      'where switches are: ptcp:[PORT], punix:FILE, tcp:HOST[:PORT], unix:FILE, pssl:, ssl:',
    )
    .option('-H, --hub', 'flood every packet')
    .option('-n, --no-flow', 'set up no flows, send every packet oneself')
    .option('-N, --normal', 'leave the choice of the port to the switch, where the destination is known')
    .option('-w, --wildcards', 'flows for addresses rather than for connections')
    .option('--mute', 'never answer a switch, to see what it does without')
    .addOption(
      new Option('--max-idle <seconds>', 'how long unused flows stay, or permanent')
        .argParser(seconds)
        .default(60),
    )
    .addOption(new Option('-q, --queue <id>', 'queue to send by').argParser(queueNumber))
    .option('-Q, --port-queue <port:queue>', 'queue for packets from a port', collect, [])
    .option('--with-flows <file>', 'flows that a switch gets when it connects', collect, [])
    .option('-O, --protocols <versions>', 'versions allowed, as OpenFlow10,OpenFlow13 (default: 1.0 to 1.5)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ vswitchd-ts controller ptcp:6653\n  $ vswitchd-ts controller --hub unix:/var/run/openvswitch/br0.mgmt\n  $ vswitchd-ts controller --with-flows flows.txt ptcp:6653:127.0.0.1',
    )
    .action(async (methods: string[], flags: ControllerFlags) => {
      const { runController } = await import('../run-controller.ts')
      await runController(methods, flags)
    })
  for (const option of tlsOptions()) command.addOption(option)
  return command
}
