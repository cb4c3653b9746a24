/** Who listens at BRIDGE.snoop to what a bridge and its controllers say to each other (ovs-ofctl(8) "snoop"). */
import type { Duplex } from 'node:stream'
import { highestVersion } from '../../protocols/openflow/hello.ts'
import { encodeMessage } from '../../protocols/openflow/message.ts'
import { OF10, OF15, type OfVersion } from '../../protocols/openflow/version.ts'

/** Bytes that wait for a listener before it is given up. */
const MAX_BYTES = 4 << 20
/** What it hears comes in whatever version a controller speaks: all are offered. */
const ALL_VERSIONS = (2 << OF15) - (1 << OF10)

export class Snoopers {
  readonly #duplexes = new Set<Duplex>()

  /** Greets a listener, as it expects of a peer; what it says itself is not heeded. */
  admit(duplex: Duplex): void {
    this.#duplexes.add(duplex)
    duplex.on('error', () => duplex.destroy())
    duplex.on('close', () => this.#duplexes.delete(duplex))
    duplex.resume()
    const version = highestVersion(ALL_VERSIONS) as OfVersion
    duplex.write(encodeMessage('HELLO', { versions: ALL_VERSIONS }, { version, xid: 1 })!)
  }

  /** Passes a message on to all; the bytes stay the caller's. */
  tell(bytes: Uint8Array): void {
    if (this.#duplexes.size === 0) return
    const copy = bytes.slice()
    for (const duplex of this.#duplexes) {
      duplex.write(copy)
      if (duplex.writableLength > MAX_BYTES) duplex.destroy()
    }
  }

  close(): void {
    for (const duplex of this.#duplexes) duplex.destroy()
  }
}
