/** A shell that runs one command after another for a test: it forks for less than the test's own large process does. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`

export class Shell {
  readonly #child: ChildProcess
  readonly #directory: string
  readonly #codes: AsyncIterator<string>
  #last: Promise<unknown> = Promise.resolve()

  private constructor(child: ChildProcess, directory: string) {
    this.#child = child
    this.#directory = directory
    this.#codes = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  }

  static async start(env: NodeJS.ProcessEnv): Promise<Shell> {
    const directory = await mkdtemp(join(tmpdir(), 'shell-'))
    return new Shell(spawn('sh', { env, cwd: directory, stdio: ['pipe', 'pipe', 'inherit'] }), directory)
  }

  /** Runs a command to its end, which must come by itself. */
  run(words: readonly string[], input = ''): Promise<Answer> {
    const answer = this.#last.then(() => this.#run(words, input))
    this.#last = answer.catch(() => {})
    return answer
  }

  async #run(words: readonly string[], input: string): Promise<Answer> {
    const file = (name: string) => join(this.#directory, name)
    writeFileSync(file('in'), input)
    this.#child.stdin!.write(`${words.map(quoted).join(' ')} <in >out 2>err; echo $?\n`)
    const { value, done } = await this.#codes.next()
    if (done) throw new Error('the shell has ended')
    return {
      code: Number(value),
      stdout: readFileSync(file('out'), 'utf8'),
      stderr: readFileSync(file('err'), 'utf8'),
    }
  }

  async stop(): Promise<void> {
    this.#child.kill()
    await rm(this.#directory, { recursive: true, force: true })
  }
}
