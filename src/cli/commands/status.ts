import { Command } from 'commander'
import { ask } from '../../control/client.ts'
import { jsonOption, rundirOption, type TableOptions } from '../options.ts'
import { print, printJson } from '../output.ts'
import { STATUS_COLUMNS } from '../port-table.ts'

export function statusCommand(): Command {
  return new Command('status')
    .description('show ports with their rates, and packets dropped by reason')
    .addOption(jsonOption())
    .addOption(rundirOption())
    .addHelpText('after', '\nExamples:\n  $ vswitchd-ts status\n  $ vswitchd-ts status --json | jq .drops')
    .action(async ({ rundir, json }: TableOptions) => {
      const status = await ask(rundir, 'status', {})
      if (json) return printJson(status)
      const { statusText } = await import('../status-text.ts')
      print(statusText(status, STATUS_COLUMNS))
    })
}
