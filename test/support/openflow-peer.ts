/** A bridge of a switch in memory with its OpenFlow switch object, and controllers that speak to it in memory. */
import { type Duplex, duplexPair } from 'node:stream'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import type { IpfixStats } from '../../protocols/openflow/ipfix.ts'
import {
  encodeMessage,
  type Message,
  type MessageBodies,
  type MessageType,
} from '../../protocols/openflow/message.ts'
import { Session } from '../../protocols/openflow/session.ts'
import type { OfVersion } from '../../protocols/openflow/version.ts'
import type { Connection } from '../../src/openflow/connection.ts'
import type { ConnectionKind } from '../../src/openflow/connection-state.ts'
import { type IpfixSource, OpenflowSwitch } from '../../src/openflow/openflow-switch.ts'
import { SwitchPorts } from '../../src/openflow/ports.ts'
import { SwitchLab } from './switch-lab.ts'
import { VirtualClock } from './virtual-clock.ts'

/** The other end of a connection. */
export class Peer {
  readonly duplex: Duplex
  readonly received: Message[] = []
  closed = false
  /** Why the switch ended it. */
  reason: string | undefined
  readonly #session: Session
  #xid = 100
  #waiting: (() => void)[] = []

  constructor(duplex: Duplex, version: OfVersion) {
    this.duplex = duplex
    this.#session = new Session(
      0,
      {
        send: (bytes) => void duplex.write(bytes),
        connected: () => this.#wake(),
        message: (message) => {
          this.received.push(message)
          this.#wake()
        },
        close: () => {
          this.closed = true
        },
      },
      { versions: 1 << version, inactivityProbe: 0 },
    )
    duplex.on('data', (chunk: Buffer) => this.#session.receive(0, chunk))
    const ended = () => {
      this.closed = true
      this.#wake()
    }
    duplex.on('close', ended)
    duplex.on('end', ended)
    duplex.on('error', () => {})
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Resolves with what `ask` finds, looking whenever something has come. */
  async until<R>(ask: () => R | undefined): Promise<R> {
    for (;;) {
      const found = ask()
      if (found !== undefined) return found
      if (this.closed) throw new Error(`the connection has ended: ${this.reason}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  get version(): OfVersion | undefined {
    return this.#session.version
  }

  /** Sends a message; its xid. */
  send<T extends MessageType>(type: T, body: MessageBodies[T]): number {
    const xid = this.#xid++
    const bytes = encodeMessage(type, body, { version: this.version!, xid })
    if (bytes === undefined) throw new Error(`no ${type} in version ${this.version}`)
    this.duplex.write(bytes)
    return xid
  }

  /** Sends a request and waits for what answers it; all of a multipart. */
  async ask<T extends MessageType>(type: T, body: MessageBodies[T]): Promise<Message> {
    const xid = this.send(type, body)
    return this.until(() => this.received.find((m) => m.xid === xid && !m.more))
  }

  /** Resolves when all that was sent before has been carried out. */
  async barrier(): Promise<void> {
    await this.ask('BARRIER_REQUEST', undefined)
  }

  /** The name of the error that answers a message; undefined for none until the barrier. */
  async errorOf<T extends MessageType>(type: T, body: MessageBodies[T]): Promise<OfErrorName | undefined> {
    const xid = this.send(type, body)
    await this.barrier()
    const answer = this.received.find((m) => m.xid === xid && m.type === 'ERROR')
    return answer?.type === 'ERROR' ? answer.body.name : undefined
  }

  /** Messages of one type so far. */
  all<T extends MessageType>(type: T): MessageBodies[T][] {
    return this.received.filter((m) => m.type === type).map((m) => m.body as MessageBodies[T])
  }
}

export class OpenflowLab {
  readonly lab = new SwitchLab()
  readonly clock = new VirtualClock()
  readonly sw: OpenflowSwitch
  readonly mistakes: string[] = []
  /** What is said to be exported of br0. */
  readonly exported: { bridge: IpfixStats | undefined; sets: IpfixStats[] } = { bridge: undefined, sets: [] }
  readonly ipfix: IpfixSource = {
    bridgeStats: () => this.exported.bridge,
    flowStats: () => this.exported.sets,
  }

  readonly #switches = new Map<string, OpenflowSwitch>()

  /** @param ports names, numbered from 1 */
  constructor(ports: readonly string[] = ['p1', 'p2']) {
    this.sw = this.bridge('br0', ports)
    this.lab.local.onEvent((event) => {
      for (const [name, sw] of this.#switches) {
        if (!('bridge' in event) || event.bridge === name) sw.receive(event)
      }
    })
  }

  /** A bridge, which drops what no flow matches, and its switch object. */
  bridge(name: string, ports: readonly string[]): OpenflowSwitch {
    this.lab.commands.bridgePut({
      name,
      agingTime: 300,
      macTableSize: 1000,
      forwardBpdu: false,
      failMode: 'secure',
    })
    for (const port of ports) this.lab.port(port, name)
    const sw = new OpenflowSwitch({
      dpif: this.lab.local.dpif,
      bridge: name,
      datapathId: 0x1234n,
      versions: 0x7e,
      clock: this.clock,
      ports: new SwitchPorts({
        dpif: this.lab.local.dpif,
        bridge: name,
        now: () => this.clock.now(),
        macOf: (port) => Uint8Array.of(2, 0, 0, 0, 0, Number(port.slice(1))),
      }),
      ipfix: this.ipfix,
      version: '1.2.3',
      log: (level, message) => {
        if (level === 'error') this.mistakes.push(message)
      },
    })
    this.#switches.set(name, sw)
    return sw
  }

  async peer(version: OfVersion, kind: ConnectionKind = 'controller', sw = this.sw): Promise<Peer> {
    const { peer } = this.connect(version, kind, sw)
    await peer.until(() => peer.version)
    return peer
  }

  connect(
    version: OfVersion,
    kind: ConnectionKind = 'controller',
    sw = this.sw,
  ): { peer: Peer; connection: Connection } {
    const [ours, theirs] = duplexPair()
    const peer = new Peer(theirs, version)
    const connection = sw.admit({
      duplex: ours,
      kind,
      peer: 'memory',
      onClose: (reason) => {
        peer.reason = reason
      },
    })
    return { peer, connection }
  }

  /** Resolves when a connection has ended. */
  async ended(reason: () => string | undefined): Promise<void> {
    while (reason() === undefined) await new Promise((resolve) => setImmediate(resolve))
  }

  /** A connection that speaks bytes alone. */
  raw(): { duplex: Duplex; reason: () => string | undefined } {
    const [ours, theirs] = duplexPair()
    let reason: string | undefined
    theirs.on('error', () => {})
    this.sw.admit({
      duplex: ours,
      kind: 'service',
      peer: 'memory',
      onClose: (why) => {
        reason = why
      },
    })
    return { duplex: theirs, reason: () => reason }
  }
}
