import type { Json, JsonObject } from '../../protocols/ovsdb/json-text.ts'
import type { Attachment, OvsdbClient } from '../ovsdb/client.ts'
import type { RpcPeer } from '../ovsdb/rpc-peer.ts'

/** A lock of a database server (RFC 7047 §4.1.8), asked for on each connection. */
export class DatabaseLock implements Attachment {
  readonly #name: string
  readonly #changed: () => void
  #held = false

  /** To be made before the client is started. @param changed called when it is had, or no longer */
  constructor(client: OvsdbClient, name: string, changed: () => void) {
    this.#name = name
    this.#changed = changed
    client.attach(this)
  }

  get held(): boolean {
    return this.#held
  }

  async connected(peer: RpcPeer): Promise<void> {
    const { locked } = (await peer.request('lock', [this.#name])) as JsonObject
    this.#set(locked === true)
  }

  notification(method: string, [name]: readonly Json[]): boolean {
    if ((method !== 'locked' && method !== 'stolen') || name !== this.#name) return false
    this.#set(method === 'locked')
    return true
  }

  disconnected(): void {
    this.#set(false)
  }

  #set(held: boolean): void {
    if (held === this.#held) return
    this.#held = held
    this.#changed()
  }
}
