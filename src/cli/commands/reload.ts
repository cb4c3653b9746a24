import { resolve } from 'node:path'
import { Command } from 'commander'
import { ask } from '../../control/client.ts'
import { type RundirOptions, rundirOption } from '../options.ts'
import { print } from '../output.ts'

export function reloadCommand(): Command {
  return new Command('reload')
    .description('apply what has changed in the configuration; what did not change is not touched')
    .argument('[config]', 'configuration file; the one it was started with when absent')
    .addOption(rundirOption())
    .addHelpText('after', '\nExamples:\n  $ vswitchd-ts reload\n  $ vswitchd-ts reload other.json')
    .action(async (config: string | undefined, { rundir }: RundirOptions) => {
      if (config !== undefined) {
        const { readConfig } = await import('../read-config.ts')
        readConfig(config)
      }
      const params = config === undefined ? {} : { config: resolve(config) }
      const { steps } = await ask(rundir, 'reload', params)
      for (const step of steps) print(step)
      print(steps.length === 0 ? 'nothing has changed' : 'reloaded')
    })
}
