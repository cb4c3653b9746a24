import { Command } from 'commander'
import { askStop } from '../../control/client.ts'
import type { DaemonModule } from '../../daemon/types.ts'
import { CliError } from '../../errors.ts'
import { EXIT_NOT_RUNNING } from '../exit-codes.ts'
import { type RundirOptions, rundirOption } from '../options.ts'
import { print } from '../output.ts'

export function stopCommand(daemon: () => Promise<DaemonModule>): Command {
  return new Command('stop')
    .description('stop the switch and take back everything it has made; also after it was killed')
    .addOption(rundirOption())
    .addHelpText('after', '\nExamples:\n  $ vswitchd-ts stop')
    .action(async ({ rundir }: RundirOptions) => {
      try {
        await askStop(rundir)
        print('stopped')
      } catch (error) {
        if (!(error instanceof CliError) || error.code !== EXIT_NOT_RUNNING) throw error
        const { removeLeftovers } = await daemon()
        const removed = await removeLeftovers(rundir, (what) => print(`removed ${what}`))
        if (!removed) throw error
        print('The switch had not been stopped properly; what it had left is removed.')
      }
    })
}
