import { Command } from 'commander'
import { ask } from '../../control/client.ts'
import { type RundirOptions, rundirOption } from '../options.ts'
import { printJson } from '../output.ts'

export function exportCommand(): Command {
  return new Command('export')
    .description('print the present network as a configuration that starts it again')
    .addOption(rundirOption())
    .addHelpText('after', '\nExamples:\n  $ vswitchd-ts export > lab.json')
    .action(async ({ rundir }: RundirOptions) => printJson(await ask(rundir, 'export', {})))
}
