/**
 * The same commands of the real ovs-ofctl, given to a real Open vSwitch and to a switch of ours in memory: what
 * it prints of the one must be what it prints of the other.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { OFPP_LOCAL } from '../../protocols/openflow/port.ts'
import { parseActionSubfield } from '../../protocols/openflow/text/subfield-text.ts'
import { type Listener, listenStreams } from '../../src/net/stream.ts'
import { fromHex, hex } from './frames.ts'
import { OpenflowLab } from './openflow-peer.ts'
import { timeless, Watcher, Watchers } from './openflow-watchers.ts'
import { OvsSwitch } from './ovs-openflow.ts'
import { Shell } from './shell.ts'
import { readTrace, type Trace } from './trace-comparison.ts'

/** A command's words, quoted as for a shell; behind `<<<`, lines of its standard input with `;;` between them. */
export type Command = string

/** UDP, 10.0.0.1 port 1 to 10.0.0.2 port 2. */
export const DATAGRAM = fromHex(
  '020000000002 020000000001 0800 4500 0020 0000 0000 4011 66cb 0a000001 0a000002 0001 0002 000c 0000 01020304',
)
/** Ethernet and no more. */
export const PACKET = 'ffffffffffff0200000000010800'
export const O15 = (command: string) => `-O OpenFlow15 ${command}`
export const O13 = (command: string) => `-O OpenFlow13 ${command}`

/** A switch of ours, br0, at whose socket ovs-ofctl finds it. */
class OwnSwitch {
  readonly lab: OpenflowLab
  readonly env: NodeJS.ProcessEnv
  readonly #directory: string
  readonly #listener: Listener

  private constructor(lab: OpenflowLab, directory: string, listener: Listener) {
    this.lab = lab
    this.#directory = directory
    this.#listener = listener
    this.env = { ...process.env, OVS_RUNDIR: directory }
  }

  static async start(ports: readonly string[]): Promise<OwnSwitch> {
    const lab = new OpenflowLab(ports)
    lab.lab.port('br0', 'br0', undefined, { ofport: OFPP_LOCAL })
    await lab.sw.portsChanged()
    const directory = await mkdtemp(join(tmpdir(), 'own-'))
    const address = { method: 'unix', passive: true, path: join(directory, 'br0.mgmt') } as const
    const listener = await listenStreams(address, undefined, ({ duplex, peer }) => {
      lab.sw.admit({ duplex, peer, kind: 'service' })
    })
    return new OwnSwitch(lab, directory, listener)
  }

  async stop(): Promise<void> {
    this.lab.sw.close('the test is over')
    await this.#listener.close()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

/** What a command of ovs-ofctl has said: its exit code if it is not 0, errors and output. */
async function run(shell: Shell, args: readonly string[], input: string): Promise<string> {
  const { code, stdout, stderr } = await shell.run(['ovs-ofctl', '--timeout=20', ...args], input)
  return `${code === 0 ? '' : `exit code ${code}\n`}${stderr}${stdout}`
}

/** Lists come in no particular order: those of meters a paragraph each, others a line. */
function sorted(text: string): string {
  const head = /^OFPST_METER.*\n/.exec(text)?.[0] ?? ''
  const between = head === '' ? '\n' : '\n\n'
  return text.slice(head.length).split(between).sort().join(between)
}

export class Dialogue {
  readonly ovs: OvsSwitch
  readonly #own: OwnSwitch
  /** Where commands are run: at Open vSwitch's socket, and at ours. */
  readonly #shells: readonly Shell[]
  readonly #ports: readonly string[]
  #names: Map<string, string> | undefined

  private constructor(ovs: OvsSwitch, own: OwnSwitch, shells: readonly Shell[], ports: readonly string[]) {
    this.ovs = ovs
    this.#own = own
    this.#shells = shells
    this.#ports = ports
  }

  /** Ports are numbered from 1 in order. */
  static async start(ports: readonly string[]): Promise<Dialogue> {
    const ovs = await OvsSwitch.start(ports)
    const own = await OwnSwitch.start(ports)
    const shells = await Promise.all([ovs.ovs.env, own.env].map((env) => Shell.start(env)))
    return new Dialogue(ovs, own, shells, ports)
  }

  /** What ovs-ofctl says of Open vSwitch and of ours; `br0` may stand in the command wherever it likes. */
  async say(command: Command): Promise<{ theirs: string; ours: string }> {
    const [words, input = ''] = command.split(' <<< ')
    const args = (words.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ''))
    const text = input.split(' ;; ').join('\n')
    const isList = /dump-|-stats/.test(words)
    const [theirs, ours] = await Promise.all(
      this.#shells.map(async (shell) => timeless(await run(shell, args, text))),
    )
    return isList ? { theirs: sorted(theirs), ours: sorted(ours) } : { theirs, ours }
  }

  /** Gives both the commands in order, and compares the answers; the last is the result. */
  async expectAlike(...commands: Command[]): Promise<string> {
    let answer = ''
    for (const command of commands) {
      const { theirs, ours } = await this.say(command)
      expect(ours, command).toBe(theirs)
      answer = ours
    }
    return answer
  }

  /** A frame by a port must leave both by the same ports with the same bytes. */
  async expectSentAlike(port: number, frame: Uint8Array): Promise<string[]> {
    const { theirs, ours } = await this.send(port, frame)
    expect(ours).toEqual(theirs)
    return ours
  }

  /** What leaves both when a frame comes by the port with this number, what has left before it included. */
  async send(port: number, frame: Uint8Array): Promise<{ theirs: string[]; ours: string[] }> {
    const theirs = await this.ovs.send(port, frame)
    await this.ovs.forgetCached()
    const { lab } = this.#own.lab
    lab.device(this.#ports[port - 1]).inject(frame)
    // What leaves by a bridge's own port Open vSwitch does not capture.
    const sent = lab.drain().filter((s) => s.port !== 'br0')
    return { theirs, ours: sent.map((s) => `${s.port} ${hex(s.frame)}`).sort() }
  }

  /**
   * What both trace of a frame by a port, which need not be there. No address is known before: Open vSwitch learns
   * from a packet that it traces, and ours does not.
   */
  async trace(port: number, frame: Uint8Array): Promise<{ theirs: Trace; ours: Trace }> {
    this.#names ??= await this.#portNames()
    await this.ovs.ovs.appctl('fdb/flush', 'br0')
    this.#own.lab.lab.commands.fdbFlush('br0')
    const theirs = await this.ovs.ovs.appctl('ofproto/trace', 'br0', `in_port=${port}`, hex(frame))
    const ours = this.#own.lab.lab.commands.trace('br0', frame, port)
    return { theirs: readTrace(theirs, this.#names), ours: readTrace(ours.join('\n'), new Map()) }
  }

  /** A connection of ovs-ofctl to each, which stays and prints what comes; `args` as for `monitor br0`. */
  async watch(...args: string[]): Promise<Watchers> {
    const [theirs, ours] = await Promise.all(
      [this.ovs.ovs.env, this.#own.env].map((env) => Watcher.start(env, args)),
    )
    return new Watchers(theirs!, ours!)
  }

  /** Time stands still with both from now on, but for what `pass` says. */
  async stopTime(): Promise<void> {
    await this.ovs.ovs.appctl('time/stop')
  }

  /** Lets seconds pass; what is due by then is done. */
  async pass(seconds: number): Promise<void> {
    const { ovs } = this.ovs
    await ovs.appctl('time/warp', `${seconds * 1000}`, '1000')
    await ovs.appctl('revalidator/wait')
    await ovs.settle()
    const { lab, clock } = this.#own.lab
    for (let i = 0; i < seconds; i++) {
      lab.pass(1)
      clock.advance(1000)
    }
  }

  /** The addresses of a port with Open vSwitch and with us. */
  async macs(port: string): Promise<[Uint8Array, Uint8Array]> {
    const of = async (shell: Shell) => {
      const text = await run(shell, ['dump-ports-desc', 'br0'], '')
      return fromHex(new RegExp(`\\(${port}\\): addr:([0-9a-f:]+)`).exec(text)![1]!.replaceAll(':', ''))
    }
    return [await of(this.#shells[0]!), await of(this.#shells[1]!)]
  }

  /** Rules that a table may have, and whether others make room for more, as in Open vSwitch's Flow_Table. */
  async limitTable(
    table: number,
    limit: number,
    policy: 'evict' | 'refuse',
    groups: readonly string[] = [],
  ): Promise<void> {
    const settings = [`flow_limit=${limit}`, `overflow_policy=${policy}`, `groups=${JSON.stringify(groups)}`]
    const create = ['--', '--id=@t', 'create', 'flow_table', ...settings]
    await this.ovs.ovs.vsctl('set', 'bridge', 'br0', `flow_tables:${table}=@t`, ...create)
    const fields = groups.map(parseActionSubfield)
    const spec = { name: '', maxFlows: limit, eviction: policy === 'evict', groups: fields }
    this.#own.lab.lab.commands.flowTablePut('br0', table, spec)
  }

  /** Names of ports by the numbers that Open vSwitch's datapath gives them. */
  async #portNames(): Promise<Map<string, string>> {
    const ports = (await this.ovs.ovs.appctl('dpif/show')).matchAll(/(\w+) \d+\/(\d+):/g)
    return new Map([...ports].map(([, name, number]) => [number, name]))
  }

  /** Mistakes of ours, in words; none. */
  get mistakes(): readonly string[] {
    return this.#own.lab.mistakes
  }

  /** Neither has a flow, group or meter any more. */
  async reset(): Promise<void> {
    // Flows first: Open vSwitch 3.1 aborts when a group goes that a flow names twice.
    await this.say('del-flows br0')
    await this.say('-O OpenFlow15 del-groups br0')
    await this.say('-O OpenFlow13 del-meters br0')
    await this.ovs.forgetCached()
  }

  async stop(): Promise<void> {
    await Promise.all([this.ovs.stop(), this.#own.stop(), ...this.#shells.map((shell) => shell.stop())])
  }
}
