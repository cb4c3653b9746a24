/** The few system calls that `connect.ts` and `accept.ts` make; Node's own sockets would be slower than the switch. */
import koffi from 'koffi'

const libc = koffi.load('libc.so.6')
export const socket = libc.func('int socket(int, int, int)') as (a: number, b: number, c: number) => number
export const bind = libc.func('int bind(int, void *, uint32)') as (
  fd: number,
  a: Uint8Array,
  n: number,
) => number
export const listen = libc.func('int listen(int, int)') as (fd: number, backlog: number) => number
export const connect = libc.func('int connect(int, void *, uint32)') as (
  fd: number,
  address: Uint8Array,
  length: number,
) => number
export const accept = libc.func('int accept4(int, void *, void *, int)') as (
  fd: number,
  address: null,
  length: null,
  flags: number,
) => number
export const setsockopt = libc.func('int setsockopt(int, int, int, void *, uint32)') as (
  fd: number,
  level: number,
  name: number,
  value: Uint8Array,
  length: number,
) => number
export const close = libc.func('int close(int)') as (fd: number) => number
export const poll = libc.func('int poll(void *, uint64, int)') as (
  fds: Uint8Array,
  n: number,
  ms: number,
) => number

export const AF_INET = 2
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_NONBLOCK = 0o4000
export const SOL_SOCKET = 1
export const SO_REUSEADDR = 2
export const SO_LINGER = 13
export const ONE = Uint8Array.of(1, 0, 0, 0)
/** Closing resets: no connection lingers at the client. */
export const RESET = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)

/** struct sockaddr_in */
export function socketAddress(address: string, port: number): Uint8Array {
  return Uint8Array.of(
    AF_INET,
    0,
    port >>> 8,
    port,
    ...address.split('.').map(Number),
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  )
}
