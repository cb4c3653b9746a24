import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { Command } from 'commander'
import { CliError } from '../../errors.ts'
import { EXIT_ENVIRONMENT, EXIT_NOT_RUNNING } from '../exit-codes.ts'

/** Runs a command in a host's namespace; answers its exit code, 128 + n for a signal n as shells do. */
function run(host: string, command: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('ip', ['netns', 'exec', host, ...command], { stdio: 'inherit' })
    // The terminal sends its signals to the child as well; this one waits for what the child makes of them.
    const passOn = (signal: NodeJS.Signals) => void child.kill(signal)
    const ignore = () => {}
    process.on('SIGINT', ignore)
    process.on('SIGTERM', passOn)
    process.on('SIGHUP', passOn)
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new CliError(`The program ip cannot be run: ${error.message}.`, {
          code: EXIT_ENVIRONMENT,
          hint: 'It is in the Debian package iproute2.',
        }),
      )
    })
    child.once('close', (code, signal) => {
      process.off('SIGINT', ignore)
      process.off('SIGTERM', passOn)
      process.off('SIGHUP', passOn)
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}

export function execCommand(): Command {
  return new Command('exec')
    .description("run a command on a host (in its network namespace) and exit with the command's exit code")
    .argument('<host>', 'name of the host')
    .argument('<command...>', 'command and its arguments')
    .passThroughOptions()
    .addHelpText(
      'after',
      '\nExamples:\n  $ vswitchd-ts exec vm1 ping -c 3 10.0.0.254\n  $ vswitchd-ts exec vm1 bash',
    )
    .action(async (host: string, command: string[]) => {
      if (host.includes('/') || !existsSync(`/run/netns/${host}`)) {
        throw new CliError(`There is no host ${host}.`, {
          code: EXIT_NOT_RUNNING,
          hint: 'Hosts exist while the switch runs; `ip netns list` shows them.',
        })
      }
      process.exitCode = await run(host, command)
    })
}
