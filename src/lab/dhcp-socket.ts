import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { inNamespace } from '../../engine/sys/netns.ts'
import { openUdpSocket } from '../../engine/sys/udp.ts'
import { formatIpv4 } from '../../protocols/wire/ipv4.ts'
import type { DhcpClientTransport } from '../services/dhcp-client.ts'
import { namespacePath } from './namespace.ts'

const CLIENT_PORT = 68
const SERVER_PORT = 67

export type DhcpSocket = DhcpClientTransport & { close(): void }

/** The DHCP client port of a host's interface, used from here: the socket is made in there and stays there. */
export async function openDhcpSocket(
  namespace: string,
  device: string,
  onError: (error: Error) => void,
): Promise<DhcpSocket> {
  const fd = inNamespace(namespacePath(namespace), () => openUdpSocket(device, CLIENT_PORT))
  const socket: Socket = createSocket('udp4')
  const listening = once(socket, 'listening')
  socket.bind({ fd })
  await listening
  socket.on('error', onError)
  return {
    send(payload, target) {
      const to = target.broadcast ? '255.255.255.255' : formatIpv4(target.to)
      // A message that cannot leave is like one that got lost: the client sends it again.
      socket.send(payload, SERVER_PORT, to, (error) => {
        if (error !== null) onError(error)
      })
    },
    onMessage(listener) {
      socket.on('message', listener)
    },
    close() {
      socket.close()
    },
  }
}
