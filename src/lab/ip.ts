import { spawn } from 'node:child_process'
import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'

/**
 * iproute2's `ip`, run without a shell. Arguments are lists of words; words with spaces or control characters
 * are refused rather than quoted, because batch input knows no quoting that is safe for all of them.
 */

/** `ip` refused. `reason` is the kernel's or ip's own sentence, without prefix. */
export class IpError extends Error {
  readonly reason: string

  constructor(command: readonly string[], reason: string) {
    super(`ip ${command.join(' ')}: ${reason}`)
    this.name = 'IpError'
    this.reason = reason
  }
}

export type IpCommand = readonly string[]

/** The face of this module that the lab uses, so that tests can record instead of run. */
export interface Ip {
  /** Runs one command and gives what it prints. @throws IpError */
  run(...words: IpCommand): Promise<string>
  /** Runs commands in order, in one process, in a namespace or our own; ends at the first that fails. @throws IpError */
  batch(namespace: string | undefined, commands: readonly IpCommand[]): Promise<void>
}

export function ipProgram(program = 'ip'): Ip {
  return {
    run: (...words) => execute(program, words, undefined),
    async batch(namespace, commands) {
      if (commands.length === 0) return
      const where = namespace === undefined ? [] : ['-n', namespace]
      if (commands.length === 1) {
        await execute(program, [...where, ...commands[0]!], undefined)
        return
      }
      const input = commands.map((words) => `${words.map(checkWord).join(' ')}\n`).join('')
      await execute(program, [...where, '-batch', '-'], input, commands)
    },
  }
}

export function programMissing(program: string): CliError {
  return new CliError(`The program "${program}" is missing.`, {
    code: EXIT_ENVIRONMENT,
    hint: 'Install it with: apt-get install iproute2',
  })
}

function checkWord(word: string): string {
  if (!/^[!-~]+$/.test(word) || /["'\\#]/.test(word)) {
    throw new RangeError(`${JSON.stringify(word)} cannot be a word of an ip command`)
  }
  return word
}

function execute(
  program: string,
  words: IpCommand,
  input: string | undefined,
  batch: readonly IpCommand[] = [],
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    // A child that ended early has closed its input; its exit code says why.
    child.stdin.on('error', () => {})
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') return reject(error)
      reject(programMissing(program))
    })
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout)
      const failed = batch[Number(/Command failed -:(\d+)/.exec(stderr)?.[1]) - 1]
      reject(new IpError(failed ?? words, reasonOf(stderr) ?? `exit ${code ?? signal}`))
    })
    child.stdin.end(input)
  })
}

/** The first line that says why, without `RTNETLINK answers:` and the like. */
function reasonOf(stderr: string): string | undefined {
  const line = stderr.split('\n').find((text) => text.trim() !== '' && !text.startsWith('Command failed'))
  return line?.replace(/^(?:RTNETLINK answers|Error|ipv4|ipv6): /, '').trim()
}
