import { Command } from 'commander'
import { ask } from '../../control/client.ts'
import { type RundirOptions, rundirOption } from '../options.ts'
import { print } from '../output.ts'

export function traceCommand(): Command {
  return new Command('trace')
    .description('tell what a bridge would do with a packet, table by table')
    .argument('<bridge>', 'name of the bridge')
    .argument('<flow>', 'what arrives, as for ovs-ofctl: in_port=1,tcp,nw_dst=10.0.0.1')
    .argument('[packet]', 'a frame in hexadecimal that arrives instead, by the in_port of the flow')
    .addOption(rundirOption())
    .addHelpText(
      'after',
      "\nExamples:\n  $ vswitchd-ts trace br-in 'in_port=vm1,icmp,nw_src=10.0.0.1,nw_dst=10.0.0.2'\n  $ vswitchd-ts trace br-in in_port=1 ffffffffffff02000000000108060001080006040001…",
    )
    .action(async (bridge: string, flow: string, packet: string | undefined, { rundir }: RundirOptions) => {
      const lines = await ask(rundir, 'trace', { bridge, flow, ...(packet !== undefined && { packet }) })
      print(lines.join('\n'))
    })
}
