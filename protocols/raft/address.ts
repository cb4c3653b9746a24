/** Where the servers of a cluster are, and how they are called for short. */

import type { Uuid } from '../ovsdb/uuid.ts'

const HOST_PORT = /^(?:tcp|ssl):(?:\[[0-9a-fA-F:.%a-z]+\]|[^:[\]\s]+):(\d{1,5})$/

/** `tcp:HOST:PORT`, `ssl:HOST:PORT` (IPv6 in brackets) or `unix:FILE`. */
export function isServerAddress(address: string): boolean {
  if (address.startsWith('unix:')) return address.length > 5
  const port = HOST_PORT.exec(address)?.[1]
  return port !== undefined && Number(port) > 0 && Number(port) < 2 ** 16
}

/** The first digits of an id. */
export function shortId(id: Uuid): string {
  return id.slice(0, 4)
}

/** A short name for people: that of the socket, else the first digits of the server's id. */
export function nickname(address: string, sid: Uuid): string {
  if (!address.startsWith('unix:')) return shortId(sid)
  const file = address.slice(Math.max(5, address.lastIndexOf('/') + 1))
  return file.split('.')[0] || shortId(sid)
}
