import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { JsonStream } from '../../protocols/ovsdb/json-stream.ts'
import { formatJson, isJsonObject, type Json } from '../../protocols/ovsdb/json-text.ts'

/** No two requests of a client that wait for their replies have the same. */
let nextId = 0

/** A client that costs little itself: requests are texts made beforehand. */
export class Client {
  readonly #socket: Socket
  #arrived: (reply: Json) => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    const decode = (bytes: Uint8Array) =>
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
    const stream = new JsonStream({ decode })
    socket.on('data', (chunk) => {
      stream.push(chunk, (json) => {
        if (isJsonObject(json) && json['id'] !== null) this.#arrived(json)
      })
    })
  }

  static async open(path: string): Promise<Client> {
    const socket = connect({ path })
    await once(socket, 'connect')
    return new Client(socket)
  }

  /** The text of a transaction on Open_vSwitch. */
  static transaction(...operations: Json[]): string {
    return formatJson({ id: nextId++, method: 'transact', params: ['Open_vSwitch', ...operations] })
  }

  /** Sends all, at most `window` of them unanswered. Throws when one does not succeed. */
  pipeline(texts: readonly string[], window: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let sent = 0
      let answered = 0
      this.#arrived = (reply) => {
        const text = isFailure(reply)
        if (text !== undefined) return reject(new Error(text))
        answered++
        if (answered === texts.length) resolve()
        else if (sent < texts.length) this.#socket.write(texts[sent++]!)
      }
      this.#socket.write(texts.slice(0, window).join(''))
      sent = Math.min(window, texts.length)
    })
  }

  /** Sends one request and waits until the reply has come whole, without looking into it: the reply's bytes. */
  async wholeReply(text: string): Promise<void> {
    await this.pipeline([text], 1)
  }

  close(): void {
    this.#socket.destroy()
  }
}

function isFailure(reply: Json): string | undefined {
  if (!isJsonObject(reply)) return 'no reply'
  if (reply['error'] !== null) return formatJson(reply['error']!)
  const results = reply['result']
  if (!Array.isArray(results)) return undefined
  const failed = results.find((result) => isJsonObject(result) && 'error' in result)
  return failed === undefined ? undefined : formatJson(failed)
}
