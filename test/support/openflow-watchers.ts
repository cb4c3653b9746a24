/** Connections of the real ovs-ofctl that stay: to a real Open vSwitch and to a switch of ours, told the same. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'vitest'
import { encodeMessage, type MessageBodies, type MessageType } from '../../protocols/openflow/message.ts'
import type { OfVersion } from '../../protocols/openflow/version.ts'
import { hex } from './frames.ts'
import { UnixctlClient } from './unixctl.ts'
import { until } from './until.ts'

/** Without what two runs cannot have alike, and what ovs-ofctl notes for itself. */
export function timeless(text: string): string {
  return text
    .replaceAll(/^.*\|(WARN|INFO)\|.*\n/gm, '')
    .replaceAll(/(xid=)0x[0-9a-f]+/g, '$1X')
    .replaceAll(/(duration[=:])[0-9.]+s/g, '$1X')
    .replaceAll(/(_age=)\d+/g, '$1X')
    .replaceAll(/unix:\S+/g, 'unix:X')
    .replaceAll(/ hard_age=X,/g, '')
    .replaceAll(/(addr:|dpid:)[0-9a-f:]+/g, '$1X')
    .trimEnd()
}

let serial = 0

/** One `ovs-ofctl monitor`, told what to send by unixctl. */
export class Watcher {
  readonly #child: ChildProcess
  #unixctl: UnixctlClient | undefined
  #said = ''
  /** Whose replies have not been taken. */
  #barriers = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        this.#said += chunk
      })
    }
  }

  static async start(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<Watcher> {
    const socket = join(env.OVS_RUNDIR!, `watcher-${serial++}.ctl`)
    const child = spawn('ovs-ofctl', [`--unixctl=${socket}`, 'monitor', 'br0', ...args], { env })
    const watcher = new Watcher(child)
    const ready = async () => {
      try {
        watcher.#unixctl ??= await UnixctlClient.connect(socket)
        await watcher.#barrier()
        return true
      } catch {
        return false
      }
    }
    await until(ready, 'ovs-ofctl watches', 10_000, () => watcher.#said)
    return watcher
  }

  /** What came before it has been printed then, when its reply has. */
  async #barrier(): Promise<void> {
    await this.#request('ofctl/barrier')
    this.#barriers++
  }

  /** Sends a message, and waits for what it is answered: what is printed of the next one comes behind that. */
  async send(bytes: Uint8Array): Promise<void> {
    await this.#request('ofctl/send', hex(bytes))
    await this.#barrier()
  }

  async #request(command: string, ...args: string[]): Promise<void> {
    await this.#unixctl!.request(command, args)
  }

  /** What has come since this was last asked. */
  async take(): Promise<string> {
    await this.#barrier()
    const replied = () => this.#said.match(/^OFPT_BARRIER_REPLY.*\n/gm)?.length ?? 0
    await until(() => replied() >= this.#barriers, 'a barrier reply is printed')
    this.#barriers -= replied()
    const said = this.#said
    this.#said = ''
    const messages = said.replaceAll(/^(send: .*|OFPT_BARRIER_REPLY.*|.*\|vconn\|.*)\n/gm, '')
    return timeless(messages).replaceAll(/ duration[0-9.]+s/g, '')
  }

  stop(): void {
    this.#unixctl?.close()
    this.#child.kill()
  }
}

/** Flows that go at the same moment, and what is said of their table, go in no particular order. */
function inOrder(text: string): string {
  const messages = text.split(/\n(?=OFPT_)/)
  const isUnordered = messages.every((m) => /^OFPT_(FLOW_REMOVED|TABLE_STATUS)/.test(m))
  return isUnordered ? messages.sort().join('\n') : text
}

/** Both of them. */
export class Watchers {
  readonly #theirs: Watcher
  readonly #ours: Watcher

  constructor(theirs: Watcher, ours: Watcher) {
    this.#theirs = theirs
    this.#ours = ours
  }

  /** Sends a message to both switches. */
  async send<T extends MessageType>(version: OfVersion, type: T, body: MessageBodies[T]): Promise<void> {
    const bytes = encodeMessage(type, body, { version, xid: 0x1234 })
    if (bytes === undefined) throw new Error(`no ${type} in version ${version}`)
    await this.sendEach(bytes, bytes)
  }

  /** Sends each its bytes. */
  async sendEach(theirs: Uint8Array, ours: Uint8Array): Promise<void> {
    await Promise.all([this.#theirs.send(theirs), this.#ours.send(ours)])
  }

  /** What both have been told since this was last asked. */
  async take(): Promise<{ theirs: string; ours: string }> {
    const [theirs, ours] = await Promise.all([this.#theirs.take(), this.#ours.take()])
    return { theirs, ours }
  }

  /** The same must have been told to both; that is the result. */
  async expectAlike(what?: string): Promise<string> {
    const { theirs, ours } = await this.take()
    expect(inOrder(ours), what).toBe(inOrder(theirs))
    return ours
  }

  stop(): void {
    this.#theirs.stop()
    this.#ours.stop()
  }
}
