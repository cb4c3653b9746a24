import { join } from 'node:path'
import { Command } from 'commander'
import { type RundirOptions, rundirOption, type TlsOptions, tlsFiles, tlsOptions } from '../options.ts'

interface Flags extends RundirOptions, TlsOptions {
  readonly db?: string
  readonly database: readonly string[]
}

/** `vswitchd-ts monitor`: the tables of the database, live. */
export function monitorCommand(): Command {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
  const command = new Command('monitor')
    .description('follow the tables of the database live; line by line, when the output is no terminal')
    .argument('[tables...]', 'only these tables')
    .option('--db <remote>', 'the database server (default: db.sock in the run directory)')
    .option('--database <name>', 'only this database; may be given again', collect, [])
    .addOption(rundirOption())
    .addHelpText(
      'after',
      `
Examples:
  $ vswitchd-ts monitor
  $ vswitchd-ts monitor Port Interface | grep p1
  $ vswitchd-ts monitor --db tcp:127.0.0.1:6640`,
    )
    .action(async (tables: string[], flags: Flags) => {
      const { runMonitor } = await import('../run-monitor.ts')
      const db = flags.db ?? `unix:${join(flags.rundir, 'db.sock')}`
      await runMonitor({ db, tls: tlsFiles(flags), databases: flags.database, tables })
    })
  for (const option of tlsOptions()) command.addOption(option)
  return command
}
