/** A client of unixctl, the JSON-RPC 1.0 control socket of Open vSwitch's daemons; it stays connected. */
import { connect, type Socket } from 'node:net'

interface Waiting {
  readonly resolve: (result: string) => void
  readonly reject: (error: Error) => void
}

/** Where the first whole JSON object of a text ends, or 0. Replies follow each other without a separator. */
function objectEnd(text: string): number {
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (quoted) {
      if (c === '\\') i++
      else if (c === '"') quoted = false
    } else if (c === '"') quoted = true
    else if (c === '{') depth++
    else if (c === '}' && --depth === 0) return i + 1
  }
  return 0
}

export class UnixctlClient {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  #next = 0
  #text = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8').on('data', (text: string) => this.#receive(text))
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values())
        reject(new Error('unixctl: the daemon has closed the connection'))
      this.#waiting.clear()
    })
  }

  static connect(path: string): Promise<UnixctlClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path)
      socket.once('error', reject)
      socket.once('connect', () => resolve(new UnixctlClient(socket)))
    })
  }

  request(method: string, params: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('unixctl: the connection is closed'))
      const id = this.#next++
      this.#waiting.set(id, { resolve, reject })
      this.#socket.write(JSON.stringify({ method, params, id }))
    })
  }

  #receive(text: string): void {
    this.#text += text
    for (let length = objectEnd(this.#text); length > 0; length = objectEnd(this.#text)) {
      const reply = JSON.parse(this.#text.slice(0, length)) as { id: number; result: unknown; error: unknown }
      this.#text = this.#text.slice(length).trimStart()
      const waiting = this.#waiting.get(reply.id)
      this.#waiting.delete(reply.id)
      if (reply.error === null || reply.error === undefined) waiting?.resolve(String(reply.result ?? ''))
      else waiting?.reject(new Error(String(reply.error)))
    }
  }

  close(): void {
    this.#socket.destroy()
  }
}
