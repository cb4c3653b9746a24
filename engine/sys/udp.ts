/**
 * UDP sockets bound to one interface, for clients that must talk before the interface has an address: a
 * datagram from 0.0.0.0 to 255.255.255.255 goes out of the device by itself, with no route needed.
 */
import {
  AF_INET,
  bindSocket,
  checked,
  close,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  setsockopt,
  socket,
} from './libc.ts'
import { SCRATCH, scratch8, scratch32 } from './memory.ts'

const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_BROADCAST = 6
const SO_BINDTODEVICE = 25
const SOCKADDR_IN_LEN = 16

/**
 * A socket on 0.0.0.0:`port` that hears and sends only by `device`, in the namespace of the calling thread.
 * The descriptor is the caller's.
 * @throws SystemError ENODEV, EPERM, EADDRINUSE
 */
export function openUdpSocket(device: string, port: number): number {
  const fd = checked(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket', 'AF_INET')
  try {
    for (const option of [SO_REUSEADDR, SO_BROADCAST]) {
      scratch32[0] = 1
      checked(setsockopt(fd, SOL_SOCKET, option, SCRATCH, 4), 'setsockopt', `UDP port ${port}`)
    }
    for (let i = 0; i < device.length; i++) scratch8[i] = device.charCodeAt(i)
    checked(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, SCRATCH, device.length), 'SO_BINDTODEVICE', device)
    // struct sockaddr_in: family in host order, port in network order, address 0.0.0.0.
    scratch8.fill(0, 0, SOCKADDR_IN_LEN)
    scratch8[0] = AF_INET
    scratch8[2] = port >>> 8
    scratch8[3] = port
    checked(bindSocket(fd, SCRATCH, SOCKADDR_IN_LEN), 'bind', `UDP port ${port} on ${device}`)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}
