/**
 * A private world for system tests: one process with its own PID, network and mount namespaces, an empty
 * /run (so that /run/netns and /var/run/openvswitch are its own), an /etc that can be written without
 * changing the machine's, and a sysfs that shows its own devices. Whatever a test makes in it (namespaces,
 * devices, daemons, files) ends with it, also when the test fails or vitest is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout's top directory. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
/** The command under test. */
export const COMMAND = join(ROOT, 'bin', 'vswitchd-ts')

export interface ExecResult {
  /** Exit code; 128 + n when signal n ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface ExecOptions {
  /** Runs the command inside this namespace (`ip netns exec`). */
  readonly netns?: string
  readonly input?: string
  /** Milliseconds after which the command is killed; 60 s unless given. */
  readonly timeout?: number
  readonly env?: Record<string, string>
}

const SIGNALS: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

/** Processes a command has left behind may hold its output open; then it ends without the rest of theirs. */
const LAST_WORDS_MS = 500

const ended = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      const answer = () => resolve(code ?? 128 + (SIGNALS[signal ?? ''] ?? 0))
      const timer = setTimeout(answer, LAST_WORDS_MS)
      child.once('close', () => {
        clearTimeout(timer)
        answer()
      })
    })
  })

/** The first child of a process, or undefined. */
function childOf(pid: number): number | undefined {
  try {
    const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0])
    return child > 0 ? child : undefined
  } catch {
    return undefined
  }
}

/** A command that runs on beside the test. */
export class Background {
  /** Resolves with the exit code. */
  readonly exited: Promise<number>
  readonly #child: ChildProcess
  readonly #forks: boolean
  #stdout = ''
  #stderr = ''
  #running = true
  #wake: (() => void)[] = []

  /** @param forks the child is only a parent that waits for the command, as `nsenter --pid` is. */
  constructor(child: ChildProcess, forks: boolean) {
    this.#child = child
    this.#forks = forks
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      this.#notify()
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
      this.#notify()
    })
    this.exited = ended(child).finally(() => {
      this.#running = false
      this.#notify()
    })
    this.exited.catch(() => {})
  }

  get stdout(): string {
    return this.#stdout
  }
  get stderr(): string {
    return this.#stderr
  }
  /** Both streams, for messages of failed tests. */
  get output(): string {
    return `${this.#stdout}${this.#stderr}`
  }
  get running(): boolean {
    return this.#running
  }
  /** Process id of the command as the machine sees it; undefined before it runs and after it ended. */
  get pid(): number | undefined {
    if (!this.#running || this.#child.pid === undefined) return undefined
    return this.#forks ? childOf(this.#child.pid) : this.#child.pid
  }

  /** Resolves once the output matches; rejects when the command ends or `timeout` ms pass before that. */
  async waitFor(pattern: RegExp, timeout = 30_000): Promise<RegExpExecArray> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#notify()
    }, timeout)
    try {
      for (;;) {
        const match = pattern.exec(this.output)
        if (match !== null) return match
        if (!this.#running) throw new Error(`the command ended before ${pattern} came:\n${this.output}`)
        if (late) throw new Error(`no ${pattern} within ${timeout} ms:\n${this.output}`)
        await new Promise<void>((resolve) => this.#wake.push(resolve))
      }
    } finally {
      clearTimeout(timer)
    }
  }

  write(text: string): void {
    this.#child.stdin?.write(text)
  }

  /** Ends standard input. */
  end(): void {
    this.#child.stdin?.end()
  }

  signal(name: NodeJS.Signals): void {
    const pid = this.pid
    if (pid !== undefined) process.kill(pid, name)
    else if (this.#running) this.#child.kill(name)
  }

  /** Signals the command, waits for its end (kills it after `timeout` ms) and gives its exit code. */
  async stop(name: NodeJS.Signals = 'SIGTERM', timeout = 15_000): Promise<number> {
    this.signal(name)
    const timer = setTimeout(() => this.signal('SIGKILL'), timeout)
    try {
      return await this.exited
    } finally {
      clearTimeout(timer)
    }
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = []
    for (const resolve of wake) resolve()
  }
}

/** Run once as process 1 of the world; then waits until its standard input ends. */
const SETUP = `
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock
mount -t sysfs sysfs /sys
mkdir /run/.etc /run/.etc/upper /run/.etc/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/.etc/upper,workdir=/run/.etc/work /etc
ip link set lo up
echo ready
trap '' INT TERM HUP
cat > /dev/null
`

export class World {
  /** A directory of the test's own, at the same path inside and outside; removed at the end. */
  readonly dir: string
  readonly #init: ChildProcess
  /** Process id, outside, of the world's process 1. */
  readonly #pid: number
  readonly #ended: Promise<number>
  #closing: Promise<void> | undefined
  readonly #background = new Set<Background>()
  readonly #daemons: Background[] = []
  #files = 0

  private constructor(dir: string, init: ChildProcess, ended: Promise<number>, pid: number) {
    this.dir = dir
    this.#init = init
    this.#ended = ended
    this.#pid = pid
  }

  static async create(): Promise<World> {
    const dir = await mkdtemp(join(tmpdir(), 'vswitchd-world-'))
    const init = spawn(
      'unshare',
      ['--pid', '--fork', '--kill-child', '--net', '--mount', '--mount-proc', 'bash', '-c', SETUP],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    )
    const setup = new Background(init, false)
    try {
      // While the kernel takes down large namespaces nobody gets a new one.
      await setup.waitFor(/^ready$/m, 60_000)
      const pid = childOf(init.pid!)
      if (pid === undefined) throw new Error('no process in the world')
      return new World(dir, init, setup.exited, pid)
    } catch (error) {
      init.stdin?.end()
      init.kill('SIGKILL')
      await rm(dir, { recursive: true, force: true })
      throw error
    }
  }

  /** A path inside the world as seen from outside, for reading files in its /run and /etc. */
  path(inside: string): string {
    return `/proc/${this.#pid}/root${inside}`
  }

  /** Starts a command that runs beside the test; ended at the latest by `close`. */
  spawn(argv: readonly string[], options: Omit<ExecOptions, 'timeout'> = {}): Background {
    const inside = options.netns === undefined ? argv : ['ip', 'netns', 'exec', options.netns, ...argv]
    const child = spawn('nsenter', ['-t', String(this.#pid), '--pid', '--net', '--mount', ...inside], {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: this.dir,
      env: { ...process.env, NO_COLOR: '1', ...options.env },
    })
    child.stdin?.on('error', () => {})
    const background = new Background(child, true)
    this.#background.add(background)
    void background.exited.finally(() => this.#background.delete(background)).catch(() => {})
    if (options.input !== undefined) {
      background.write(options.input)
      background.end()
    }
    return background
  }

  /** Runs a command to its end. Never rejects for an exit code. */
  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const command = this.spawn(argv, options)
    if (options.input === undefined) command.end()
    const timer = setTimeout(() => command.signal('SIGKILL'), options.timeout ?? 60_000)
    try {
      const code = await command.exited
      return { code, stdout: command.stdout, stderr: command.stderr }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Runs a command that must succeed and gives its standard output. */
  async ok(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
    const result = await this.exec(argv, options)
    if (result.code !== 0) {
      const where = options.netns === undefined ? '' : `in ${options.netns}: `
      throw new Error(`${where}${argv.join(' ')} gave ${result.code}:\n${result.stdout}${result.stderr}`)
    }
    return result.stdout
  }

  /** Runs a line of shell that must succeed, for set-up that reads better so. */
  sh(script: string, options: ExecOptions = {}): Promise<string> {
    return this.ok(['bash', '-ec', script], options)
  }

  /** Writes a file into the world's directory and gives its path. */
  async file(name: string, content: string | object): Promise<string> {
    const path = join(this.dir, name)
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
    return path
  }

  /** Runs `vswitchd-ts ARGS…` to its end. */
  cli(args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return this.exec([COMMAND, ...args], options)
  }

  /**
   * Starts the daemon in the foreground on a configuration (a path, or the value itself; undefined for none) and
   * waits until it says that the network is up.
   */
  async start(config: string | object | undefined, args: readonly string[] = []): Promise<Background> {
    const daemon = await this.launch(config, args)
    await daemon.waitFor(READY, 60_000)
    return daemon
  }

  /** The same, without waiting. */
  async launch(config: string | object | undefined, args: readonly string[] = []): Promise<Background> {
    this.#files += 1
    const path = typeof config === 'object' ? await this.file(`config-${this.#files}.json`, config) : config
    const daemon = this.spawn([COMMAND, 'start', ...(path === undefined ? [] : [path]), ...args])
    this.#daemons.push(daemon)
    return daemon
  }

  /** Ends what runs in it: first senders, then daemons (a device must outlive its senders), then all. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const daemons = this.#daemons.filter((daemon) => daemon.running)
    const others = [...this.#background].filter((command) => !daemons.includes(command))
    await Promise.allSettled(others.map((command) => command.stop('SIGTERM', 2_000)))
    await Promise.allSettled(daemons.map((daemon) => daemon.stop('SIGTERM', 10_000)))
    this.#init.stdin?.end()
    this.#init.kill('SIGKILL')
    await this.#ended
    await rm(this.dir, { recursive: true, force: true })
  }
}

/** What the daemon prints once the whole network is up. */
export const READY = /^up: /m
