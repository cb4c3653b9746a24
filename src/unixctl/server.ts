/**
 * The control socket of a daemon, where `ovs-appctl` and its like give commands: JSON-RPC 1.0 on a Unix socket, the
 * command as method, its arguments as parameters, all of them strings. Requests of a connection are answered in their
 * order; while one takes its time, no more of that connection is read.
 */
import { rmSync, statSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { type RpcMessage, rpcJson, rpcMessage } from '../../protocols/ovsdb/json-rpc.ts'
import { JsonStream } from '../../protocols/ovsdb/json-stream.ts'
import { formatJson, type Json } from '../../protocols/ovsdb/json-text.ts'
import { listenUnix } from '../net/unix-socket.ts'
import type { ModuleLog } from '../process/vlog.ts'
import { type CommandRegistry, UnixctlError } from './command-registry.ts'

/** Bytes of one request; also arguments of ofproto/trace are far from it. */
const MAX_REQUEST = 1 << 20
/** More connections than this at once are closed as they come. */
const MAX_CONNECTIONS = 256

export interface UnixctlServer {
  readonly path: string
  /** Closes all connections and removes the socket. Idempotent. */
  close(): Promise<void>
}

/** As it is answered: with a line's end. */
const line = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`)

function isText(params: readonly Json[]): params is readonly string[] {
  return params.every((param) => typeof param === 'string')
}

async function answer(commands: CommandRegistry, request: RpcMessage & { type: 'request' }, log: ModuleLog) {
  const { id, method, params } = request
  try {
    if (!isText(params)) throw new UnixctlError(`"${method}" command has non-string argument`)
    log.dbg(
      `received request ${method}[${params.map((param) => formatJson(param)).join(', ')}], id=${formatJson(id)}`,
    )
    return { type: 'reply', id, result: line(await commands.run(method, params)) } as const
  } catch (error) {
    if (!(error instanceof UnixctlError)) log.err(`${method}: ${(error as Error).stack}`)
    return { type: 'error', id, error: line((error as Error).message) } as const
  }
}

function serve(socket: Socket, commands: CommandRegistry, log: ModuleLog): void {
  const stream = new JsonStream({ maxLength: MAX_REQUEST })
  const requests: Json[] = []
  let busy = false
  let ended = false
  const work = async () => {
    if (busy) return
    busy = true
    socket.pause()
    for (let json = requests.shift(); json !== undefined; json = requests.shift()) {
      const message = rpcMessage(json)
      if (typeof message === 'string' || message.type !== 'request') {
        log.warn(
          `unix: ${typeof message === 'string' ? message : `received unexpected ${message.type} message`}`,
        )
        socket.destroy()
        return
      }
      const text = formatJson(rpcJson(await answer(commands, message, log)))
      if (socket.destroyed) return
      // Answers may be long: the next request waits until this one has left.
      if (!socket.write(text))
        await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve))
    }
    if (stream.failure !== undefined) {
      log.warn(`unix: error parsing stream: ${stream.failure.message}`)
      socket.destroy()
      return
    }
    busy = false
    if (ended) socket.end()
    else socket.resume()
  }
  socket.on('data', (chunk: Buffer) => {
    stream.push(chunk, (json) => requests.push(json))
    void work()
  })
  // A client may close its side behind its last request and still wait for the answer.
  socket.on('end', () => {
    ended = true
    if (!busy) socket.end()
  })
  socket.on('error', () => socket.destroy())
}

/** @throws the reason why nobody can listen there */
export async function startUnixctl(
  path: string,
  commands: CommandRegistry,
  log: ModuleLog,
): Promise<UnixctlServer> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (sockets.size >= MAX_CONNECTIONS) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, commands, log)
  })
  rmSync(path, { force: true })
  await listenUnix(server, path, 0o750)
  const inode = statSync(path).ino
  server.on('error', () => {})
  let closing: Promise<void> | undefined
  return {
    path,
    close() {
      closing ??= new Promise((resolve) => {
        // Another daemon may have made the name its own by now.
        const there = statSync(path, { throwIfNoEntry: false })
        if (there?.ino === inode) rmSync(path, { force: true })
        server.close(() => resolve())
        // The answer to the command that ends the daemon is on its way still.
        setImmediate(() => {
          for (const socket of sockets) socket.destroySoon()
        })
      })
      return closing
    },
  }
}
