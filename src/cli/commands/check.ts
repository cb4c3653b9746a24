import { Command } from 'commander'
import { colors, print } from '../output.ts'

export function checkCommand(): Command {
  return new Command('check')
    .description('say whether a configuration is valid, and everything that is wrong with it')
    .argument('<config>', 'configuration file (JSON with comments)')
    .addHelpText('after', '\nExamples:\n  $ vswitchd-ts check examples/netns-lab.json')
    .action(async (path: string) => {
      const { readConfig } = await import('../read-config.ts')
      const { bridges, hosts, routers } = readConfig(path)
      const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
      const parts = [
        count(bridges.length, 'bridge'),
        count(hosts.length, 'host'),
        count(routers.length, 'router'),
      ]
      print(`${colors.green('valid:')} ${path} (${parts.join(', ')})`)
    })
}
