import { Argument, Command } from 'commander'
import { completionScript, SHELLS, type Shell } from '../completion.ts'

/** @param program answers the command line with all its commands */
export function completionCommand(program: () => Command): Command {
  return new Command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      '\nExamples:\n  $ source <(vswitchd-ts completion bash)\n  $ vswitchd-ts completion zsh > ~/.zfunc/_vswitchd-ts\n  $ vswitchd-ts completion fish > ~/.config/fish/completions/vswitchd-ts.fish',
    )
    .action((shell: Shell) => {
      process.stdout.write(completionScript(program(), shell))
    })
}
