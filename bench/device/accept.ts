/** Accepts TCP connections and closes them, until it is ended: node accept.js PORT */
import {
  AF_INET,
  accept,
  bind,
  close,
  listen,
  ONE,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  setsockopt,
  socket,
  socketAddress,
} from './sockets.ts'

const fd = socket(AF_INET, SOCK_STREAM, 0)
setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ONE, 4)
const address = socketAddress('0.0.0.0', Number(process.argv[2]))
if (bind(fd, address, address.length) < 0 || listen(fd, 1024) < 0) throw new Error('cannot listen')
process.stdout.write('ready\n', () => {
  for (;;) {
    const connection = accept(fd, null, null, 0)
    if (connection >= 0) close(connection)
  }
})
