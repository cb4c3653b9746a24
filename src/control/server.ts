import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { EXIT_ALREADY_RUNNING, EXIT_ENVIRONMENT, EXIT_FAILURE, EXIT_USAGE } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import { isAnswered, listenUnix } from '../net/unix-socket.ts'
import { LineReader } from './lines.ts'
import {
  MAX_REQUEST_BYTES,
  type Methods,
  type Request,
  type Response,
  type ResponseError,
  type Streams,
} from './protocol.ts'

type Answer<T> = T | Promise<T>

export type Handlers = {
  readonly [M in keyof Methods]: (params: Methods[M]['params']) => Answer<Methods[M]['result']>
} & {
  /** The answer, and what writes the bytes behind it until it is done or `signal` says the client has left. */
  readonly [S in keyof Streams]: (params: Streams[S]['params']) => Answer<{
    readonly result: Streams[S]['result']
    readonly run: (output: Writable, signal: AbortSignal) => Promise<void>
  }>
}

export interface ControlServer {
  /** Closes all connections and removes the socket. Idempotent. */
  close(): Promise<void>
}

const STREAMS: readonly string[] = ['capture'] satisfies (keyof Streams)[]
/** More connections than this at once are closed as they come. */
const MAX_CONNECTIONS = 128

function toError(error: unknown): ResponseError {
  if (error instanceof CliError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    }
  }
  return { code: EXIT_FAILURE, message: error instanceof Error ? error.message : String(error) }
}

function parseRequest(line: string): Request | ResponseError {
  const wrong = (message: string): ResponseError => ({ code: EXIT_USAGE, message })
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return wrong('The request is no JSON.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong('The request is no object.')
  }
  const { method, params, id } = value as Record<string, unknown>
  if (typeof method !== 'string') return wrong('The request has no method.')
  if (params !== undefined && (typeof params !== 'object' || params === null || Array.isArray(params))) {
    return wrong('The parameters are no object.')
  }
  return { method, params: params ?? {}, id: typeof id === 'number' || typeof id === 'string' ? id : null }
}

/** One client: its requests are answered one after the other. */
class Connection {
  readonly #socket: Socket
  readonly #handlers: Handlers
  readonly #reader = new LineReader(MAX_REQUEST_BYTES)
  readonly #left = new AbortController()
  #busy = false
  #ended = false

  constructor(socket: Socket, handlers: Handlers) {
    this.#socket = socket
    this.#handlers = handlers
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk)
      void this.#work()
    })
    // A client may close its side after its last request and still wait for the answer.
    socket.on('end', () => {
      this.#ended = true
      if (!this.#busy) socket.end()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#left.abort())
  }

  async #work(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    this.#socket.pause()
    for (let line = this.#reader.next(); line !== undefined; line = this.#reader.next()) {
      if (line.trim() !== '') await this.#answer(line)
      if (this.#socket.destroyed || this.#socket.writableEnded) return
    }
    if (this.#reader.tooLong) {
      const message = `The request is longer than ${MAX_REQUEST_BYTES} bytes.`
      this.#send({ result: null, error: { code: EXIT_USAGE, message }, id: null })
      this.#socket.end()
      this.#socket.destroySoon()
      return
    }
    this.#busy = false
    if (this.#ended) this.#socket.end()
    else this.#socket.resume()
  }

  async #answer(line: string): Promise<void> {
    const request = parseRequest(line)
    if ('message' in request) {
      this.#send({ result: null, error: request, id: null })
      return
    }
    const { method, params, id } = request
    try {
      if (!Object.hasOwn(this.#handlers, method)) {
        throw new CliError(`The switch knows no method "${method}".`, {
          code: EXIT_USAGE,
          hint: 'It may be of another version than this command.',
        })
      }
      // The parameters come from a stranger: handlers check what they use.
      const handler = this.#handlers[method as keyof Handlers] as (p: never) => Answer<unknown>
      const result = await handler(params as never)
      if (!STREAMS.includes(method)) {
        this.#send({ result, error: null, id })
        return
      }
      const stream = result as Awaited<ReturnType<Handlers['capture']>>
      this.#send({ result: stream.result, error: null, id })
      // Reading goes on, so that a client that leaves is noticed: nobody has to ask anything more.
      if (this.#ended) this.#left.abort()
      this.#socket.once('end', () => this.#left.abort())
      this.#socket.removeAllListeners('data').resume()
      await stream.run(this.#socket, this.#left.signal)
      this.#socket.end()
    } catch (error) {
      if (this.#socket.destroyed) return
      this.#send({ result: null, error: toError(error), id })
    }
  }

  #send(response: Response): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(response)}\n`)
  }
}

/**
 * Listens at `path` for whoever may open it: the owner alone. A socket that a dead switch left is replaced;
 * one that is answered is a CliError.
 */
export async function startControlServer(path: string, handlers: Handlers): Promise<ControlServer> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (sockets.size >= MAX_CONNECTIONS) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    new Connection(socket, handlers)
  })
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    if (await isAnswered(path)) {
      throw new CliError(`A switch is already running in ${dirname(path)}.`, {
        code: EXIT_ALREADY_RUNNING,
        hint: 'Stop it with `vswitchd-ts stop`, or give this one a run directory of its own with --rundir.',
      })
    }
    rmSync(path, { force: true })
    await listenUnix(server, path, 0o600)
  } catch (error) {
    server.close()
    if (error instanceof CliError) throw error
    throw new CliError(`The control socket ${path} cannot be made: ${(error as Error).message}.`, {
      code: EXIT_ENVIRONMENT,
      hint: 'The run directory must be writable and its path at most 90 characters long; see --rundir.',
      cause: error,
    })
  }
  server.on('error', () => {})
  let closing: Promise<void> | undefined
  return {
    close() {
      closing ??= new Promise<void>((resolve) => {
        server.close(() => resolve())
        // Answers on their way get a moment: destroySoon sends what is queued first.
        for (const socket of sockets) socket.destroySoon()
      })
      return closing
    },
  }
}
