/** The options that all daemons have: how they run, what they log, where they are controlled. */
import { basename, join, resolve } from 'node:path'
import type { Directories } from './directories.ts'
import { CommandLineError, type GivenOption, type OptionSpec } from './getopt.ts'

export interface DaemonOptions {
  readonly detach: boolean
  readonly monitor: boolean
  readonly chdir: boolean
  /** Absolute, like all paths here. */
  readonly pidFile: string | undefined
  readonly overwritePidFile: boolean
  readonly logFile: string | undefined
  /** `none` for no control socket, undefined for the usual one. */
  readonly unixctl: string | undefined
  /** Settings of the log, in their order. */
  readonly verbose: readonly string[]
  readonly syslogMethod: string | undefined
  readonly syslogTarget: string | undefined
}

export const DAEMON_OPTIONS: readonly OptionSpec[] = [
  { long: 'detach', argument: 'none' },
  { long: 'monitor', argument: 'none' },
  { long: 'no-chdir', argument: 'none' },
  { long: 'user', argument: 'required' },
  { long: 'pidfile', argument: 'optional' },
  { long: 'overwrite-pidfile', argument: 'none' },
  { long: 'log-file', argument: 'optional' },
  { long: 'verbose', short: 'v', argument: 'optional' },
  { long: 'syslog-method', argument: 'required' },
  { long: 'syslog-target', argument: 'required' },
  { long: 'unixctl', argument: 'required' },
  { long: 'help', short: 'h', argument: 'none' },
  { long: 'version', short: 'V', argument: 'none' },
]

export const TLS_OPTIONS: readonly OptionSpec[] = [
  { long: 'private-key', short: 'p', argument: 'required' },
  { long: 'certificate', short: 'c', argument: 'required' },
  { long: 'ca-cert', short: 'C', argument: 'required' },
  { long: 'bootstrap-ca-cert', argument: 'required' },
  { long: 'peer-ca-cert', argument: 'required' },
  { long: 'ssl-protocols', argument: 'required' },
  { long: 'ssl-ciphers', argument: 'required' },
]

/** A path as options have it: relative ones are in the run directory. */
export function runPath(directories: Directories, path: string): string {
  return resolve(directories.run, path)
}

/**
 * @param program its name, of which the usual names of its files are made
 * @throws CommandLineError
 */
export function daemonOptions(
  program: string,
  given: readonly GivenOption[],
  directories: Directories,
): DaemonOptions {
  const last = (name: string) => given.filter((option) => option.name === name).at(-1)
  const pidFile = last('pidfile')
  const logFile = last('log-file')
  const unixctl = last('unixctl')?.value
  const detach = last('detach') !== undefined
  if (last('user') !== undefined) throw new CommandLineError('--user is not supported: run it as that user')
  return {
    detach,
    monitor: last('monitor') !== undefined,
    chdir: detach && last('no-chdir') === undefined,
    pidFile: pidFile && runPath(directories, pidFile.value ?? `${program}.pid`),
    overwritePidFile: last('overwrite-pidfile') !== undefined,
    logFile:
      logFile &&
      (logFile.value === undefined ? join(directories.log, `${program}.log`) : resolve(logFile.value)),
    unixctl: unixctl === undefined || unixctl === 'none' ? unixctl : runPath(directories, unixctl),
    verbose: given
      .filter((option) => option.name === 'verbose')
      .map((option) => option.value ?? 'ANY:ANY:DBG'),
    syslogMethod: last('syslog-method')?.value,
    syslogTarget: last('syslog-target')?.value,
  }
}

export const TLS_HELP = `PKI configuration (required to use SSL):
  -p, --private-key=FILE  file with private key
  -c, --certificate=FILE  file with certificate for private key
  -C, --ca-cert=FILE      file with peer CA certificate
  --bootstrap-ca-cert=FILE  file with peer CA certificate to read or create
SSL options:
  --ssl-protocols=PROTOS  list of SSL protocols to enable
  --ssl-ciphers=CIPHERS   list of SSL ciphers to enable
`

export function daemonHelp(program: string, directories: Directories): string {
  return `
Daemon options:
  --detach                run in the background, once it is ready
  --monitor               start it again when it crashes
  --no-chdir              with --detach, do not change to the directory '/'
  --pidfile[=FILE]        write the pid file (default: ${join(directories.run, `${program}.pid`)})
  --overwrite-pidfile     with --pidfile, also when it is running already

Logging options:
  -vSPEC, --verbose=SPEC  what is logged where: MODULE:DESTINATION:LEVEL
  -v, --verbose           log everything
  --log-file[=FILE]       append to a log file
                          (default: ${join(directories.log, `${program}.log`)})
  --syslog-method=(libc|null|udp:IP:PORT)
                          how syslog is reached
  --syslog-target=IP:PORT  send to syslog there by UDP, too
`
}

/** What `--version` says; Open vSwitch's number is that of the release whose behaviour this program has. */
export function versionText(program: string): string {
  return `${basename(program)} (Open vSwitch) 3.1.0`
}
