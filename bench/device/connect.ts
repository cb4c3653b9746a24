/**
 * Opens TCP connections, many at once, and resets each as soon as it stands; prints how many a second:
 * node connect.js ADDRESS PORT SECONDS
 */
import {
  AF_INET,
  close,
  connect,
  poll,
  RESET,
  SO_LINGER,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  setsockopt,
  socket,
  socketAddress,
} from './sockets.ts'

const [host, port, seconds] = process.argv.slice(2) as [string, string, string]
/** Connections under way at once. */
const AT_ONCE = 64
const POLLOUT = 4
const POLLERR = 8
const POLLHUP = 16
/** struct pollfd */
const POLLFD_LEN = 8

const address = socketAddress(host, Number(port))
const bytes = new Uint8Array(AT_ONCE * POLLFD_LEN)
const fds = new Int32Array(bytes.buffer)
const events = new Int16Array(bytes.buffer)

function open(slot: number): void {
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)
  setsockopt(fd, SOL_SOCKET, SO_LINGER, RESET, 8)
  connect(fd, address, address.length)
  fds[slot * 2] = fd
  events[slot * 4 + 2] = POLLOUT
  events[slot * 4 + 3] = 0
}

for (let slot = 0; slot < AT_ONCE; slot++) open(slot)
const end = performance.now() + Number(seconds) * 1000
const begin = performance.now()
let opened = 0
while (performance.now() < end) {
  if (poll(bytes, AT_ONCE, 100) <= 0) continue
  for (let slot = 0; slot < AT_ONCE; slot++) {
    const happened = events[slot * 4 + 3]!
    if (happened === 0) continue
    if ((happened & (POLLERR | POLLHUP)) === 0) opened++
    close(fds[slot * 2]!)
    open(slot)
  }
}
process.stdout.write(String((opened * 1000) / (performance.now() - begin)))
