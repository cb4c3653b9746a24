/** Messages of JSON-RPC 1.0 as OVSDB (RFC 7047, 4) and unixctl use it: parameters are always an array. */

import { isJsonObject, type Json, type JsonObject } from './json-text.ts'

export type RpcMessage =
  | {
      readonly type: 'request'
      readonly method: string
      readonly params: readonly Json[]
      /** Anything but null; the reply carries it back. */
      readonly id: Json
    }
  | { readonly type: 'notification'; readonly method: string; readonly params: readonly Json[] }
  | { readonly type: 'reply'; readonly result: Json; readonly id: Json }
  | { readonly type: 'error'; readonly error: Json; readonly id: Json }

/** What each type has. */
const MEMBERS: Readonly<Record<RpcMessage['type'], readonly string[]>> = {
  request: ['method', 'params', 'id'],
  notification: ['method', 'params'],
  reply: ['result', 'id'],
  error: ['error', 'id'],
}
const ALL_MEMBERS = ['method', 'params', 'result', 'error', 'id']

/** A message, or what is wrong with it. Members that are null count as absent, but for the result of a reply. */
export function rpcMessage(json: Json): RpcMessage | string {
  if (!isJsonObject(json)) return 'message is not a JSON object'
  const { method = null, params = null, result = null, error = null, id = null } = json
  if (method !== null && typeof method !== 'string') return 'method is not a JSON string'
  const unknown = Object.keys(json).find((name) => !ALL_MEMBERS.includes(name))
  if (unknown !== undefined) return `message has unexpected member "${unknown}"`
  if (params !== null && !Array.isArray(params)) return '"params" must be JSON array'
  const type = typeOf(json)
  for (const name of ALL_MEMBERS) {
    const wanted = MEMBERS[type].includes(name)
    const present = (json[name] ?? null) !== null || (wanted && name === 'result')
    if (present !== wanted) return `${type} must${wanted ? '' : ' not'} have "${name}"`
  }
  switch (type) {
    case 'request':
      return { type, method: method as string, params: params as Json[], id }
    case 'notification':
      return { type, method: method as string, params: params as Json[] }
    case 'reply':
      return { type, result, id }
    case 'error':
      return { type, error, id }
  }
}

function typeOf({
  method = null,
  result = null,
  error = null,
  id = null,
  ...rest
}: JsonObject): RpcMessage['type'] {
  if (result !== null) return 'reply'
  if (error !== null) return 'error'
  if (id === null) return 'notification'
  return method === null && (rest.params ?? null) === null ? 'reply' : 'request'
}

/** The same as the JSON that is sent. */
export function rpcJson(message: RpcMessage): JsonObject {
  switch (message.type) {
    case 'request':
      return { id: message.id, method: message.method, params: message.params }
    case 'notification':
      return { id: null, method: message.method, params: message.params }
    case 'reply':
      return { id: message.id, result: message.result, error: null }
    case 'error':
      return { id: message.id, result: null, error: message.error }
  }
}
