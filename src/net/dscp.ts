import type { Server, Socket } from 'node:net'
import { later } from '../bundle/later.ts'

/** The DSCP of what goes to controllers, managers and clients, unless said otherwise: network control (RFC 2474, 4.2.2.1). */
export const DEFAULT_DSCP = 48

/** What Node keeps to itself. */
interface WithHandle {
  readonly _handle?: { readonly fd?: number }
}

/** Native code, which is loaded only where there is a network. */
const native = later(() => import('../../engine/sys/dscp.ts'))

/** Gives a TCP socket its DSCP. */
export async function mark(socket: Socket | Server, dscp: number): Promise<void> {
  const { setDscp } = await native()
  const fd = (socket as WithHandle)._handle?.fd
  if (fd !== undefined && fd >= 0) setDscp(fd, dscp)
}
