/** The command line of a daemon, from its first word to the exit code. */
import { rmSync } from 'node:fs'
import { realClock } from '../services/scheduler.ts'
import { DAEMON_OPTIONS, daemonHelp, daemonOptions, versionText } from './daemon-options.ts'
import type { DaemonProgram } from './daemon-program.ts'
import { directories } from './directories.ts'
import { CommandLineError, parseCommandLine } from './getopt.ts'
import { detach, monitor, ROLE_VARIABLE } from './supervise.ts'

const pause = (ms: number) =>
  new Promise<void>((resolve) => realClock.schedule(realClock.now() + ms, resolve))

async function run(program: DaemonProgram, args: readonly string[]): Promise<number | NodeJS.Signals> {
  const dirs = directories()
  const commandLine = parseCommandLine(args, [...program.options, ...DAEMON_OPTIONS])
  const given = (name: string) => commandLine.options.some((option) => option.name === name)
  if (given('help')) {
    process.stdout.write(program.help(dirs) + daemonHelp(program.name, dirs) + program.ownHelp(dirs))
    return 0
  }
  if (given('version')) {
    process.stdout.write(`${versionText(program.name)}\n`)
    return 0
  }
  if (commandLine.rest.length > program.maxArguments) {
    const most = program.maxArguments === 1 ? 'one non-option argument' : `${program.maxArguments} arguments`
    throw new CommandLineError(`at most ${most} accepted; use --help for usage`)
  }
  const options = daemonOptions(program.name, commandLine.options, dirs)
  const role = process.env[ROLE_VARIABLE]
  delete process.env[ROLE_VARIABLE]
  if (role === undefined && options.detach) return detach(options.monitor ? 'monitor' : 'daemon')
  // Not needed by who only waits.
  const { controlSocket, openVlog, runDaemon } = await import('./run-daemon.ts')
  if (role === 'monitor' || (role === undefined && options.monitor)) {
    const vlog = openVlog(program.name, options)
    if (options.logFile !== undefined) vlog.open(options.logFile, true)
    const forsaken = (pid: number) => rmSync(controlSocket(program.name, pid, options, dirs), { force: true })
    return monitor(program.name, vlog.module('daemon_unix'), pause, forsaken)
  }
  process.title = program.name
  return runDaemon(program, commandLine, options, dirs)
}

/** Runs a daemon as a process of its own. */
export async function main(program: DaemonProgram): Promise<void> {
  // Nobody may read what is said there any more.
  process.stderr.on('error', () => {})
  try {
    const how = await run(program, process.argv.slice(2))
    if (typeof how === 'number') process.exit(how)
    process.removeAllListeners(how)
    process.kill(process.pid, how)
  } catch (error) {
    process.stderr.write(`${program.name}: ${(error as Error).message}\n`)
    process.exit(1)
  }
}
