/**
 * A client's connection to a switch: requests and their replies by transaction id, changes confirmed by a barrier,
 * and what the switch tells unasked. It lives as long as one command.
 */

import type { Duplex } from 'node:stream'
import type { ErrorMessage } from '../../protocols/openflow/error-message.ts'
import type { Message, MessageBodies, MessageType } from '../../protocols/openflow/message.ts'
import { encodeMessage } from '../../protocols/openflow/message.ts'
import { formByName, type MessageForm } from '../../protocols/openflow/message-forms.ts'
import { messageType, messageXid } from '../../protocols/openflow/message-header.ts'
import { MessageReader } from '../../protocols/openflow/message-reader.ts'
import { Session } from '../../protocols/openflow/session.ts'
import { formatMessage } from '../../protocols/openflow/text/message-format.ts'
import type { OfVersion } from '../../protocols/openflow/version.ts'
import { type Duration, SECOND } from '../../protocols/time.ts'
import { EXIT_FAILURE, EXIT_USAGE } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import { type Address, formatAddress } from '../net/address.ts'
import { openStream, type TlsFiles } from '../net/stream.ts'
import { MachineTimer, realClock } from '../services/scheduler.ts'
import { versionName } from './versions.ts'

export interface ConnectOptions {
  /** 1 << version of those that are allowed. */
  readonly versions: number
  readonly tls?: TlsFiles | undefined
  /** Silence after which the switch is asked whether it lives; 0, the default: never. */
  readonly inactivityProbe?: Duration
  /** Given the errors that nobody waits for; without it they come out of the next barrier. */
  readonly onRefusal?: (refusal: Refusal) => void
  /** Once a version is agreed on, nothing is sent. */
  readonly mute?: boolean
}

/** The switch answered with an error. */
export class Refusal extends CliError {
  readonly error: ErrorMessage

  constructor(message: Message & { type: 'ERROR' }) {
    const [first = '', ...what] = formatMessage(message).split('\n')
    const name = message.body.name ?? first.slice(first.indexOf(':') + 2)
    super(`The switch refused it: ${name}.`, {
      code: EXIT_FAILURE,
      ...(what.length === 0 ? {} : { hint: `It was: ${what.join('\n')}` }),
    })
    this.error = message.body
  }
}

const ECHO_REPLY = 3

type Reply = { resolve: (m: Message) => void; reject: (e: Error) => void }

export class SwitchConnection {
  readonly version: OfVersion
  readonly #duplex: Duplex
  readonly #timer: MachineTimer
  readonly #waiting = new Map<number, Reply>()
  /** Errors that answer messages nobody waits for: changes, until a barrier asks. */
  #firstRefusal: (Message & { type: 'ERROR' }) | undefined
  #refusals = 0
  #xid = 2
  #closed: string | undefined
  readonly #onRefusal: ConnectOptions['onRefusal']
  #onMessage: ((m: Message) => void) | undefined
  readonly #ended: Promise<never>
  #failEnded: (error: Error) => void = () => {}
  #onClose: ((reason: string) => void) | undefined

  private constructor(
    version: OfVersion,
    duplex: Duplex,
    timer: MachineTimer,
    onRefusal: ConnectOptions['onRefusal'],
  ) {
    this.#onRefusal = onRefusal
    this.version = version
    this.#duplex = duplex
    this.#timer = timer
    this.#ended = new Promise((_, reject) => {
      this.#failEnded = reject
    })
    this.#ended.catch(() => {})
  }

  /** Rejects with a CliError that says why there is no connection. */
  static async open(name: string, address: Address, options: ConnectOptions): Promise<SwitchConnection> {
    return SwitchConnection.over(name, await connect(name, address, options.tls), options)
  }

  /** The same over a stream that is there, from a switch that has connected to us. */
  static over(name: string, duplex: Duplex, options: ConnectOptions): Promise<SwitchConnection> {
    return new Promise((resolve, reject) => {
      let connection: SwitchConnection | undefined
      let timer: MachineTimer | undefined
      const end = (reason: string): void => {
        timer?.stop()
        if (connection !== undefined) connection.#end(reason)
        else {
          duplex.destroy()
          reject(noAgreement(name, reason, options.versions))
        }
      }
      const sink = {
        send: (bytes: Uint8Array) => {
          if (options.mute !== true || connection === undefined) duplex.write(bytes)
        },
        connected: (version: OfVersion) => {
          connection = new SwitchConnection(version, duplex, timer!, options.onRefusal)
          resolve(connection)
        },
        message: (message: Message) => connection!.#take(message),
        close: end,
      }
      const session = new Session(realClock.now(), sink, {
        versions: options.versions,
        inactivityProbe: options.inactivityProbe ?? 0,
        maxWaitingEntries: Number.POSITIVE_INFINITY,
      })
      timer = new MachineTimer(realClock, session)
      timer.update()
      duplex.on('data', (chunk: Buffer) => {
        session.receive(realClock.now(), chunk)
        timer?.update()
      })
      duplex.on('error', (error: Error) => end(error.message))
      duplex.on('close', () => end('the switch closed it'))
    })
  }

  #take(message: Message): void {
    const reply = this.#waiting.get(message.xid)
    if (reply !== undefined) {
      this.#waiting.delete(message.xid)
      if (message.type === 'ERROR') reply.reject(new Refusal(message))
      else reply.resolve(message)
    } else if (message.type === 'ERROR') this.#refused(message)
    else this.#onMessage?.(message)
  }

  #refused(message: Message & { type: 'ERROR' }): void {
    if (this.#onRefusal !== undefined) this.#onRefusal(new Refusal(message))
    else {
      this.#firstRefusal ??= message
      this.#refusals++
    }
  }

  #end(reason: string): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    this.#timer.stop()
    this.#duplex.destroy()
    for (const { reject } of this.#waiting.values()) reject(lost(reason))
    this.#waiting.clear()
    this.#failEnded(lost(reason))
    this.#onClose?.(reason)
  }

  /** A transaction id that nobody has. */
  nextXid(): number {
    return this.#xid++
  }

  /** A message's bytes under a new transaction id, or a complaint that the version has no such message. */
  encode<T extends MessageType>(type: T, body: MessageBodies[T], formName?: string): [Uint8Array, number] {
    const xid = this.nextXid()
    const form: MessageForm | undefined = formName === undefined ? undefined : formByName(formName)
    const bytes = encodeMessage(type, body, { version: this.version, xid, ...(form && { form }) })
    if (bytes !== undefined) return [bytes, xid]
    throw new CliError(`${versionName(this.version)} cannot say that (${type}).`, {
      code: EXIT_USAGE,
      hint: 'Allow a newer version with -O, for example -O OpenFlow13; the bridge must allow it too.',
    })
  }

  /** Sends what needs no reply; a refusal comes out of the next `barrier`. Answers the transaction id. */
  send<T extends MessageType>(type: T, body: MessageBodies[T], formName?: string): number {
    const [bytes, xid] = this.encode(type, body, formName)
    this.write(bytes)
    return xid
  }

  /** Bytes that wait for the switch to read them. */
  get backlog(): number {
    return this.#duplex.writableLength
  }

  write(bytes: Uint8Array): void {
    this.#duplex.write(bytes)
  }

  /** The whole reply, of lists with all their parts; rejects with a Refusal when it is an error. */
  request<T extends MessageType, R extends MessageType>(
    type: T,
    body: MessageBodies[T],
    reply: R,
    formName?: string,
  ): Promise<Message & { type: R }> {
    const [bytes, xid] = this.encode(type, body, formName)
    return this.exchange(bytes, xid, reply)
  }

  async exchange<R extends MessageType>(
    bytes: Uint8Array,
    xid: number,
    reply: R,
  ): Promise<Message & { type: R }> {
    if (this.#closed !== undefined) throw lost(this.#closed)
    const answer = new Promise<Message>((resolve, reject) => this.#waiting.set(xid, { resolve, reject }))
    this.write(bytes)
    const message = await answer
    if (message.type === reply) return message as Message & { type: R }
    throw new CliError(`The switch answered with ${message.type} where ${reply} was asked for.`)
  }

  /** Resolves with the transaction id when the echo is back, of which the session itself says nothing. */
  async echo(payload: Uint8Array): Promise<number> {
    const [bytes, xid] = this.encode('ECHO_REQUEST', payload)
    const reader = new MessageReader()
    let stop = () => {}
    const back = new Promise<void>((resolve) => {
      const look = (chunk: Buffer): void =>
        reader.push(chunk, (message) => {
          if (messageType(message) === ECHO_REPLY && messageXid(message) === xid) resolve()
          return true
        })
      this.#duplex.on('data', look)
      stop = () => void this.#duplex.off('data', look)
    })
    this.write(bytes)
    try {
      await Promise.race([back, this.#ended])
    } finally {
      stop()
    }
    return xid
  }

  /** Resolves when all that was sent before is done; rejects with the first refusal among it. */
  async barrier(): Promise<void> {
    await this.request('BARRIER_REQUEST', undefined, 'BARRIER_REPLY')
    const refused = this.takeRefusal()
    if (refused !== undefined) throw refused
  }

  /** The first error since it was last asked for that nobody waited for, with the number of the others. */
  takeRefusal(): CliError | undefined {
    const first = this.#firstRefusal
    const count = this.#refusals
    this.#firstRefusal = undefined
    this.#refusals = 0
    if (first === undefined) return undefined
    const refusal = new Refusal(first)
    if (count === 1) return refusal
    return new CliError(`${refusal.message} ${count - 1} more were refused.`, {
      code: EXIT_FAILURE,
      ...(refusal.hint !== undefined && { hint: refusal.hint }),
    })
  }

  /** Sends one change and waits until it is done. */
  async change<T extends MessageType>(type: T, body: MessageBodies[T], formName?: string): Promise<void> {
    this.send(type, body, formName)
    await this.barrier()
  }

  /** From now on what comes unasked goes to `onMessage`; resolves with the reason when the connection ends. */
  listen(onMessage: (m: Message) => void): Promise<string> {
    this.#onMessage = onMessage
    return new Promise((resolve) => {
      if (this.#closed === undefined) this.#onClose = resolve
      else resolve(this.#closed)
    })
  }

  close(): void {
    this.#end('closed')
  }
}

const CONNECT_TIMEOUT = 10 * SECOND

async function connect(name: string, address: Address, tls: TlsFiles | undefined): Promise<Duplex> {
  try {
    return await openStream(address, tls, AbortSignal.timeout(CONNECT_TIMEOUT))
  } catch (error) {
    const where = address.method === 'unix' ? address.path : formatAddress(address)
    throw new CliError(`${name} cannot be connected to: ${(error as Error).message}.`, {
      hint: `The switch should listen at ${where}.`,
    })
  }
}

function noAgreement(name: string, reason: string, versions: number): CliError {
  const names = [1, 2, 3, 4, 5, 6]
    .filter((v) => (versions & (1 << v)) !== 0)
    .map((v) => versionName(v as OfVersion))
  return new CliError(`${name} did not agree on a version of OpenFlow: ${reason}.`, {
    hint: `${names.join(', ')} may be spoken here; others are allowed with -O.`,
  })
}

function lost(reason: string): CliError {
  return new CliError(`The connection to the switch was lost: ${reason}.`)
}
