/** Streams of bytes to and from others: TCP, TLS and Unix sockets, asked for or listened for. */
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createTcpServer, connect as netConnect, type Server } from 'node:net'
import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TlsOptions, connect as tlsConnect } from 'node:tls'
import type { Address } from './address.ts'

/** Files with keys and certificates, PEM. */
export interface TlsFiles {
  readonly privateKey: string
  readonly certificate: string
  /** Who signed the certificates of the others. */
  readonly caCert: string
}

/** Both sides show certificates that the other's CA signed, whatever name stands in them, as in Open vSwitch. */
function credentials(files: TlsFiles | undefined): TlsOptions {
  if (files === undefined) throw new Error('ssl: needs a private key, a certificate and a CA certificate')
  return {
    key: readFileSync(files.privateKey),
    cert: readFileSync(files.certificate),
    ca: readFileSync(files.caCert),
    minVersion: 'TLSv1.2',
  }
}

/** Where a connection has come from or leads to, for people. */
export interface Stream {
  readonly duplex: Duplex
  readonly peer: string
}

/** Connects. Rejects with the reason, also when `signal` is aborted. */
export function openStream(
  address: Address,
  tls: TlsFiles | undefined,
  signal: AbortSignal,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let socket: ReturnType<typeof netConnect>
    let ready = 'connect'
    if (address.method === 'unix') socket = netConnect({ path: address.path })
    else if (address.method === 'tcp') {
      socket = netConnect({ host: address.host, port: address.port, noDelay: true })
    } else {
      ready = 'secureConnect'
      socket = tlsConnect({
        host: address.host,
        port: address.port,
        ...(credentials(tls) as object),
        rejectUnauthorized: true,
        // The certificate is to be signed by the right CA; switches and controllers are called by address.
        checkServerIdentity: () => undefined,
      })
      socket.setNoDelay(true)
    }
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
    signal.addEventListener('abort', abort)
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

/** Listens; a Unix socket may only be opened by its owner, and replaces one that nobody listens at. */
export async function listenStreams(
  address: Address,
  tls: TlsFiles | undefined,
  onStream: (stream: Stream) => void,
): Promise<Listener> {
  let server: Server
  if (address.method === 'ssl') {
    server = createTlsServer(
      { ...credentials(tls), requestCert: true, rejectUnauthorized: true },
      (socket) => {
        socket.setNoDelay(true)
        onStream({ duplex: socket, peer: `ssl:${socket.remoteAddress}:${socket.remotePort}` })
      },
    )
    // A client that fails the handshake is gone; it is no matter of ours.
    server.on('tlsClientError', () => {})
  } else {
    server = createTcpServer({ noDelay: true }, (socket) => {
      const peer = address.method === 'tcp' ? `tcp:${socket.remoteAddress}:${socket.remotePort}` : 'unix'
      onStream({ duplex: socket, peer })
    })
  }
  await (address.method === 'unix' ? listenUnix(server, address.path) : listenInet(server, address))
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

function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
    start()
  })
}

function listenInet(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return listening(server, () => server.listen(host === '' ? { port } : { host, port }))
}

async function listenUnix(server: Server, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (await isAnswered(path)) throw new Error(`somebody else listens at ${path}`)
  rmSync(path, { force: true })
  await listening(server, () => {
    // The socket is made with these rights, not given them a moment later.
    const before = process.umask(0o177)
    try {
      server.listen(path)
    } finally {
      process.umask(before)
    }
  })
  chmodSync(path, 0o600)
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = netConnect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
