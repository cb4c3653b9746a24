/**
 * A real Open vSwitch of its own for a test: ovsdb-server and ovs-vswitchd with dummy devices, everything they
 * write in a temporary directory, nothing shared with another one on the machine. Dummy ports exist only inside
 * the process: frames are given to them through unixctl and what they send is read from their captures, so that
 * no privileges and no devices are needed. The daemons end with the process that started them.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnixctlClient } from './unixctl.ts'
import { until } from './until.ts'

export interface OvsResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface OvsBridge {
  /** Ports by name; OpenFlow port numbers count from 1 in this order. */
  readonly ports?: readonly string[]
  /** `secure` unless given: no flow until somebody adds it. */
  readonly failMode?: 'secure' | 'standalone'
  /** OpenFlow versions the bridge speaks; all unless given. */
  readonly protocols?: readonly string[]
}

/** A frame that left Open vSwitch. */
export interface OvsSent {
  readonly port: string
  readonly frame: Uint8Array
}

const ALL_VERSIONS = ['OpenFlow10', 'OpenFlow11', 'OpenFlow12', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15']
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
const PCAP_HEADER_LEN = 24
const PCAP_RECORD_LEN = 16
const PCAP_CAPTURED_LEN = 8

/** Unixctl answers at most ten requests in one turn of ovs-vswitchd's loop. */
const REQUESTS_A_TURN = 10

const hex = (frame: Uint8Array): string => Buffer.from(frame).toString('hex')

/** Asks the kernel to end the daemon when the test's process does. */
function daemon(command: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], { env, stdio: 'ignore' })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** The capture of what a port sends, read as it grows. */
class Capture {
  readonly #path: string
  #file: FileHandle | undefined
  #read = PCAP_HEADER_LEN

  constructor(path: string) {
    this.#path = path
  }

  /** What has come since it was last asked. */
  async next(): Promise<Uint8Array[]> {
    this.#file ??= await open(this.#path)
    const length = (await this.#file.stat()).size - this.#read
    if (length <= 0) return []
    const { buffer } = await this.#file.read(Buffer.alloc(length), 0, length, this.#read)
    const frames: Uint8Array[] = []
    for (let at = 0; at + PCAP_RECORD_LEN <= length; ) {
      const end = at + PCAP_RECORD_LEN + buffer.readUInt32LE(at + PCAP_CAPTURED_LEN)
      if (end > length) break
      frames.push(new Uint8Array(buffer.subarray(at + PCAP_RECORD_LEN, end)))
      this.#read += end - at
      at = end
    }
    return frames
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}

export class OpenVswitch {
  readonly #daemons: ChildProcess[] = []
  readonly #captures = new Map<string, Capture>()
  #control: UnixctlClient | undefined
  /** Whether cached flows may be of rules that have changed. */
  #outdated = false

  /** Everything the daemons write lies here, their sockets too (`BRIDGE.mgmt`, `db.sock`). */
  readonly directory: string
  /** Environment in which the ovs-* commands find this instance. */
  readonly env: NodeJS.ProcessEnv

  private constructor(directory: string, programs: string | undefined) {
    this.directory = directory
    this.env = {
      ...process.env,
      ...(programs === undefined ? {} : { PATH: `${programs}:${process.env['PATH']}` }),
      OVS_RUNDIR: directory,
      OVS_DBDIR: directory,
      OVS_LOGDIR: directory,
      OVS_SYSCONFDIR: directory,
    }
  }

  /** @param programs a directory whose daemons are run in place of the installed ones */
  static async start(programs?: string): Promise<OpenVswitch> {
    const ovs = new OpenVswitch(await mkdtemp(join(tmpdir(), 'ovs-')), programs)
    try {
      await ovs.#start()
      return ovs
    } catch (error) {
      await ovs.stop()
      throw error
    }
  }

  /** Where a file or socket of this instance lies. */
  path(name: string): string {
    return join(this.directory, name)
  }

  async #start(): Promise<void> {
    const database = this.path('conf.db')
    const socket = `unix:${this.path('db.sock')}`
    await this.run('ovsdb-tool', ['create', database, SCHEMA])
    const log = `--log-file=${this.path('ovsdb-server.log')}`
    this.#daemon('ovsdb-server', [
      database,
      `--remote=p${socket}`,
      `--unixctl=${this.path('ovsdb.ctl')}`,
      log,
    ])
    await until(
      async () => (await this.try('ovsdb-client', ['list-dbs', socket])).code === 0,
      'ovsdb-server answers',
    )
    await this.vsctl('--no-wait', 'init')
    this.#daemon('ovs-vswitchd', [
      socket,
      '--enable-dummy=override',
      '--disable-system',
      '--no-chdir',
      `--unixctl=${this.path('vswitchd.ctl')}`,
      `--log-file=${this.path('ovs-vswitchd.log')}`,
    ])
    this.#control = await until(
      () => UnixctlClient.connect(this.path('vswitchd.ctl')).catch(() => undefined),
      'ovs-vswitchd answers',
      60_000,
      () => this.log(),
    )
  }

  #daemon(command: string, args: readonly string[]): void {
    const child = daemon(command, args, this.env)
    child.on('error', () => {})
    this.#daemons.push(child)
  }

  /** What ovs-vswitchd has logged. */
  async log(): Promise<string> {
    return readFile(this.path('ovs-vswitchd.log'), 'utf8').catch(() => '')
  }

  /** Runs a command in this instance's environment; its exit code is part of the answer. */
  try(command: string, args: readonly string[], input?: string): Promise<OvsResult> {
    this.#outdated = true
    return new Promise((resolve) => {
      const options = { env: this.env, maxBuffer: 1 << 28, timeout: 60_000 }
      const child = execFile(command, args, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
        resolve({ code, stdout, stderr: stderr || (error !== null && stdout === '' ? error.message : '') })
      })
      child.stdin?.on('error', () => {})
      child.stdin?.end(input ?? '')
    })
  }

  /** Runs a command that must succeed and gives its output. */
  async run(command: string, args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.try(command, args, input)
    if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${code}\n${stderr}${stdout}`)
    return stdout
  }

  vsctl(...args: string[]): Promise<string> {
    return this.run('ovs-vsctl', [`--db=unix:${this.path('db.sock')}`, ...args])
  }

  ofctl(...args: string[]): Promise<string> {
    return this.run('ovs-ofctl', args)
  }

  /** ovs-ofctl that reads `input` where its arguments say `-`. */
  ofctlInput(input: string, ...args: string[]): Promise<string> {
    return this.run('ovs-ofctl', args, input)
  }

  /** ovs-ofctl whose failure is of interest. */
  tryOfctl(...args: string[]): Promise<OvsResult> {
    return this.try('ovs-ofctl', args)
  }

  /** A unixctl command of ovs-vswitchd, as ovs-appctl gives it; rejects with the daemon's error. */
  appctl(command: string, ...args: string[]): Promise<string> {
    return this.#control!.request(command, args)
  }

  /** Its cached flows go at once, instead of some time after a change. Counters of removed flows are credited. */
  async forgetCached(): Promise<void> {
    await this.appctl('revalidator/purge')
    this.#outdated = false
  }

  /** Makes a bridge of dummy ports that capture what they send. */
  async addBridge(name: string, options: OvsBridge = {}): Promise<void> {
    const protocols = (options.protocols ?? ALL_VERSIONS).join(',')
    const settings = [
      'datapath_type=dummy',
      `fail-mode=${options.failMode ?? 'secure'}`,
      `protocols=${protocols}`,
    ]
    const args = ['add-br', name, '--', 'set', 'bridge', name, ...settings]
    for (const [i, port] of (options.ports ?? []).entries())
      args.push('--', ...this.#portArgs(name, port, i + 1))
    await this.vsctl(...args)
  }

  /** Adds a dummy port; `settings` go to its Port record (`tag=10`, `vlan_mode=access` …). */
  async addPort(bridge: string, port: string, ofport: number, ...settings: string[]): Promise<void> {
    const args = this.#portArgs(bridge, port, ofport)
    if (settings.length > 0) args.push('--', 'set', 'port', port, ...settings)
    await this.vsctl(...args)
  }

  async deletePort(bridge: string, port: string): Promise<void> {
    await this.vsctl('del-port', bridge, port)
    await this.#captures.get(port)?.close()
    this.#captures.delete(port)
  }

  #portArgs(bridge: string, port: string, ofport: number): string[] {
    const path = this.path(`${port}-${ofport}.pcap`)
    this.#captures.set(port, new Capture(path))
    const settings = ['type=dummy', `ofport_request=${ofport}`, `options:tx_pcap=${path}`]
    return ['add-port', bridge, port, '--', 'set', 'interface', port, ...settings]
  }

  /**
   * Gives a frame to a port as if it had arrived there, and answers what has left all ports by it. Open vSwitch
   * looks at its cached flows again some time after a command has changed the rules; the frame comes after that.
   */
  async send(port: string, frame: Uint8Array): Promise<OvsSent[]> {
    if (this.#outdated) await this.appctl('revalidator/wait')
    this.#outdated = false
    await this.appctl('netdev-dummy/receive', port, hex(frame))
    await this.settle()
    return this.sent()
  }

  /** Resolves when ovs-vswitchd has been through its loop since the requests made so far. */
  async settle(): Promise<void> {
    await Promise.all(Array.from({ length: REQUESTS_A_TURN + 1 }, () => this.appctl('version')))
  }

  /** What has left since it was last asked, port by port, in order on each. */
  async sent(): Promise<OvsSent[]> {
    const sent: OvsSent[] = []
    for (const [port, capture] of this.#captures) {
      for (const frame of await capture.next()) sent.push({ port, frame })
    }
    return sent
  }

  async stop(): Promise<void> {
    this.#control?.close()
    for (const child of this.#daemons.reverse()) await end(child)
    for (const capture of this.#captures.values()) await capture.close()
    await rm(this.directory, { recursive: true, force: true })
  }
}
