/** Streams of bytes to and from others: TCP, TLS and Unix sockets, asked for or listened for. */
import { mkdirSync, rmSync } from 'node:fs'
import { createServer as createTcpServer, connect as netConnect, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Address } from './address.ts'
import { DEFAULT_DSCP, mark } from './dscp.ts'
import { awaitsCa, keepCa, secureContextOptions, type TlsFiles, tlsFilesVersion, verifies } from './tls.ts'
import { BACKLOG, isAnswered, listening, listenUnix } from './unix-socket.ts'

export type { TlsFiles } from './tls.ts'

/** Where a connection has come from or leads to, for people. */
export interface Stream {
  readonly duplex: Duplex
  readonly peer: string
}

/** Few speak it, and to load it takes a start long. */
const nodeTls = () => process.getBuiltinModule('node:tls')

/** The common name in the certificate by which the other end has shown who it is. */
export function peerId(duplex: Duplex): string | undefined {
  if (!('encrypted' in duplex)) return undefined
  const socket = duplex as TLSSocket
  if (!socket.authorized) return undefined
  const name = socket.getPeerCertificate().subject?.CN
  return Array.isArray(name) ? name[0] : name
}

/**
 * Connects. Rejects with the reason, also when `signal` is aborted.
 * @param dscp of all that is sent once it is connected
 */
export async function openStream(
  address: Address,
  tls: TlsFiles | undefined,
  signal: AbortSignal,
  dscp = DEFAULT_DSCP,
): Promise<Duplex> {
  if (address.method === 'unix') return await opened(netConnect({ path: address.path }), 'connect', signal)
  if (address.method === 'tcp') {
    const { host, port } = address
    const socket = await opened(netConnect({ host, port, noDelay: true }), 'connect', signal)
    await mark(socket, dscp)
    return socket
  }
  const files = needed(tls)
  if (awaitsCa(files)) {
    const socket = await openTls(address, files, signal)
    try {
      keepCa(socket, files)
    } finally {
      socket.destroy()
    }
  }
  const socket = await openTls(address, files, signal)
  await mark(socket, dscp)
  return socket
}

async function openTls(
  { host, port }: { host: string; port: number },
  files: TlsFiles,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const socket = nodeTls().connect({
    host,
    port,
    ...secureContextOptions(files),
    rejectUnauthorized: verifies(files),
    checkServerIdentity: () => undefined,
  })
  socket.setNoDelay(true)
  return await opened(socket, 'secureConnect', signal)
}

function needed(tls: TlsFiles | undefined): TlsFiles {
  if (tls === undefined) throw new Error('ssl: needs a private key, a certificate and a CA certificate')
  return tls
}

function opened<S extends Socket>(socket: S, ready: string, signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      socket.off('error', fail)
      socket.off('close', closed)
      signal.removeEventListener('abort', abort)
    }
    const fail = (error: Error) => {
      settle()
      socket.on('error', () => {})
      socket.destroy()
      reject(error)
    }
    const closed = () => fail(new Error('connection closed by peer'))
    const abort = () => fail(new Error('given up'))
    socket.once('error', fail)
    socket.once('close', closed)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort)
    socket.once(ready, () => {
      settle()
      resolve(socket)
    })
  })
}

export interface Listener {
  /** The port that it has, where any was asked for (port 0). */
  readonly port: number | undefined
  /** Connections that have come stay. Idempotent. */
  close(): Promise<void>
}

/**
 * Listens; a Unix socket may only be opened by its owner, and replaces one that nobody listens at.
 * @param dscp of all that is sent
 */
export async function listenStreams(
  address: Address,
  tls: TlsFiles | undefined,
  onStream: (stream: Stream) => void,
  dscp = DEFAULT_DSCP,
): Promise<Listener> {
  let server: Server
  if (address.method === 'ssl') {
    server = tlsServer(needed(tls), onStream)
  } else {
    server = createTcpServer({ noDelay: true }, (socket) => {
      const peer = address.method === 'tcp' ? `tcp:${socket.remoteAddress}:${socket.remotePort}` : 'unix'
      onStream({ duplex: socket, peer })
    })
  }
  if (address.method === 'unix') await listenOwned(server, address.path)
  else {
    await listenInet(server, address)
    await mark(server, dscp)
  }
  server.on('error', () => {})
  const bound = server.address()
  let closing: Promise<void> | undefined
  return {
    port: typeof bound === 'object' ? bound?.port : undefined,
    close() {
      closing ??= new Promise((resolve) => server.close(() => resolve()))
      return closing
    },
  }
}

function tlsServer(files: TlsFiles, onStream: (stream: Stream) => void): Server {
  const options = { ...secureContextOptions(files), requestCert: true, rejectUnauthorized: false }
  const server = nodeTls().createServer(options, (socket) => {
    const learning = awaitsCa(files)
    if (learning) tryKeepCa(socket, files)
    if (learning || (verifies(files) && !socket.authorized)) {
      socket.destroy()
      return
    }
    socket.setNoDelay(true)
    onStream({ duplex: socket, peer: `ssl:${socket.remoteAddress}:${socket.remotePort}` })
  })
  // A client that fails the handshake is gone; it is no matter of ours.
  server.on('tlsClientError', () => {})
  let version = tlsFilesVersion(files)
  // Before the handshake of each that comes: keys may have been renewed.
  server.prependListener('connection', () => {
    const now = tlsFilesVersion(files)
    if (now === version) return
    try {
      server.setSecureContext(secureContextOptions(files))
      version = now
    } catch {
      // Half written, or gone: the keys that were read stay.
    }
  })
  return server
}

/** Who comes first and shows no CA is turned away like anybody else; the next may be the one. */
function tryKeepCa(socket: TLSSocket, files: TlsFiles): void {
  try {
    keepCa(socket, files)
  } catch {}
}

function listenInet(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return listening(server, () => server.listen({ ...(host === '' ? {} : { host }), port, backlog: BACKLOG }))
}

async function listenOwned(server: Server, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (await isAnswered(path)) throw new Error(`somebody else listens at ${path}`)
  rmSync(path, { force: true })
  await listenUnix(server, path, 0o600)
}
