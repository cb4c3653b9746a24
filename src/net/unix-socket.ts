/** Unix sockets that are listened at, and who may open them. */
import { chmodSync } from 'node:fs'
import { connect, type Server } from 'node:net'

/** Connections that wait to be accepted: a thousand clients may come at once. */
export const BACKLOG = 1024

/** Resolves when a server listens that `start` makes listen, and rejects when it cannot. */
export function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
    start()
  })
}

/** Listens at a path where there is nothing. @param mode who may open the socket: 0o600 for the owner alone */
export async function listenUnix(server: Server, path: string, mode: number): Promise<void> {
  await listening(server, () => {
    // The socket is made with these rights, not given them a moment later.
    const before = process.umask(0o777 & ~mode)
    try {
      server.listen({ path, backlog: BACKLOG })
    } finally {
      process.umask(before)
    }
  })
  chmodSync(path, mode)
}

/** Whether somebody answers at a socket. */
export function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
