import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { type DaemonModule, LOG_LEVELS } from '../../daemon/types.ts'
import { rundirOption } from '../options.ts'
import type { StartOptions } from '../run-switch.ts'

export function startCommand(loadDaemon: () => Promise<DaemonModule>): Command {
  return new Command('start')
    .description('bring up the network of a configuration and carry its traffic until stopped')
    .argument(
      '[config]',
      'configuration file (JSON with comments); without it the network is what the database says',
    )
    .option('-d, --detach', 'return when the network is up, and go on in the background')
    .addOption(new Option('--log-level <level>', 'what is logged').choices(LOG_LEVELS).default('info'))
    .option('--busy-poll', 'never sleep: lower latency for a whole processor')
    .addOption(
      new Option(
        '--gro <frames>',
        'small frames of a flow that are joined on their way to a TAP: those of TCP, or datagrams as well',
      ).choices(['tcp', 'all']),
    )
    .option('--no-gro', 'never join any')
    .option(
      '--db <address>',
      'a database server to be a client of, such as unix:/var/run/openvswitch/db.sock or tcp:127.0.0.1:6640',
    )
    .option('--private-key <file>', 'key for a database server at ssl:…')
    .option('--certificate <file>', 'certificate of that key')
    .option('--ca-cert <file>', "certificate of the authority that signs the server's")
    .option('--bootstrap-ca-cert <file>', 'the same, taken from the server if the file is not there')
    .option('--database <file>', 'keep the database in this file; it is made if it is not there')
    .addOption(rundirOption())
    .addHelpText(
      'after',
      '\nSIGINT and SIGTERM stop it, SIGHUP makes it read its configuration again.\n\nExamples:\n  $ vswitchd-ts start examples/netns-lab.json\n  $ vswitchd-ts start lab.json --detach --rundir /run/lab2',
    )
    .action(async (config: string | undefined, options: StartOptions) => {
      const path = config === undefined ? undefined : resolve(config)
      const { runForeground, runInBackground } = await import('../run-switch.ts')
      const run = options.detach ? runInBackground : runForeground
      await run(path, options, loadDaemon)
    })
}
