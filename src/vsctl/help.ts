import { join } from 'node:path'
import type { Directories } from '../process/directories.ts'
import { COMMANDS } from './commands.ts'

/** What `vsctl --help` says. */
export function vsctlHelp(directories: Directories): string {
  const commands = COMMANDS.map(({ name, usage, options }) => {
    const before = options.map((option) => (option.endsWith('=') ? `[${option}…] ` : `[${option}] `)).join('')
    return `  ${`${before}${name} ${usage}`.trimEnd()}\n`
  })
  return `usage: vswitchd-ts vsctl [OPTIONS] COMMAND [ARG...] [-- [OPTIONS] COMMAND [ARG...]]...
Configures a switch through its database, as ovs-vsctl(8) does; all commands are one transaction.

Commands:
${commands.join('')}
Options:
  --db=DATABASE               connect to DATABASE
                              (default: unix:${join(directories.run, 'db.sock')})
  --no-wait                   do not wait until the switch has done it
  --retry                     keep trying to connect
  -t, --timeout=SECS          give up after SECS seconds
  --dry-run                   do not commit changes to the database
  --oneline                   print exactly one line of output for each command
  --no-leader-only            any server of a cluster will do
  -f, --format=FORMAT         list, table, html, csv or json
  -d, --data=FORMAT           string, bare or json
  --no-headings, --pretty, --bare, --max-column-width=N
  -p, --private-key=FILE, -c, --certificate=FILE, -C, --ca-cert=FILE, --bootstrap-ca-cert=FILE
  -h, --help                  say this
  -V, --version               print the version
  --commands, --options       say for programs what there is
`
}
