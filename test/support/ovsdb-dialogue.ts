/** Dialogues with database servers, and what is the same in the answers of any two. */

import { formatJson, isJsonObject, type Json } from '../../protocols/ovsdb/json-text.ts'
import { isArray, sorted } from '../../protocols/ovsdb/json-value.ts'
import type { Remote } from '../../src/ovsdb/remote.ts'
import { RpcError, RpcPeer } from '../../src/ovsdb/rpc-peer.ts'
import { realClock } from '../../src/services/scheduler.ts'

/** A client that keeps what it is told between its requests. */
export class Dialogue {
  readonly #peer: RpcPeer
  #told: Json[] = []

  private constructor(peer: (handlers: (method: string, params: readonly Json[]) => void) => RpcPeer) {
    this.#peer = peer((method, params) => this.#told.push([method, params]))
  }

  static async open(remote: Remote): Promise<Dialogue> {
    const channel = await remote.open(new AbortController().signal)
    return new Dialogue((notification) => new RpcPeer(channel, realClock, 0, { notification }))
  }

  async ask(method: string, ...params: Json[]): Promise<Json> {
    try {
      return await this.#peer.request(method, params)
    } catch (error) {
      if (error instanceof RpcError) return { failed: error.error }
      throw error
    }
  }

  /** What has been told since the last time. */
  told(): Json[] {
    const told = this.#told
    this.#told = []
    return told
  }

  close(): void {
    this.#peer.close()
  }
}

/** Rows come in any order. Which row or column is told of several that are wrong is anybody's choice. */
export function comparable(json: Json): Json {
  if (isArray(json)) return json.map(comparable)
  if (typeof json === 'string') return json.replace(UNKNOWN, 'unknown')
  if (!isJsonObject(json)) return json
  const members = Object.entries(json).map(([name, value]): [string, Json] => {
    if (name === 'rows' && isArray(value))
      return [name, value.map((row) => formatJson(comparable(row))).sort()]
    if (name === 'details') return [name, String(value).replace(CHOICE, '…').replace(KINDRED, '…')]
    return [name, comparable(value)]
  })
  return sorted(Object.fromEntries(members))
}

/** A UUID that a server has made up, for a name that no row was given. */
const UNKNOWN = /^[0-9a-f]{8}-(?!1111-4222-8333)[0-9a-f-]{27}$/
const CHOICE = /[0-9a-f]{8}-[0-9a-f-]{27}|\b-?\d+(\.\d+)?\b|"[^"]*"|\b(column|table|Table) \w+|\([^)]*\)/g

/** Violations that are found side by side, of which one is told. */
const KINDRED = /^(Transaction causes multiple rows|Weak reference column|Deletion of .* weak reference).*/
