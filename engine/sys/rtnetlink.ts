/** Questions to rtnetlink(7), put together and answered in the page for arguments; of the calling thread's namespace. */
import { checked, close, recv, SOCK_CLOEXEC, SOCK_RAW, send, socket } from './libc.ts'
import { SCRATCH, SCRATCH_BYTES, scratch8, scratch32 } from './memory.ts'

const AF_NETLINK = 16
const NETLINK_ROUTE = 0
const NLM_F_REQUEST = 1
const NLM_F_DUMP = 0x300

/** Length of struct nlmsghdr. */
export const HEADER = 16
const ATTRIBUTE_HEADER = 4
/** Without the bits that tell how it is written. */
const ATTRIBUTE_TYPE = 0x3fff

/** Where messages and attributes may begin. */
export const align = (length: number) => (length + 3) & ~3

/**
 * Asks for one thing.
 * @param length of the request, whose header is yet to be written
 * @returns where the answer ends; it starts at 0
 */
export function askOne(type: number, length: number): number {
  return withSocket((fd) => {
    request(fd, type, NLM_F_REQUEST, length)
    return Math.min(receive(fd), scratch32[0]!)
  })
}

/**
 * Asks for all there are.
 * @param length of the request, whose header is yet to be written
 * @param answer type of the messages that tell one each
 * @param each is given where one starts and ends; the page is not to be touched
 */
export function askAll(
  type: number,
  length: number,
  answer: number,
  each: (start: number, end: number) => void,
): void {
  withSocket((fd) => {
    request(fd, type, NLM_F_REQUEST | NLM_F_DUMP, length)
    for (;;) {
      const received = receive(fd)
      for (let at = 0; at + HEADER <= received; ) {
        const size = scratch32[at / 4]!
        // The end, or an error in its place.
        if (get16(at + 4) !== answer || size < HEADER) return
        each(at, Math.min(received, at + size))
        at += align(size)
      }
    }
  })
}

/** @param each is given an attribute's type, where its value starts and how long that is */
export function forEachAttribute(
  start: number,
  end: number,
  each: (type: number, at: number, length: number) => void,
): void {
  for (let at = start; at + ATTRIBUTE_HEADER <= end; ) {
    const length = get16(at)
    if (length < ATTRIBUTE_HEADER || at + length > end) return
    each(get16(at + 2) & ATTRIBUTE_TYPE, at + ATTRIBUTE_HEADER, length - ATTRIBUTE_HEADER)
    at += align(length)
  }
}

function withSocket<T>(action: (fd: number) => T): T {
  const fd = checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), 'socket', 'AF_NETLINK')
  try {
    return action(fd)
  } finally {
    close(fd)
  }
}

function request(fd: number, type: number, flags: number, length: number): void {
  scratch8.fill(0, 0, HEADER)
  scratch32[0] = length
  put16(4, type)
  put16(6, flags)
  checked(send(fd, SCRATCH, length, 0), 'send', 'rtnetlink')
}

function receive(fd: number): number {
  return checked(recv(fd, SCRATCH, SCRATCH_BYTES, 0), 'recv', 'rtnetlink')
}

export function put16(at: number, value: number): void {
  scratch8[at] = value
  scratch8[at + 1] = value >>> 8
}

export function get16(at: number): number {
  return scratch8[at]! | (scratch8[at + 1]! << 8)
}
