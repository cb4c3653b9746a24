/**
 * An OpenFlow 1.3 client that costs the machine as little as it can: what it sends is encoded beforehand, and
 * of what it is sent it reads only the headers.
 */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { encodeMessage } from '../../protocols/openflow/message.ts'
import { parseFlow } from '../../protocols/openflow/text/flow-parse.ts'
import { OF13 } from '../../protocols/openflow/version.ts'

const OFPT_HELLO = 0
const OFPT_ERROR = 1
const OFPT_ECHO_REQUEST = 2
const OFPT_ECHO_REPLY = 3
const OFPT_SET_CONFIG = 9
const OFPT_PACKET_IN = 10
const OFPT_BARRIER_REQUEST = 20
const OFPT_BARRIER_REPLY = 21
const HEADER_LEN = 8

/** Flow-mods that add these rules, as bytes to send. */
export function encodeRules(rules: readonly string[]): Buffer {
  const messages = rules.map((rule, i) => {
    const bytes = encodeMessage('FLOW_MOD', parseFlow(rule), { version: OF13, xid: i + 1 })
    if (bytes === undefined) throw new Error(`not to be said in OpenFlow 1.3: ${rule}`)
    return bytes
  })
  return Buffer.concat(messages)
}

function header(type: number, body: readonly number[] = []): Buffer {
  return Buffer.from([OF13, type, 0, HEADER_LEN + body.length, 0, 0, 0, 0, ...body])
}

export class Client {
  packetIns = 0
  errors = 0
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #barrier: (() => void) | undefined
  #hello: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', () => {})
  }

  static async connect(path: string): Promise<Client> {
    const socket = createConnection(path)
    await once(socket, 'connect')
    const client = new Client(socket)
    const hello = new Promise<void>((resolve) => {
      client.#hello = resolve
    })
    socket.write(header(OFPT_HELLO))
    await hello
    return client
  }

  /** Sends messages and resolves when the switch has carried them out. */
  send(messages: Buffer): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#barrier = resolve
      this.#socket.once('close', () => reject(new Error('the switch closed the connection')))
    })
    this.#socket.write(messages)
    this.#socket.write(header(OFPT_BARRIER_REQUEST))
    return done
  }

  /** Asks for packet-ins. */
  async listen(): Promise<void> {
    await this.send(header(OFPT_SET_CONFIG, [0, 0, 0, 128]))
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.destroy()
    await closed
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (at + HEADER_LEN <= bytes.length) {
      const length = bytes.readUInt16BE(at + 2)
      if (at + length > bytes.length) break
      this.#take(bytes[at + 1] as number, bytes.subarray(at, at + length))
      at += length
    }
    this.#rest = bytes.subarray(at)
  }

  #take(type: number, message: Buffer): void {
    if (type === OFPT_PACKET_IN) this.packetIns++
    else if (type === OFPT_ERROR) this.errors++
    else if (type === OFPT_BARRIER_REPLY) this.#barrier?.()
    else if (type === OFPT_HELLO) this.#hello?.()
    else if (type === OFPT_ECHO_REQUEST) {
      const reply = Buffer.from(message)
      reply[1] = OFPT_ECHO_REPLY
      this.#socket.write(reply)
    }
  }
}
