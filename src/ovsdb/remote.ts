/** Where a client finds a server: at an address, or in its own process. */

import type { Duplex } from 'node:stream'
import { formatAddress, parseAddress } from '../net/address.ts'
import { type Listener, listenStreams, openStream, type TlsFiles } from '../net/stream.ts'
import { type Channel, channelPair, StreamChannel } from './channel.ts'

/** Where OVSDB is spoken when no port is given (RFC 7047, 9). */
export const OVSDB_PORT = 6640

export interface Remote {
  /** As it was written, for people. */
  readonly name: string
  /** Whether we wait for the server to connect to us. */
  readonly passive: boolean
  /** Whether the other end may vanish without a word: everywhere but on this machine. */
  readonly needsProbes: boolean
  /** Rejects with the reason, also when `signal` is aborted. */
  open(signal: AbortSignal): Promise<Channel>
}

/** Undefined for what is no address. `unix: tcp: ssl:` are connected to; at `punix: ptcp: pssl:` one server may come at a time. */
export function remoteAt(text: string, tls: TlsFiles | undefined): Remote | undefined {
  const address = parseAddress(text, OVSDB_PORT)
  if (address === undefined) return undefined
  const { passive } = address
  const needsProbes = address.method !== 'unix'
  const over = (duplex: Duplex, peer: string) => new StreamChannel(duplex, peer)
  if (!passive) {
    const open = async (signal: AbortSignal) =>
      over(await openStream(address, tls, signal), formatAddress(address))
    return { name: text, passive, needsProbes, open }
  }
  const open = (signal: AbortSignal) =>
    new Promise<Channel>((resolve, reject) => {
      let listener: Listener | undefined
      let settled = false
      const settle = (done: () => void) => {
        settled = true
        signal.removeEventListener('abort', abort)
        void listener?.close()
        done()
      }
      const abort = () => settle(() => reject(new Error('given up')))
      signal.addEventListener('abort', abort)
      listenStreams(address, tls, ({ duplex, peer }) => {
        if (settled) duplex.destroy()
        else settle(() => resolve(over(duplex, peer)))
      }).then(
        (listening) => {
          listener = listening
          if (settled) void listener.close()
        },
        (error: Error) => settle(() => reject(error)),
      )
    })
  return { name: text, passive, needsProbes, open }
}

/** A server in this process, which is given its end of each channel. */
export function remoteWithin(accept: (channel: Channel) => void): Remote {
  const open = async () => {
    const [ours, theirs] = channelPair()
    accept(theirs)
    return ours
  }
  return { name: 'internal', passive: false, needsProbes: false, open }
}
