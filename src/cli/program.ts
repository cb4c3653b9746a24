import { Command } from 'commander'
import type { DaemonModule } from '../daemon/types.ts'
import { captureCommand } from './commands/capture.ts'
import { checkCommand } from './commands/check.ts'
import { completionCommand } from './commands/completion.ts'
import { controllerCommand } from './commands/controller.ts'
import { execCommand } from './commands/exec.ts'
import { exportCommand } from './commands/export.ts'
import { monitorCommand } from './commands/monitor.ts'
import { ofctlCommand } from './commands/ofctl.ts'
import { pkiCommand } from './commands/pki.ts'
import { reloadCommand } from './commands/reload.ts'
import { schemaCommand } from './commands/schema.ts'
import { showCommand } from './commands/show.ts'
import { startCommand } from './commands/start.ts'
import { statusCommand } from './commands/status.ts'
import { stopCommand } from './commands/stop.ts'
import { topCommand } from './commands/top.ts'
import { traceCommand } from './commands/trace.ts'
import { vsctlCommand } from './commands/vsctl.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { errorColors } from './output.ts'

const CODES = EXIT_CODES.map(([code, meaning]) => `  ${code}  ${meaning}`).join('\n')

const HELP = `
Examples:
  $ vswitchd-ts start examples/netns-lab.json
  $ vswitchd-ts exec vm1 ping 10.0.0.254
  $ vswitchd-ts capture vm1 -w - | tcpdump -nr -

Exit codes:
${CODES}
  exec exits with the code of the command it ran.`

/** Errors are thrown, not ended with process.exit, and look alike in every command. */
function unify(command: Command): void {
  command.exitOverride()
  command.configureOutput({
    outputError: (text, write) => {
      const name = command.name() === 'vswitchd-ts' ? '' : ` ${command.name()}`
      const said = text.trimEnd().replace(/^error: /, `${errorColors.red('error:')} `)
      write(`${said}\n${errorColors.dim('hint:')} \`vswitchd-ts${name} --help\` tells how it is used.\n`)
    },
  })
  for (const child of command.commands) unify(child)
}

/**
 * The command line.
 * @param daemon loads the daemon, which only `start` and `stop` need
 * @param asked the command that will be run, if it is known: where there is one of that name the others are not made
 */
export function createProgram(version: string, daemon: () => Promise<DaemonModule>, asked?: string): Command {
  const program = new Command('vswitchd-ts')
    .description('A packet switch in userspace: bridges, VLANs, routers, NAT and DHCP from one JSON file')
    .version(version)
    .enablePositionalOptions()
    .addHelpText('after', HELP)
  const makers: Readonly<Record<string, () => Command>> = {
    start: () => startCommand(daemon),
    stop: () => stopCommand(daemon),
    reload: reloadCommand,
    status: statusCommand,
    check: checkCommand,
    export: exportCommand,
    schema: schemaCommand,
    exec: execCommand,
    show: showCommand,
    capture: captureCommand,
    top: topCommand,
    monitor: monitorCommand,
    trace: traceCommand,
    ofctl: ofctlCommand,
    vsctl: vsctlCommand,
    controller: controllerCommand,
    pki: pkiCommand,
    completion: () => completionCommand(() => createProgram(version, daemon)),
  }
  const made = asked !== undefined && Object.hasOwn(makers, asked) ? [makers[asked]!] : Object.values(makers)
  for (const make of made) program.addCommand(make())
  unify(program)
  return program
}
