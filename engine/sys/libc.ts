/**
 * The C library, as far as the switch needs it. Every thread that imports this module loads it for itself.
 *
 * Addresses are plain numbers: user space ends at 2^47, so they are exact, and koffi passes them in 109 ns a
 * call where a typed array takes 147. Structures are laid out by hand in mapped memory for the same reason.
 * A failed call returns a negative number and leaves its reason in `errno()`, to be read before the next call.
 *
 * Constants are those of Linux on x86-64 and arm64, which agree on all that is used here.
 */
import koffi from 'koffi'

const library = koffi.load(null)

function bind<F>(name: string, result: string, args: string[]): F {
  return library.func(name, result, args) as unknown as F
}

type Address = number

export const open = bind<(path: string, flags: number, mode: number) => number>('open', 'int', [
  'str',
  'int',
  'uint32_t',
])
export const dup2 = bind<(from: number, to: number) => number>('dup2', 'int', ['int', 'int'])
export const setsid = bind<() => number>('setsid', 'int', [])
export const close = bind<(fd: number) => number>('close', 'int', ['int'])
export const read = bind<(fd: number, buffer: Address, count: number) => number>('read', 'intptr_t', [
  'int',
  'uintptr_t',
  'size_t',
])
export const write = bind<(fd: number, buffer: Address, count: number) => number>('write', 'intptr_t', [
  'int',
  'uintptr_t',
  'size_t',
])
export const ioctl = bind<(fd: number, request: number, argument: Address) => number>('ioctl', 'int', [
  'int',
  'unsigned long',
  'uintptr_t',
])
export const mmap = bind<
  (address: Address, length: number, prot: number, flags: number, fd: number, offset: number) => Address
>('mmap', 'intptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'intptr_t'])
export const munmap = bind<(address: Address, length: number) => number>('munmap', 'int', [
  'uintptr_t',
  'size_t',
])
export const memcpy = bind<(to: Address, from: Address, count: number) => number>('memcpy', 'intptr_t', [
  'uintptr_t',
  'uintptr_t',
  'size_t',
])
export const socket = bind<(domain: number, type: number, protocol: number) => number>('socket', 'int', [
  'int',
  'int',
  'int',
])
export const bindSocket = bind<(fd: number, address: Address, length: number) => number>('bind', 'int', [
  'int',
  'uintptr_t',
  'uint32_t',
])
export const getsockname = bind<(fd: number, address: Address, length: Address) => number>(
  'getsockname',
  'int',
  ['int', 'uintptr_t', 'uintptr_t'],
)
export const setsockopt = bind<
  (fd: number, level: number, option: number, value: Address, length: number) => number
>('setsockopt', 'int', ['int', 'int', 'int', 'uintptr_t', 'uint32_t'])
export const getsockopt = bind<
  (fd: number, level: number, option: number, value: Address, length: Address) => number
>('getsockopt', 'int', ['int', 'int', 'int', 'uintptr_t', 'uintptr_t'])
export const send = bind<(fd: number, buffer: Address, count: number, flags: number) => number>(
  'send',
  'intptr_t',
  ['int', 'uintptr_t', 'size_t', 'int'],
)
export const recv = bind<(fd: number, buffer: Address, count: number, flags: number) => number>(
  'recv',
  'intptr_t',
  ['int', 'uintptr_t', 'size_t', 'int'],
)
export const poll = bind<(fds: Address, count: number, timeoutMs: number) => number>('poll', 'int', [
  'uintptr_t',
  'unsigned long',
  'int',
])
export const eventfd = bind<(initial: number, flags: number) => number>('eventfd', 'int', ['uint32_t', 'int'])
export const setns = bind<(fd: number, type: number) => number>('setns', 'int', ['int', 'int'])
export const flock = bind<(fd: number, operation: number) => number>('flock', 'int', ['int', 'int'])
/** With commands whose argument is an address only. */
export const fcntl = bind<(fd: number, command: number, argument: Address) => number>('fcntl', 'int', [
  'int',
  'int',
  'uintptr_t',
])
export const openlog = bind<(name: Address, options: number, facility: number) => void>('openlog', 'void', [
  'uintptr_t',
  'int',
  'int',
])
/** With one argument for the format's `%s`; `type` is 'str'. */
export const syslog = bind<(priority: number, format: string, type: string, text: string) => void>(
  'syslog',
  'void',
  ['int', 'str', '...'],
)
/** System calls that the C library has no function for. */
export const syscall = bind<
  (number: number, a: number, b: number, c: number, d: number, e: number, f: number) => number
>('syscall', 'long', ['long', 'long', 'long', 'long', 'long', 'long', 'long'])
export const ftruncate = bind<(fd: number, length: number) => number>('ftruncate', 'int', ['int', 'intptr_t'])

/** The reason the last call on this thread failed. */
export const errno = koffi.errno as () => number

/** The memory at a native address, shared with whoever else looks at it. */
export function view(address: Address, length: number): ArrayBuffer {
  return koffi.view(address, length)
}

export const EPERM = 1
export const ENOENT = 2
export const EINTR = 4
export const EIO = 5
export const ENXIO = 6
export const EBADF = 9
export const EAGAIN = 11
export const ENOMEM = 12
export const EFAULT = 14
export const EBUSY = 16
export const ENODEV = 19
export const EINVAL = 22
export const EBADFD = 77
export const EMSGSIZE = 90
export const ENETDOWN = 100
export const ENOBUFS = 105

export const O_RDONLY = 0
export const O_RDWR = 2
export const O_CREAT = 0o100
export const O_NONBLOCK = 0o4000
export const O_CLOEXEC = 0o2000000

export const AF_INET = 2
export const AF_PACKET = 17
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_NONBLOCK = 0o4000
export const SOCK_CLOEXEC = 0o2000000
export const MSG_TRUNC = 0x20
export const MSG_DONTWAIT = 0x40

const names = new Map(Object.entries(koffi.os.errno).map(([name, code]) => [code, name]))
// Of the codes that have two names, the one manuals use.
names.set(EAGAIN, 'EAGAIN')

/** The symbolic name of an error code, `EBUSY` for 16. */
export function errnoName(code: number): string {
  return names.get(code) ?? `errno ${code}`
}

/** What people are told of an error code, `Device or resource busy` for 16. */
export const strerror = bind<(code: number) => string>('strerror', 'str', ['int'])

/** A system call that failed on the control path. `code` is the symbolic name, as in Node's own errors. */
export class SystemError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string

  constructor(syscall: string, subject: string, code: number) {
    super(`${syscall} ${subject}: ${errnoName(code)}`)
    this.name = 'SystemError'
    this.code = errnoName(code)
    this.errno = code
    this.syscall = syscall
  }
}

/** `result`, unless it is negative: then throws what `errno` says about it. Control path only. */
export function checked(result: number, syscall: string, subject: string): number {
  if (result < 0) throw new SystemError(syscall, subject, errno())
  return result
}
