/**
 * A daemon's life, the same for all: options, background, log, pid file, control socket; then what the program is for;
 * and the way back when a signal or `ovs-appctl exit` ends it.
 */
import { join } from 'node:path'
import { loadSoon } from '../bundle/later.ts'
import { CommandRegistry } from '../unixctl/command-registry.ts'
import { startUnixctl, type UnixctlServer } from '../unixctl/server.ts'
import { vlogCommands } from '../unixctl/vlog-commands.ts'
import { type DaemonOptions, versionText } from './daemon-options.ts'
import type { DaemonProgram, Service } from './daemon-program.ts'
import type { Directories } from './directories.ts'
import { errorText } from './error-text.ts'
import { type CommandLine, CommandLineError } from './getopt.ts'
import { PidFile } from './pid-file.ts'
import { ReadyReport } from './report.ts'
import { EXIT_CRASHED } from './supervise.ts'
import { syslogWriter } from './syslog.ts'
import { Vlog } from './vlog.ts'
import { VLOG_MODULES } from './vlog-modules.ts'

/** Signals that end a daemon; it takes its files away first. */
const ENDING = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGALRM'] as const

/** @throws CommandLineError when a setting of the log is wrong */
export function openVlog(program: string, options: DaemonOptions): Vlog {
  const vlog = new Vlog(program, VLOG_MODULES)
  vlog.useSyslog(syslogWriter(program, options.syslogMethod, options.syslogTarget))
  for (const spec of options.verbose) {
    const wrong = vlog.set(spec)
    if (wrong !== undefined) throw new CommandLineError(`processing "${spec}": ${wrong}`)
  }
  return vlog
}

/** Where a daemon is given commands; empty for nowhere. */
export function controlSocket(
  name: string,
  pid: number,
  { unixctl }: DaemonOptions,
  { run }: Directories,
): string {
  return unixctl === 'none' ? '' : (unixctl ?? join(run, `${name}.${pid}.ctl`))
}

/** Runs it in this process; resolves with its exit code, or when a signal is to end it, with that. */
export async function runDaemon(
  program: DaemonProgram,
  commandLine: CommandLine,
  options: DaemonOptions,
  directories: Directories,
): Promise<number | NodeJS.Signals> {
  const report = new ReadyReport()
  const inBackground = report.awaited && options.detach
  const vlog = openVlog(program.name, options)
  const commands = new CommandRegistry()
  let pidFile: PidFile | undefined
  let unixctl: UnixctlServer | undefined
  let service: Service | undefined
  let end: (how: Ending) => void = () => {}
  const ended = new Promise<Ending>((resolve) => {
    end = resolve
  })
  const crash = (reason: unknown) => {
    vlog.log('util', 'EMER', reason instanceof Error ? (reason.stack ?? reason.message) : String(reason))
    pidFile?.release()
    void unixctl?.close()
    process.exit(EXIT_CRASHED)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  for (const signal of ENDING) process.on(signal, () => end({ how: signal, cleanup: false }))
  commands.add(
    { name: 'version', usage: '', min: 0, max: 0, run: () => versionText(program.name) },
    {
      name: 'exit',
      usage: program.cleansUp ? '[--cleanup]' : '',
      min: 0,
      max: program.cleansUp ? 1 : 0,
      // Answered when everything is done; the process ends once the answer has left.
      run: async (args) => {
        end({ how: 0, cleanup: args[0] === '--cleanup' })
        await closed
        return ''
      },
    },
    ...vlogCommands(vlog),
  )
  let settleClosed = () => {}
  const closed = new Promise<void>((resolve) => {
    settleClosed = resolve
  })
  try {
    if (options.logFile !== undefined) vlog.open(options.logFile)
    if (options.pidFile !== undefined) pidFile = PidFile.acquire(options.pidFile, options.overwritePidFile)
    service = await program.start({
      options: commandLine.options,
      arguments: commandLine.rest,
      directories,
      vlog,
      commands,
      end: (code) => end({ how: code, cleanup: false }),
    })
    const path = controlSocket(program.name, process.pid, options, directories)
    if (path !== '') {
      unixctl = await startUnixctl(path, commands, vlog.module('unixctl')).catch((error) => {
        throw new Error(`could not initialize control socket ${path} (${errorText(error)})`)
      })
    }
    // What is never ready can be ended all the same.
    const early = await Promise.race([service.ready, ended])
    if (early === undefined) {
      if (options.chdir) process.chdir('/')
      report.ready()
      loadSoon()
      if (inBackground) vlog.leaveConsole()
    }
    const { how, cleanup } = early ?? (await ended)
    await service.close({ cleanup })
    settleClosed()
    return how
  } catch (error) {
    await service?.close({ cleanup: false }).catch(() => {})
    throw error
  } finally {
    pidFile?.release()
    await unixctl?.close()
    vlog.close()
  }
}

interface Ending {
  readonly how: number | NodeJS.Signals
  readonly cleanup: boolean
}
